//! What every section is given: where `ssa-ctl` is, how many rounds, whether to go on, and somewhere to say how far it is.

use std::{
    cell::Cell,
    io::{self, IsTerminal as _},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::Result;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{net, stop::Stop};

/// Where nobody watches a bar, a line this often says that the bench lives.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// What a section is given.
#[derive(Debug)]
pub struct Context {
    /// The release `ssa-ctl` that is measured.
    pub ssa_ctl: PathBuf,
    /// How many rounds; none: what the section thinks best.
    pub rounds: Option<u32>,
    /// As little as shows that everything works: the figures are worth nothing.
    pub brief: bool,
    /// Whether the person wants no more. Each step asks, and so does what takes long between two.
    pub stop: Stop,
}

impl Context {
    /// The rounds to run, where the section thinks `usual` of them best.
    pub fn rounds(&self, usual: u32) -> u32 {
        self.rounds.unwrap_or(if self.brief { 1 } else { usual }).max(1)
    }

    /// A piece of work of so many steps begins. What it is, for people: `micro: loading the filter`.
    pub fn phase(&self, what: &str, steps: u64) -> Phase {
        Phase::begin(what, steps, self.stop.clone())
    }

    /// Waits until `condition` holds, at most for `longest`.
    ///
    /// # Errors
    /// Where it does not, or the person wants no more.
    pub fn wait_until(&self, what: &str, longest: Duration, mut condition: impl FnMut() -> bool) -> Result<()> {
        net::wait_until(what, longest, || self.stop.check().is_err() || condition())?;
        self.stop.check()
    }
}

/// A piece of work: a bar on a terminal, lines elsewhere, both on standard error. It ends when dropped.
#[derive(Debug)]
pub struct Phase {
    what: String,
    steps: u64,
    bar: Option<ProgressBar>,
    told: Cell<Instant>,
    done: Cell<u64>,
    stop: Stop,
}

impl Phase {
    fn begin(what: &str, steps: u64, stop: Stop) -> Self {
        let watched = io::stderr().is_terminal();
        if !watched {
            eprintln!("bench: {what}");
        }
        let bar = watched.then(|| bar(what, steps));
        Self { what: what.into(), steps, bar, told: Instant::now().into(), done: 0.into(), stop }
    }

    /// One step is done.
    ///
    /// # Errors
    /// Where the person wants no more.
    pub fn step(&self) -> Result<()> {
        self.done.set(self.done.get() + 1);
        if let Some(bar) = &self.bar {
            bar.inc(1);
        } else if self.told.get().elapsed() > LINE_EVERY {
            self.told.set(Instant::now());
            eprintln!("bench: {}: {} of {}", self.what, self.done.get(), self.steps);
        }
        self.check()
    }

    /// Whether to go on, in the middle of a step.
    ///
    /// # Errors
    /// Where the person wants no more.
    pub fn check(&self) -> Result<()> {
        self.stop.check()
    }
}

impl Drop for Phase {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(what: &str, steps: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{spinner} {msg} {pos}/{len} {bar:30} {elapsed}").expect("a fixed template");
    let bar = ProgressBar::with_draw_target(Some(steps), ProgressDrawTarget::stderr()).with_style(style);
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}
