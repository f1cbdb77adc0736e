//! What is done and how many steps it takes in; a bar on the terminal, if it takes long, out. And the bar of a search.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is over sooner shows no progress.
const SILENCE: Duration = Duration::from_secs(1);

/// A bar that comes when it takes long, and goes when dropped.
pub(super) struct Progress {
    bar: ProgressBar,
    terminal: bool,
    begin: Instant,
}

impl Progress {
    /// Begins to do `what`, and shows it if `terminal`.
    pub(super) fn new(what: &'static str, terminal: bool, steps: usize) -> Self {
        let style = ProgressStyle::with_template("{msg}: {pos} of {len}, {elapsed}, {eta} left");
        let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(steps as u64), ProgressDrawTarget::hidden()).with_style(style);
        Self { bar: bar.with_message(what), terminal, begin: Instant::now() }
    }

    /// A step is done.
    pub(super) fn step(&self) {
        if self.terminal && self.bar.is_hidden() && self.begin.elapsed() > SILENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// A bar for the attempts of a search for proofs of work with so many zero bits; none is drawn where nobody looks, or nothing
/// is searched for.
pub(super) fn search(terminal: bool, zeros: u32) -> ProgressBar {
    if !terminal || zeros == 0 {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("proof of work: {human_pos} attempts of about {human_len}, {elapsed}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(1 << zeros.min(63)), ProgressDrawTarget::stderr()).with_style(style)
}
