//! A scene in; the rate of a flood that leaves an unfiltered host half of its answers out.

use anyhow::{Result, ensure};

use super::state::{Scene, State};

/// Between these it is looked for: frames a second.
const LEAST: f64 = 20_000.0;
const MOST: f64 = 1_000_000.0;
/// How often the interval is halved, as a ratio: at the end it is 6 % wide.
const HALVINGS: u32 = 6;
/// How often clients talk: the halvings, and at first with an idle host.
pub(super) const STEPS: u32 = HALVINGS + 1;

/// The rate. `step` is called after each step.
pub(super) fn halving(scene: &Scene, step: impl Fn() -> Result<()>) -> Result<u32> {
    let answers = |state, rate: f64| -> Result<f64> {
        let flooded = scene.play(state, whole(rate))?;
        step()?;
        Ok(flooded.seen.rate)
    };
    let half = answers(State::Idle, 0.0)? / 2.0;
    let (mut low, mut high) = (LEAST, MOST);
    for _ in 0..HALVINGS {
        let middle = (low * high).sqrt();
        if answers(State::Unfiltered, middle)? > half {
            low = middle;
        } else {
            high = middle;
        }
    }
    ensure!(high < MOST, "{MOST} frames a second do not halve what an unfiltered host answers");
    Ok(whole((low * high).sqrt()))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between the least and the most, or zero")]
fn whole(rate: f64) -> u32 {
    rate as u32
}
