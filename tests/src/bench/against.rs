//! Two runs in; for each figure of either, whether it changed or only varied, out.
//!
//! What moved as the empty program and the peers did is the machine, and not us.

use std::collections::BTreeMap;

use comfy_table::{CellAlignment, Table, presets::NOTHING};

use super::{
    figure::{Better, Figure, NANOSECONDS_ABOVE, Spread},
    number,
    report::Report,
};

/// Less than this part of it is no change of a figure.
const PART: f64 = 0.1;
/// Nor are these nanoseconds: where the kernel puts the code of a program matters that much from one load to the next.
const NANOSECONDS: f64 = 1.5;
/// A movement of the machine that is worth a word.
const WORTH_A_WORD: f64 = 0.03;

/// What no change of ours can move, by the beginning of the id. It has moved with the machine.
const REFERENCES: [&str; 9] = [
    "micro/empty",
    "micro/xdp-filter/",
    "wire/empty/",
    "wire/xdp-filter/",
    "wire/tc/",
    "wire/nft-",
    "wire/none/",
    "goodput/idle/rate",
    "goodput/idle/p50",
];

/// How a figure of a run stands to the same of an earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is none of ours, and tells how the machine moved.
    Reference,
    /// The two tell nothing apart.
    Noise,
    /// It is better now.
    Better,
    /// It is worse now.
    Worse,
}

impl Change {
    /// It changed if the middle halves of the rounds do not overlap, and the difference is large enough to be of the
    /// program. `slower` is how many times as long the machine takes now.
    pub fn between(old: &Figure, new: &Figure, slower: f64) -> Self {
        if is_reference(&new.id) {
            return Self::Reference;
        }
        let new = as_then(new, slower);
        let apart = |one: Spread, other: Spread| one.p75 < other.p25;
        let least = if new.unit == NANOSECONDS_ABOVE { NANOSECONDS } else { 0.0 };
        let difference = new.quoted() - old.quoted();
        let overlap = !apart(old.spread, new.spread) && !apart(new.spread, old.spread);
        if overlap || difference.abs() <= least.max(old.quoted().abs() * PART) {
            return Self::Noise;
        }
        let better = match new.better {
            Better::Lower => difference < 0.0,
            Better::Higher => difference > 0.0,
        };
        if better { Self::Better } else { Self::Worse }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Reference => "reference",
            Self::Noise => "noise",
            Self::Better => "better",
            Self::Worse => "WORSE",
        }
    }
}

/// A table for people. Neither run may be brief.
pub fn compare(old: &Report, new: &Report) -> String {
    let slower: BTreeMap<&str, f64> = new.figures.iter().map(section).map(|of| (of, slower(of, old, new))).collect();
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["ID", "BEFORE", "NOW", "UNIT", "CHANGE", ""]);
    for figure in &new.figures {
        let before = old.figure(&figure.id);
        let slower = slower[section(figure)];
        table.add_row([
            figure.id.clone(),
            before.map_or_else(|| "-".into(), |old| number(old.quoted())),
            number(figure.quoted()),
            figure.unit.clone(),
            before.map(|old| change(old, figure, slower)).unwrap_or_default(),
            before.map_or("new", |old| Change::between(old, figure, slower).word()).into(),
        ]);
    }
    for figure in old.figures.iter().filter(|figure| new.figure(&figure.id).is_none()) {
        let before = number(figure.quoted());
        table.add_row([&figure.id, &before, "-", &figure.unit, "", "not measured"]);
    }
    for column in [1, 2, 4] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let mut lines = vec![table.trim_fmt()];
    lines.extend(slower.iter().filter_map(|(of, slower)| moved(of, *slower)));
    if old.machine != new.machine {
        lines.push(format!("That was another machine, and nothing can be compared: {}", old.machine.words()));
    }
    if old.program == new.program {
        lines.push("The program was the same.".into());
    }
    lines.join("\n")
}

/// How many times as long the machine takes now, as the references of a section say. A section without any says nothing.
fn slower(of: &str, old: &Report, new: &Report) -> f64 {
    let references = new.figures.iter().filter(|figure| section(figure) == of && is_reference(&figure.id));
    let ratios = references.filter_map(|figure| {
        let (before, now) = (old.figure(&figure.id)?.quoted(), figure.quoted());
        let ratio = match figure.better {
            Better::Lower => now / before,
            Better::Higher => before / now,
        };
        (before > 0.0 && now > 0.0).then_some(ratio)
    });
    let ratios: Vec<f64> = ratios.collect();
    if ratios.is_empty() { 1.0 } else { median(ratios) }
}

/// The middle one, or the mean of both.
fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    f64::midpoint(all[(all.len() - 1) / 2], all[all.len() / 2])
}

/// What the figure would have been on the machine as it was.
fn as_then(figure: &Figure, slower: f64) -> Figure {
    let moved = |of: f64| match figure.better {
        Better::Lower => of / slower,
        Better::Higher => of * slower,
    };
    let Spread { min, p25, median, p75, max } = figure.spread;
    let [min, p25, median, p75, max] = [min, p25, median, p75, max].map(moved);
    Figure { spread: Spread { min, p25, median, p75, max }, ..figure.clone() }
}

/// In percent; of a reference all of it, of others what is beyond the machine's.
fn change(old: &Figure, new: &Figure, slower: f64) -> String {
    let now = if is_reference(&new.id) { new.quoted() } else { as_then(new, slower).quoted() };
    let before = old.quoted();
    if before == 0.0 { String::new() } else { format!("{:+.0} %", (now / before - 1.0) * 100.0) }
}

/// A sentence about the machine, where there is something to say.
fn moved(section: &str, slower: f64) -> Option<String> {
    let word = if slower > 1.0 { "slower" } else { "faster" };
    let percent = (slower - 1.0).abs();
    let sentence = || {
        format!(
            "{section}: the machine was {:.0} % {word} than in the earlier run, by the median of the references; this is \
             taken off the changes of the others.",
            percent * 100.0
        )
    };
    (percent > WORTH_A_WORD).then(sentence)
}

fn section(figure: &Figure) -> &str {
    figure.id.split('/').next().unwrap_or_default()
}

fn is_reference(id: &str) -> bool {
    REFERENCES.iter().any(|reference| id.starts_with(reference))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(id: &str, unit: &str, better: Better, rounds: [f64; 5]) -> Figure {
        Figure {
            id: id.into(),
            name: id.into(),
            unit: unit.into(),
            better,
            spread: Spread::of(rounds.into()),
            rounds: 5,
            goal: None,
            ratios: [].into(),
        }
    }

    fn change(unit: &str, better: Better, old: [f64; 5], new: [f64; 5]) -> Change {
        Change::between(&figure("a/b", unit, better, old), &figure("a/b", unit, better, new), 1.0)
    }

    /// A made-up run on a machine that takes so many times as long, with one row that does so itself.
    fn report(slower: f64, row: &str, own: f64) -> Report {
        let rows = [
            ("micro/empty", 20.0),
            ("micro/xdp-filter/ipv6/listed", 40.0),
            ("micro/xdp-filter/ipv6/not-listed", 44.0),
            ("micro/bit/conforming", 5.0),
            ("micro/mac/conforming", 24.0),
            ("micro/worst/table", 200.0),
            ("wire/tc/rate", 2.0),
            ("wire/tc/cpu", 500.0),
            ("wire/bit/rate", 10.0),
            ("wire/bit/cpu", 100.0),
            ("goodput/idle/rate", 30_000.0),
            ("goodput/filtered/rate", 29_000.0),
        ];
        let figures = rows.map(|(id, of)| {
            let (unit, better) = match id.rsplit_once('/') {
                Some((_, "rate")) => ("1/s", Better::Higher),
                _ if id.starts_with("micro/") && id != "micro/empty" => (NANOSECONDS_ABOVE, Better::Lower),
                _ => ("ns", Better::Lower),
            };
            let slower = if id == row { slower * own } else { slower };
            let of = if better == Better::Lower { of * slower } else { of / slower };
            figure(id, unit, better, [0.99, 1.0, 1.0, 1.01, 1.3].map(|part| of * part))
        });
        Report::new(false, figures.into())
    }

    /// The rows that it says a word of.
    fn said<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
        text.lines().filter(|line| line.ends_with(word)).filter_map(|line| line.split_whitespace().next()).collect()
    }

    #[test]
    fn a_slower_machine_is_no_change() {
        for slower in [0.5, 0.8, 1.0, 1.05, 1.4, 3.0] {
            let said_so = compare(&report(1.0, "", 1.0), &report(slower, "", 1.0));
            assert_eq!(said(&said_so, "noise").len(), 6, "{said_so}");
            assert!(!said_so.contains("WORSE") && !said_so.contains("better"), "{said_so}");
        }
    }

    #[test]
    fn a_change_is_told_from_the_machine() {
        for slower in [0.7, 1.0, 1.05, 1.5] {
            for row in ["micro/bit/conforming", "micro/worst/table", "wire/bit/rate", "goodput/filtered/rate"] {
                let said_so = compare(&report(1.0, "", 1.0), &report(slower, row, 1.4));
                assert_eq!(said(&said_so, "WORSE"), [row], "{said_so}");
                assert!(said(&said_so, "better").is_empty(), "{said_so}");
                let said_so = compare(&report(1.0, "", 1.0), &report(slower, row, 0.6));
                assert_eq!(said(&said_so, "better"), [row], "{said_so}");
                assert!(said(&said_so, "WORSE").is_empty(), "{said_so}");
            }
        }
    }

    #[test]
    fn a_peer_that_moved_alone_is_not_us() {
        let said_so = compare(&report(1.0, "", 1.0), &report(1.0, "micro/xdp-filter/ipv6/listed", 2.0));
        assert!(said_so.contains("+100 %  reference") && !said_so.contains("WORSE"), "{said_so}");
        assert!(!said_so.contains("the machine was"), "{said_so}");
    }

    #[test]
    fn how_the_machine_moved_is_said() {
        let moved = |slower| compare(&report(1.0, "", 1.0), &report(slower, "", 1.0));
        assert!(moved(1.05).contains("micro: the machine was 5 % slower"), "{}", moved(1.05));
        assert!(moved(0.9).contains("wire: the machine was 10 % faster"), "{}", moved(0.9));
        assert!(!moved(1.02).contains("the machine was"), "{}", moved(1.02));
    }

    #[test]
    fn without_references_figures_are_compared_as_they_are() {
        let of = |rounds| Report::new(false, vec![figure("control/flip", "ms", Better::Lower, rounds)]);
        assert_eq!(said(&compare(&of([1.0; 5]), &of([2.0; 5])), "WORSE"), ["control/flip"]);
    }

    #[test]
    fn what_overlaps_is_noise() {
        let (old, new) = ([1.0, 2.0, 3.0, 4.0, 9.0], [2.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!(change("ms", Better::Lower, old, new), Change::Noise);
        assert_eq!(change("ms", Better::Lower, new, old), Change::Noise);
    }

    #[test]
    fn what_is_apart_is_better_or_worse() {
        let (low, high) = ([1.0; 5], [2.0; 5]);
        assert_eq!(change("ms", Better::Lower, low, high), Change::Worse);
        assert_eq!(change("ms", Better::Lower, high, low), Change::Better);
        assert_eq!(change("Mpps", Better::Higher, low, high), Change::Better);
        assert_eq!(change("Mpps", Better::Higher, high, low), Change::Worse);
    }

    #[test]
    fn what_is_small_is_noise() {
        assert_eq!(change("ms", Better::Lower, [100.0; 5], [110.0; 5]), Change::Noise);
        assert_eq!(change("ms", Better::Lower, [100.0; 5], [111.0; 5]), Change::Worse);
        assert_eq!(change(NANOSECONDS_ABOVE, Better::Lower, [5.0; 5], [6.5; 5]), Change::Noise);
        assert_eq!(change(NANOSECONDS_ABOVE, Better::Lower, [5.0; 5], [6.6; 5]), Change::Worse);
    }
}
