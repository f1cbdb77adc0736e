//! A run in; a table and a summary for people out.

use comfy_table::{CellAlignment, Table, presets::NOTHING};

use super::{
    figure::{Figure, Goal, Ratio},
    report::Report,
};

/// A figure with as many digits as mean something.
pub fn number(figure: f64) -> String {
    let digits = match figure.abs() {
        size if size < 10.0 => 2,
        size if size < 100.0 => 1,
        _ => 0,
    };
    format!("{figure:.digits$}")
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
            figure.goal.filter(|_| !report.brief).map_or("", |goal| outcome(goal, figure.quoted())).into(),
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
        let goal = ratio.goal.map(|goal| {
            if brief { format!(" ({goal})") } else { format!(" ({goal}: {})", outcome(goal, ratio.value)) }
        });
        let goal = goal.unwrap_or_default();
        format!("{} of {other}{goal}", number(ratio.value))
    };
    figure.ratios.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn outcome(goal: Goal, value: f64) -> &'static str {
    if goal.met(value) { "met" } else { "MISSED" }
}
