//! A run in; a table and a summary for people out.

use comfy_table::{CellAlignment, Table, presets::NOTHING};

use super::{
    figure::{Figure, Goal, Ratio},
    report::Report,
};

/// This near to a limit, as a part of it, digits decide.
const NEAR: f64 = 0.05;

/// A figure with as many digits as mean something.
pub fn number(figure: f64) -> String {
    let digits = match figure.abs() {
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    format!("{figure:.digits$}")
}

/// A figure near its limit has three digits behind the point, and more where it would look to be on the other side.
pub fn number_beside(figure: f64, goal: Goal) -> String {
    let near = (figure / goal.limit() - 1.0).abs() < NEAR;
    let honest = |text: &String| text.parse().is_ok_and(|shown| goal.met(shown) == goal.met(figure));
    let usual = Some(number(figure)).filter(|text| !near && honest(text));
    let exact = || (3..=6).map(|digits| format!("{figure:.digits$}")).find(honest);
    usual.or_else(exact).unwrap_or_else(|| number(figure))
}

/// The whole run. A brief one meets no goal and misses none: its figures say nothing.
pub fn table(report: &Report) -> String {
    let mut table = Table::new();
    let header = ["SECTION", "WHAT", "MIN", "P25", "MEDIAN", "UNIT", "GOAL", "", "COMPARED"];
    table.load_style(NOTHING).set_header(header);
    let mut before = "";
    for figure in &report.figures {
        let section = figure.id.split('/').next().unwrap_or_default();
        let shown = if section == before { "" } else { section };
        before = section;
        let spread = figure.spread;
        table.add_row([
            shown.to_owned(),
            figure.name.clone(),
            number(spread.min),
            number(spread.p25),
            number(spread.median),
            figure.unit.clone(),
            figure.goal.map(|goal| goal.to_string()).unwrap_or_default(),
            figure.goal.filter(|_| !report.brief).map_or("", |goal| outcome(goal.met(figure.quoted()))).into(),
            compared(figure, report.brief),
        ]);
    }
    for column in 2..=4 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.trim_fmt()
}

/// The machine, and how the run stands to the goals.
pub fn summary(report: &Report) -> String {
    let machine = report.machine.words();
    let machine = match report.failed.as_slice() {
        [] => machine,
        failed => format!("{machine}\nNot all was measured; failed: {}.", failed.join(", ")),
    };
    if report.brief {
        return format!("{machine}\nThis run was brief: it shows that everything works, and its figures say nothing.");
    }
    let (all, missed) = report.goals();
    let met = all - missed.len();
    let colon = if missed.is_empty() { "." } else { "; missed:\n  " };
    format!("{machine}\n{met} of {all} goals are met{colon}{}", missed.join("\n  "))
}

/// One line for each figure that it was divided by.
fn compared(figure: &Figure, brief: bool) -> String {
    let line = |(other, ratio): (&String, &Ratio)| {
        let value = ratio.goal.map_or_else(|| number(ratio.value), |goal| number_beside(ratio.value, goal));
        let goal = ratio
            .wanted()
            .zip(ratio.met())
            .map(|(goal, met)| if brief { format!(" ({goal})") } else { format!(" ({goal}: {})", outcome(met)) });
        format!("{value} of {other}{}", goal.unwrap_or_default())
    };
    figure.ratios.iter().map(line).collect::<Vec<_>>().join("\n")
}

const fn outcome(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_miss_does_not_look_like_a_hit() {
        for (goal, figure, shown) in [
            (Goal::AtMost(1.2), 1.1, "1.10"),
            (Goal::AtMost(1.2), 1.2, "1.200"),
            (Goal::AtMost(1.2), 1.204, "1.204"),
            (Goal::AtMost(1.2), 1.200_04, "1.20004"),
            (Goal::AtMost(1.2), 1.5, "1.50"),
            (Goal::AtLeast(0.85), 0.849_9, "0.8499"),
            (Goal::AtMost(450.0), 300.0, "300"),
        ] {
            assert_eq!(number_beside(figure, goal), shown);
        }
    }

    #[test]
    fn a_nanosecond_is_flat() {
        let ratio = |value, more| Ratio { value, goal: Some(Goal::AtMost(1.2)), more };
        assert_eq!(ratio(1.25, Some(0.9)).met(), Some(true));
        assert_eq!(ratio(1.19, Some(1.1)).met(), Some(true));
        assert_eq!(ratio(1.25, Some(1.1)).met(), Some(false));
        assert_eq!(ratio(1.25, None).met(), Some(false));
        assert_eq!(ratio(1.25, Some(0.9)).wanted().unwrap(), "≤ 1.2 or 1 ns more");
    }
}
