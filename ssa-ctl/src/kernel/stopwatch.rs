//! A program and a frame in; the nanoseconds that a run takes out.

use std::{
    os::fd::{AsFd, OwnedFd},
    time::Duration,
};

use anyhow::Context as _;
use aya_obj::generated::bpf_insn;
use rustix::{
    thread::{CpuSet, sched_getaffinity, sched_getcpu, sched_setaffinity},
    time::{ClockId, clock_gettime},
};

use super::sys;

/// Runs in one call. The call itself takes the CPU a third of a millisecond, for every program alike: what is left of
/// that in a difference of two figures is below a tenth of a nanosecond.
pub const RUNS: u32 = 300_000;

/// A program that passes every frame unseen: what it takes is the kernel's own, and the machine's.
pub struct Empty(OwnedFd);

impl Empty {
    /// Loads it.
    pub fn load() -> anyhow::Result<Self> {
        let instruction = |code, imm| bpf_insn {
            code,
            _bitfield_align_1: [],
            _bitfield_1: bpf_insn::new_bitfield_1(0, 0),
            off: 0,
            imm,
        };
        // r0 = XDP_PASS; exit.
        let instructions = [instruction(0xb7, 2), instruction(0x95, 0)];
        sys::load_xdp(&instructions).map(Self).context("cannot load an empty program")
    }

    /// Nanoseconds a run.
    pub fn time(&self, frame: &[u8]) -> anyhow::Result<f64> {
        time(&self.0, frame).context("cannot run an empty program")
    }
}

/// Nanoseconds a run, of [`RUNS`] runs. It is this thread's time on the CPU that counts: others may run meanwhile, and
/// the call waits for the kernel before it begins.
pub(super) fn time(program: impl AsFd, frame: &[u8]) -> anyhow::Result<f64> {
    let begin = cpu_time();
    sys::run(program, frame, None, RUNS)?;
    Ok(cpu_time().saturating_sub(begin).as_secs_f64() * 1e9 / f64::from(RUNS))
}

/// What runs on one frame came to.
#[derive(Clone, Copy, Debug)]
pub struct Ran {
    /// The action of the last run.
    pub action: u32,
    /// The mean time of a run by the kernel's clock, cut to whole nanoseconds.
    pub nanos: u32,
}

/// Runs any XDP program so many times on one frame; `linear` octets of it in the linear part (Linux 6.18). What one run
/// writes to the frame, the next one reads.
pub fn run(program: impl AsFd, frame: &[u8], linear: Option<u32>, times: u32) -> anyhow::Result<Ran> {
    let (action, nanos) = sys::run(program, frame, linear, times).context("cannot run a program")?;
    Ok(Ran { action, nanos })
}

/// CPU time that this thread has used.
pub fn cpu_time() -> Duration {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Keeps this thread on the CPU that it is on, until dropped: figures of two CPUs are not comparable.
pub struct OneCpu(CpuSet);

impl OneCpu {
    /// Begins.
    pub fn stay() -> anyhow::Result<Self> {
        let before = sched_getaffinity(None).context("cannot ask for this thread's CPUs")?;
        let mut one = CpuSet::new();
        one.set(sched_getcpu());
        sched_setaffinity(None, &one).context("cannot keep this thread on one CPU")?;
        Ok(Self(before))
    }
}

impl Drop for OneCpu {
    fn drop(&mut self) {
        // A thread that stays where it is does no harm.
        let _ = sched_setaffinity(None, &self.0);
    }
}
