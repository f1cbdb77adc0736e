//! Live frames over a veth pair in; what dropping one costs its receiver, with our filter and with its peers, out.
//!
//! The sender makes frames in batches. The receiver is a kernel thread of the same core that goes before it: after each
//! batch it empties the ring, so that no frame is lost, none waits, and a wake-up comes to 256 frames. What a frame
//! costs is the CPU time of this thread.

mod figures;
mod frame;
mod lane;
mod nftables;
mod sender;
mod way;

use anyhow::{Context as _, Result, ensure};

use self::{
    sender::{BATCH, Sender},
    way::Way,
};
use super::{Context, cores, figure::Figure};

/// With fewer, margins are wider than differences.
const ROUNDS: u32 = 25;
/// Batches of a round; and of a brief run's.
const BATCHES: u32 = 512;
const BRIEF: u32 = 4;

/// Measures all ways to drop, one after the other in each round.
///
/// # Errors
/// Where a way cannot be brought in force, or does not drop exactly what was sent.
pub fn run(context: &Context) -> Result<Vec<Figure>> {
    let mut sender = Sender::new(cores::first(1)?[0])?;
    let ways = lay(context, &sender)?;
    let rounds = context.rounds(ROUNDS);
    let phase = context.phase(&format!("wire: {rounds} rounds of {} ways to drop", ways.len()), rounds.into());
    let batches = if context.brief { BRIEF } else { BATCHES };
    let mut costs = vec![vec![]; ways.len()];
    for _ in 0..rounds {
        for (way, costs) in ways.iter().zip(&mut costs) {
            costs.push(cost(context, way, &mut sender, batches).with_context(|| way.name.to_owned())?);
        }
        phase.step()?;
    }
    Ok(figures::of(&ways, &costs))
}

fn lay(context: &Context, sender: &Sender) -> Result<Vec<Way>> {
    let plans = way::plans(&context.ssa_ctl);
    let phase = context.phase("wire: bringing filters in force", plans.len() as u64);
    let laid = plans.into_iter().map(|plan| {
        let way = plan.lay(sender)?;
        phase.step()?;
        Ok(way)
    });
    laid.collect()
}

/// The CPU time that a frame cost its receiver, in nanoseconds.
#[expect(clippy::cast_precision_loss, reason = "a round has milliseconds and some hundred thousand frames")]
fn cost(context: &Context, way: &Way, sender: &mut Sender, batches: u32) -> Result<f64> {
    let lane = &way.lane;
    let look = || -> Result<[u64; 3]> { Ok([lane.received()?, way.dropped()?, lane.napi.run_time()?]) };
    let before = look()?;
    sender.send(lane.sender.index, &way.frame, batches)?;
    lane.settle(context)?;
    let after = look()?;
    let [received, dropped, time] = std::array::from_fn(|at| after[at] - before[at]);
    let sent = u64::from(batches * BATCH);
    ensure!(dropped == received, "of {received} frames received, {dropped} were dropped where they should be");
    ensure!(received <= sent && received > sent / 2, "of {sent} frames sent, {received} were received");
    Ok(time as f64 / received as f64)
}
