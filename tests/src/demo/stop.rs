//! Ctrl-C and its like in; a flag that is looked at between two steps out, so that everything is taken down in order.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use anyhow::{Context as _, Result};
use nix::sys::signal::{SigSet, Signal};

/// The person wants no more.
#[derive(Clone, Copy, Debug)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted; everything is taken down")
    }
}

impl std::error::Error for Interrupted {}

/// Whether to go on.
#[derive(Clone, Debug)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Holds the signals back from this thread, and so from all that it starts: children finish what they do. Call it
    /// before any other thread is there.
    pub fn watch() -> Result<Self> {
        let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
        signals.thread_block().context("cannot hold signals back")?;
        let flag = Arc::new(AtomicBool::new(false));
        let raised = Arc::clone(&flag);
        thread::spawn(move || {
            while signals.wait().is_ok() {
                raised.store(true, Ordering::Relaxed);
            }
        });
        Ok(Self(flag))
    }

    /// # Errors
    /// [`Interrupted`], once a signal came.
    pub fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(Interrupted.into()) } else { Ok(()) }
    }
}
