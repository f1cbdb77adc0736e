//! Everything that is to be measured in; what each round gave for each row, above its base, out.

use anyhow::{Context as _, Result};

use super::{lab::Lab, pin::Pinned};
use crate::bench::{Context, Phase, figure::Spread};

/// How often the bases are measured in a round.
const BASES: usize = 5;

/// Nanoseconds, one of a round.
pub(super) struct Measured {
    /// Of the empty program.
    pub(super) empty: Vec<f64>,
    /// Of each row, above its base.
    pub(super) rows: Vec<Vec<f64>>,
}

/// Measures everything in every round, on one CPU.
///
/// What disturbs a machine lasts longer than a measurement, and so hits neighbours alike: rounds interleave all rows,
/// each begins with another, and a row is compared with the base of its own round. That is measured five times in the
/// round, and the median counts: one that is disturbed alone would shift all rows.
pub(super) fn measure(lab: &mut Lab, context: &Context, rounds: u32) -> Result<Measured> {
    let phase = context.phase(&format!("micro: measuring {} frames, round by round", lab.rows.len()), rounds.into());
    let _pinned = Pinned::to_one_cpu()?;
    if !context.brief {
        let rows = lab.rows.iter_mut().map(|row| &mut row.subject);
        for subject in lab.bases.iter_mut().chain(rows) {
            phase.check()?;
            subject.calibrate()?;
        }
    }
    let mut measured = Measured { empty: vec![], rows: vec![vec![]; lab.rows.len()] };
    for round in 0..rounds as usize {
        let (bases, rows) = self::round(&phase, lab, round * lab.rows.len() / rounds as usize)?;
        measured.empty.push(bases[0]);
        for ((all, nanos), row) in measured.rows.iter_mut().zip(rows).zip(&lab.rows) {
            all.push(nanos - bases[row.base]);
        }
        phase.step()?;
    }
    Ok(measured)
}

/// One round, which begins with the row `first`: the bases, and the rows.
fn round(phase: &Phase, lab: &mut Lab, first: usize) -> Result<(Vec<f64>, Vec<f64>)> {
    let mut calls = vec![];
    for _ in 0..BASES {
        calls.push(lab.bases[0].call()?);
    }
    calls.sort();
    let call = calls[BASES / 2];
    let mut bases = vec![vec![]; lab.bases.len()];
    let mut rows = vec![0.0; lab.rows.len()];
    let mut order: Vec<usize> = (0..lab.rows.len()).collect();
    order.rotate_left(first);
    for part in order.chunks(order.len().div_ceil(BASES)) {
        for (base, all) in lab.bases.iter_mut().zip(&mut bases) {
            all.push(base.measure(call)?);
        }
        for &index in part {
            phase.check()?;
            let row = &mut lab.rows[index];
            rows[index] = row.subject.measure(call).with_context(|| row.name.clone())?;
        }
    }
    Ok((bases.into_iter().map(|all| Spread::of(all).median).collect(), rows))
}
