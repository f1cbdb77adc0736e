//! A condition and a time in; out as soon as it holds, or an error that says what did not come.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until `condition` holds, at most for `longest`. `what` is what is waited for, for the error.
pub fn wait_until(what: &str, longest: Duration, mut condition: impl FnMut() -> bool) -> Result<()> {
    let deadline = Instant::now() + longest;
    loop {
        // The last look is after the deadline: a slow machine has had its chance.
        let late = Instant::now() >= deadline;
        if condition() {
            return Ok(());
        }
        if late {
            bail!("waited {longest:?} in vain for: {what}");
        }
        // sleep: between two looks.
        thread::sleep(LOOK_EVERY);
    }
}
