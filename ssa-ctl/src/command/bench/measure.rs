//! Frames with what becomes of them in; nanoseconds a frame, of several rounds, out.

use anyhow::ensure;
use serde::Serialize;

use super::{super::progress::Progress, stages::Stage};
use crate::kernel::{
    sandbox::Sandbox,
    stopwatch::{Empty, OneCpu, RUNS},
};

/// Stages between two looks at the empty program.
const GROUP: usize = 4;

/// The least of several rounds, and their quartiles; nanoseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Spread {
    pub(super) min: f64,
    pub(super) p25: f64,
    pub(super) median: f64,
    pub(super) p75: f64,
}

/// What was measured.
pub(super) struct Measured {
    /// The empty program.
    pub(super) empty: Spread,
    /// What each stage takes above it, in the order of the stages.
    pub(super) above: Vec<Spread>,
}

/// Measures every stage in every round, and the empty program between them; with progress, if `terminal`.
///
/// The machine has better and worse moments, which last for longer than a round. So a stage is compared with the empty
/// program of its own round.
pub(super) fn measure(
    sandbox: &mut Sandbox,
    time: u64,
    stages: &[Stage],
    rounds: u32,
    terminal: bool,
) -> anyhow::Result<Measured> {
    let _here = OneCpu::stay()?;
    let empty = Empty::load()?;
    let progress = Progress::new("measuring", terminal, rounds as usize * stages.len());
    let mut all_empty = Vec::new();
    let mut above = vec![Vec::new(); stages.len()];
    for _ in 0..rounds {
        let (mut round, mut of_empty) = (Vec::new(), Vec::new());
        for group in stages.chunks(GROUP) {
            of_empty.push(empty.time(&group[0].frame)?);
            for stage in group {
                // Addresses with epochs are right now, and not for as long as this lasts.
                sandbox.set_clock(time)?;
                round.push(one(sandbox, stage)?);
                progress.step();
            }
        }
        let floor = Spread::of(of_empty.clone()).median;
        for (above, nanoseconds) in above.iter_mut().zip(round) {
            above.push(nanoseconds - floor);
        }
        all_empty.extend(of_empty);
    }
    Ok(Measured { empty: Spread::of(all_empty), above: above.into_iter().map(Spread::of).collect() })
}

/// One measurement, of runs that all had the verdict they should have.
fn one(sandbox: &mut Sandbox, stage: &Stage) -> anyhow::Result<f64> {
    let verdict = stage.verdict;
    let counted = |sandbox: &Sandbox| -> anyhow::Result<u64> {
        Ok(sandbox.instance().cells(verdict.service)?[verdict.cell() as usize].packets)
    };
    let before = counted(sandbox)?;
    let nanoseconds = sandbox.time(&stage.frame)?;
    let runs = counted(sandbox)?.wrapping_sub(before);
    ensure!(
        runs == u64::from(RUNS),
        "of {RUNS} frames {} for {}, {runs} were counted as {}",
        stage.name,
        stage.service.as_deref().unwrap_or("no service"),
        verdict.reason.name()
    );
    Ok(nanoseconds)
}

impl Spread {
    /// The spread of some rounds, one at least.
    fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        // Nobody reads more digits than the machine is good for.
        let at = |quarter: usize| (rounds[(rounds.len() - 1) * quarter / 4] * 100.0).round() / 100.0;
        Self { min: at(0), p25: at(1), median: at(2), p75: at(3) }
    }
}
