//! A program and a frame in; the CPU time of one run out.

use std::{ops::RangeInclusive, time::Duration};

use anyhow::{Result, ensure};
use aya::{
    maps::{MapData, ProgramArray},
    programs::ProgramFd,
};
use ssa_ctl::kernel::stopwatch::{self, Ran, cpu_time};

/// How long one measurement takes, beside what the call takes. Longer, and what else wants the CPU gets in between.
const MEASUREMENT: Duration = Duration::from_millis(18);
/// Runs by which the repetitions are found.
const TRIAL: u32 = 20_000;
const REPEAT: RangeInclusive<u32> = 10_000..=1_000_000;
/// Where nothing depends on it.
const BRIEF: u32 = 1_000;

/// A program, and the frame it is given.
pub(super) struct Subject {
    program: ProgramFd,
    frame: Vec<u8>,
    linear: Option<u32>,
    action: u32,
    repeat: u32,
    runs: u64,
    _slot: Option<ProgramArray<MapData>>,
}

impl Subject {
    /// `action` is what the program must say of the frame, each time it is measured.
    pub(super) const fn new(program: ProgramFd, frame: Vec<u8>, linear: Option<u32>, action: u32) -> Self {
        Self { program, frame, linear, action, repeat: BRIEF, runs: 0, _slot: None }
    }

    /// Keeps a map for tail calls open: the kernel forgets what is in it when nobody holds it.
    pub(super) fn holding(self, slot: ProgramArray<MapData>) -> Self {
        Self { _slot: Some(slot), ..self }
    }

    /// How often the program ran since.
    pub(super) const fn runs(&self) -> u64 {
        self.runs
    }

    /// From here on is counted what is measured.
    pub(super) const fn begin(&mut self) {
        self.runs = 0;
    }

    /// Finds out how many runs make a measurement.
    pub(super) fn calibrate(&mut self) -> Result<()> {
        let nanos = self.run(TRIAL)?.nanos.max(1);
        let repeat = u32::try_from(MEASUREMENT.as_nanos() / u128::from(nanos)).unwrap_or(u32::MAX);
        self.repeat = repeat.clamp(*REPEAT.start(), *REPEAT.end());
        Ok(())
    }

    /// One measurement: nanoseconds of CPU time that a run takes, where `call` is what a call takes without the runs.
    ///
    /// The kernel's own answer is cut to whole nanoseconds. So the time is taken outside: what this thread has used, in
    /// which others that had the CPU meanwhile have no part.
    pub(super) fn measure(&mut self, call: Duration) -> Result<f64> {
        let begun = cpu_time();
        self.run(self.repeat)?;
        let took = cpu_time().saturating_sub(begun).saturating_sub(call);
        Ok(took.as_secs_f64() * 1e9 / f64::from(self.repeat))
    }

    /// CPU time of a call. It is some hundred microseconds, as the kernel rewrites the code by which it calls the program
    /// wherever that runs twice or more.
    pub(super) fn call(&mut self) -> Result<Duration> {
        let begun = cpu_time();
        self.run(2)?;
        Ok(cpu_time().saturating_sub(begun))
    }

    /// Runs it so many times; it must get its action.
    pub(super) fn run(&mut self, times: u32) -> Result<Ran> {
        let ran = stopwatch::run(&self.program, &self.frame, self.linear, times)?;
        ensure!(ran.action == self.action, "the action is {}, and should be {}", ran.action, self.action);
        self.runs += u64::from(times);
        Ok(ran)
    }
}
