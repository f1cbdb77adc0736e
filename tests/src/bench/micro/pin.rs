//! Nothing in; this thread on one CPU, until the handle is dropped.

use anyhow::{Context as _, Result};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// A thread that stays where it is.
pub(super) struct Pinned {
    before: CpuSet,
}

impl Pinned {
    /// The last CPU that is allowed: the first one has more to do with interrupts.
    pub(super) fn to_one_cpu() -> Result<Self> {
        let before = sched_getaffinity(None).context("cannot ask which CPUs are allowed")?;
        let last = (0..CpuSet::MAX_CPU).rev().find(|&cpu| before.is_set(cpu)).context("no CPU is allowed")?;
        let mut one = CpuSet::new();
        one.set(last);
        sched_setaffinity(None, &one).context("cannot stay on one CPU")?;
        Ok(Self { before })
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // It only makes what follows slower.
        let _ = sched_setaffinity(None, &self.before);
    }
}
