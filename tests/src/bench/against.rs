//! Two runs in; for each figure of either, whether it changed or only varied, out.

use comfy_table::{CellAlignment, Table, presets::NOTHING};

use super::{
    figure::{Better, Figure, NANOSECONDS_ABOVE, Spread},
    number,
    report::Report,
};

/// Less than this part of it is no change of a figure.
const PART: f64 = 0.05;
/// Nor is a nanosecond: where the kernel puts the code of a program matters that much from one load to the next.
const NANOSECOND: f64 = 1.0;

/// How a figure of a run stands to the same of an earlier run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The two tell nothing apart.
    Noise,
    /// It is better now.
    Better,
    /// It is worse now.
    Worse,
}

impl Change {
    /// It changed if the middle halves of the rounds do not overlap, and the difference is large enough to be of the
    /// program.
    pub fn between(old: &Figure, new: &Figure) -> Self {
        let apart = |one: Spread, other: Spread| one.p75 < other.p25;
        let least = if new.unit == NANOSECONDS_ABOVE { NANOSECOND } else { 0.0 };
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
            Self::Noise => "noise",
            Self::Better => "better",
            Self::Worse => "WORSE",
        }
    }
}

/// A table for people.
pub fn compare(old: &Report, new: &Report) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(["ID", "BEFORE", "NOW", "UNIT", "CHANGE", ""]);
    for figure in &new.figures {
        let before = old.figure(&figure.id);
        table.add_row([
            figure.id.clone(),
            before.map_or_else(|| "-".into(), |old| number(old.quoted())),
            number(figure.quoted()),
            figure.unit.clone(),
            before.map(|old| percent(old.quoted(), figure.quoted())).unwrap_or_default(),
            before.map_or("new", |old| Change::between(old, figure).word()).into(),
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
    if old.machine != new.machine {
        lines.push(format!("That was another machine, and nothing can be compared: {}", old.machine.words()));
    }
    if old.program == new.program {
        lines.push("The program was the same.".into());
    }
    lines.join("\n")
}

fn percent(old: f64, new: f64) -> String {
    if old == 0.0 { String::new() } else { format!("{:+.0} %", (new / old - 1.0) * 100.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(unit: &str, better: Better, rounds: [f64; 5]) -> Figure {
        Figure {
            id: "a/b".into(),
            name: "b".into(),
            unit: unit.into(),
            better,
            spread: Spread::of(rounds.into()),
            rounds: 5,
            goal: None,
            ratios: [].into(),
        }
    }

    fn change(unit: &str, better: Better, old: [f64; 5], new: [f64; 5]) -> Change {
        Change::between(&figure(unit, better, old), &figure(unit, better, new))
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
        assert_eq!(change("ms", Better::Lower, [100.0; 5], [105.0; 5]), Change::Noise);
        assert_eq!(change("ms", Better::Lower, [100.0; 5], [106.0; 5]), Change::Worse);
        assert_eq!(change(NANOSECONDS_ABOVE, Better::Lower, [5.0; 5], [6.0; 5]), Change::Noise);
        assert_eq!(change(NANOSECONDS_ABOVE, Better::Lower, [5.0; 5], [6.5; 5]), Change::Worse);
    }
}
