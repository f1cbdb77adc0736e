//! Nothing in; the cores that we may use out, and threads held to one of them.

use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use rustix::{
    process::{Pid, setpriority_process},
    thread::{CpuSet, gettid, sched_getaffinity, sched_setaffinity},
};

use crate::net::output_of;

/// The highest there is.
const PRIORITY: i32 = -20;

/// The first cores of those that this process may use, `count` of them.
pub(super) fn first(count: usize) -> Result<Vec<usize>> {
    let allowed = sched_getaffinity(None).context("cannot ask which cores may be used")?;
    let cores: Vec<_> = (0..CpuSet::MAX_CPU).filter(|&core| allowed.is_set(core)).take(count).collect();
    ensure!(cores.len() == count, "{count} cores are needed, and {} may be used", cores.len());
    Ok(cores)
}

/// Holds a thread to a core, and lets it go before what else the machine does. None: the thread that calls.
pub(super) fn hold(thread: Option<Pid>, core: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(core);
    sched_setaffinity(thread, &set).with_context(|| format!("no thread can be held to core {core}"))?;
    setpriority_process(thread, PRIORITY).context("no thread can be preferred, for which one must be root")
}

/// What goes before all that the machine does otherwise, and in this order among themselves.
#[derive(Clone, Copy)]
pub(super) enum Urgent {
    /// Those that send all the time.
    Flood = 1,
    /// Those that talk.
    Talk = 2,
    /// Those that receive frames, as an interrupt does.
    Interrupt = 3,
}

/// Lets a thread of this core run as soon as it has something to do. What else the machine does must wait.
///
/// Held to the core only then: the program that says so to the kernel would have to wait too.
pub(super) fn hurry(thread: Option<Pid>, core: usize, urgent: Urgent) -> Result<()> {
    let (priority, number) = (urgent as u8, thread.unwrap_or_else(gettid));
    let arguments = ["--fifo", "--pid", &priority.to_string(), &number.to_string()];
    output_of(Command::new("chrt").args(arguments))?;
    hold(thread, core)
}
