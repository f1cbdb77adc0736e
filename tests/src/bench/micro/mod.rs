//! The program alone: `BPF_PROG_TEST_RUN` of one frame again and again, in nanoseconds above an empty program.
//!
//! Each frame is seen to get the action and to move the counter that it should, before it is measured; and afterwards
//! the counters must say the same of all that was measured.

mod ahead;
mod blocks;
mod cases;
mod filter;
mod flood;
mod goals;
mod lab;
mod low;
mod peer;
mod pin;
mod restore;
mod rounds;
mod services;
mod slices;
mod steer;
mod subject;
mod worst;

use std::collections::BTreeMap;

use anyhow::Result;

use self::{lab::Lab, rounds::Measured};
use super::{
    Context,
    figure::{Better, Figure, NANOSECONDS_ABOVE, Ratio, Spread},
    paired,
};

/// Rounds, where nobody says how many.
const ROUNDS: u32 = 15;

/// Measures it.
///
/// # Errors
/// Where something cannot be loaded or run, or a frame does not go the way that is to be measured.
pub fn run(context: &Context) -> Result<Vec<Figure>> {
    let mut lab = Lab::new(context)?;
    let rounds = context.rounds(ROUNDS);
    let measured = rounds::measure(&mut lab, context, rounds)?;
    lab.check_counters()?;
    Ok(figures(&lab, measured, rounds))
}

fn figures(lab: &Lab, measured: Measured, rounds: u32) -> Vec<Figure> {
    let figure = |id: &str, name: &str, unit: &str, nanos| Figure {
        id: format!("micro/{id}"),
        name: name.into(),
        unit: unit.into(),
        better: Better::Lower,
        spread: Spread::of(nanos),
        rounds,
        goal: goals::goal(id),
        ratios: BTreeMap::new(),
    };
    let mut figures = vec![figure("empty", "empty program", "ns", measured.empty)];
    for (row, nanos) in lab.rows.iter().zip(&measured.rows) {
        figures.push(figure(&row.id, &row.name, NANOSECONDS_ABOVE, nanos.clone()));
    }
    for ((figure, row), nanos) in figures[1..].iter_mut().zip(&lab.rows).zip(&measured.rows) {
        figure.ratios = goals::ratios(&row.id)
            .filter_map(|(id, goal)| {
                let at = lab.rows.iter().position(|other| other.id == id)?;
                let other = &measured.rows[at];
                let more = goals::is_flat(&row.id).then(|| paired::more(nanos, other));
                // Noise can leave nothing of a figure, where the run is brief.
                let value = paired::above(nanos, other)?;
                Some((lab.rows[at].name.clone(), Ratio { value, goal, more }))
            })
            .collect();
    }
    figures
}
