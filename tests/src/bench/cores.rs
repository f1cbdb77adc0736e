//! Nothing in; the cores that we may use out, and threads held to one of them.

use anyhow::{Context as _, Result, ensure};
use rustix::{
    process::{Pid, setpriority_process},
    thread::{CpuSet, sched_getaffinity, sched_setaffinity},
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

/// Lets a thread interrupt all others of its core as soon as it has something to do.
pub(super) fn interrupts(thread: Pid) -> Result<()> {
    let mut chrt = std::process::Command::new("chrt");
    output_of(chrt.args(["--fifo", "--pid", "1", &thread.to_string()])).map(drop)
}
