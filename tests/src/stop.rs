//! Ctrl-C and its like in; whether one came, to be asked between two steps, out: so everything is taken down in order.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anyhow::{Context as _, Result};
use nix::sys::{
    signal::{SigSet, Signal},
    signalfd::{SfdFlags, SignalFd},
};

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
pub struct Stop(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    came: AtomicBool,
    // It is read by who asks: a thread of its own might get no core while threads that go before it hold them all.
    signals: SignalFd,
}

impl Stop {
    /// Holds the signals back from this thread, and so from all that it starts: children finish what they do. Call it
    /// before any other thread is there.
    pub fn watch() -> Result<Self> {
        let signals: SigSet = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP].into_iter().collect();
        signals.thread_block().context("cannot hold signals back")?;
        let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
        let signals = SignalFd::with_flags(&signals, flags).context("cannot ask for signals")?;
        Ok(Self(Arc::new(Inner { came: false.into(), signals })))
    }

    /// # Errors
    /// [`Interrupted`], once a signal came.
    pub fn check(&self) -> Result<()> {
        let Inner { came, signals } = &*self.0;
        if came.load(Ordering::Relaxed) || signals.read_signal().context("cannot ask for signals")?.is_some() {
            came.store(true, Ordering::Relaxed);
            return Err(Interrupted.into());
        }
        Ok(())
    }
}
