//! A host with a TCP service and a flood in; what clients see of it, idle, flooded, and flooded with our filter, out. Then a
//! host that routes to a narrow way, and suspects, in; what those leave to whoever conforms, out.
//!
//! Host and client have a core each, and all that receives, talks or floods goes before what else the machine does. The
//! flooder shares the client's core. It works as hard in the idle state, but its frames do not leave: so the client has
//! as much of its core in all states, and a difference is the host's.

mod figures;
mod flood;
mod narrow;
mod pace;
mod search;
mod site;
mod state;
mod talk;

use anyhow::Result;

use self::{
    site::Site,
    state::{Scene, State},
};
use super::{Context, cores, figure::Figure};

/// More than a handful change the medians little.
const ROUNDS: u32 = 5;

/// Finds the rate that halves the unfiltered host's, and measures the three states at it.
///
/// # Errors
/// Where something could not be measured, or frames did not end where they should.
pub fn run(context: &Context) -> Result<Vec<Figure>> {
    let cores = cores::first(2)?;
    let scene = Scene::new(context, Site::build([cores[0], cores[1]])?)?;
    let rate = {
        let phase = context.phase("goodput: looking for the rate that halves an unfiltered host", search::STEPS.into());
        search::halving(&scene, || phase.step())?
    };
    let rounds = context.rounds(ROUNDS);
    let what = format!("goodput: {rounds} rounds of three states at {rate} frames a second");
    let phase = context.phase(&what, u64::from(rounds) * 3);
    let mut given = [vec![], vec![], vec![]];
    for _ in 0..rounds {
        for (state, given) in State::ALL.into_iter().zip(&mut given) {
            given.push(scene.play(state, rate)?);
            phase.step()?;
        }
    }
    drop(phase);
    let parts = narrow::measure(context, rounds)?;
    Ok(figures::of(&given).into_iter().chain(figures::of_parts(parts)).collect())
}
