//! Nothing in; how long it takes to look at the filter and to change it, out.
//!
//! Commands are timed as a whole, from start to exit, as an operator waits for them. What they do to maps is timed by itself,
//! through the controller's library, where a command's own start would hide it.

mod commands;
mod maps;
mod slices;

use std::collections::BTreeMap;

use anyhow::Result;

use super::{
    Context,
    figure::{Better, Figure, Goal, Spread},
};

/// Measures the control plane.
///
/// # Errors
/// Where a command fails or does something else than it should, or maps cannot be made.
pub fn run(context: &Context) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for services in [1, 16] {
        figures.extend(commands::run(context, services)?);
    }
    figures.extend(slices::command(context)?);
    figures.extend(maps::run(context)?);
    figures.extend(slices::run(context)?);
    Ok(figures)
}

/// A time: the less the better.
fn figure(id: &str, name: String, unit: &str, rounds: Vec<f64>, goal: Option<f64>) -> Figure {
    Figure {
        id: format!("control/{id}"),
        name,
        unit: unit.into(),
        better: Better::Lower,
        rounds: u32::try_from(rounds.len()).unwrap_or(u32::MAX),
        spread: Spread::of(rounds),
        goal: goal.map(Goal::AtMost),
        ratios: BTreeMap::new(),
    }
}
