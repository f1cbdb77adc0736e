//! The kernel's ticks and the wall clock in; the offset between them out.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, ensure};
use aya::programs::{TestRun as _, TestRunOptions, Xdp};
use rustix::time::{ClockId, clock_getres, clock_gettime};
use ssa_common::rows::ClockRow;

/// Ticks a second of this kernel (its HZ): what a coarse clock resolves.
pub fn hertz() -> anyhow::Result<u32> {
    const SECOND: i64 = 1_000_000_000;
    let tick = clock_getres(ClockId::MonotonicCoarse).tv_nsec;
    ensure!(tick > 0 && tick <= SECOND, "the coarse clock resolves {tick} ns, which is no tick");
    Ok(u32::try_from((SECOND + tick / 2) / tick)?)
}

/// The time now, for a command that began at `began`: it may have waited long for the lock.
pub fn now(began: SystemTime) -> SystemTime {
    began + began.elapsed().unwrap_or_default()
}

/// How jiffies lie to the monotonic clock: a constant of the boot but for its rounding.
#[derive(Clone, Copy, Debug)]
pub struct Ticks {
    jiffies: u64,
    monotonic: Duration,
    hertz: u32,
}

impl Ticks {
    /// Reads both clocks at one moment, by a run of the probe.
    pub fn read(probe: &mut Xdp) -> anyhow::Result<Self> {
        let mut out = [0u8; 64];
        let options = TestRunOptions { data_in: Some(&[0; 64]), data_out: Some(&mut out), ..TestRunOptions::default() };
        probe.test_run(options).context("cannot run the clock probe")?;
        let word = |at: usize| out[at..].first_chunk().map_or(0, |octets| u64::from_ne_bytes(*octets));
        Ok(Self { jiffies: word(0), monotonic: Duration::from_nanos(word(8)), hertz: hertz()? })
    }

    /// Jiffies now.
    pub fn now(&self) -> u64 {
        let now = monotonic();
        let ticks = |time: Duration| self.ticks(time);
        self.jiffies.wrapping_add(ticks(now)).wrapping_sub(ticks(self.monotonic))
    }

    /// The row by which jiffies tell the wall clock's time, as it is now.
    pub fn row(&self, now: SystemTime) -> ClockRow {
        let unix = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let jiffies = self.now();
        ClockRow { offset: self.ticks(unix).wrapping_sub(jiffies), published: jiffies }
    }

    /// By how much `row` is wrong now, in seconds; positive where it is ahead.
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    pub fn error(&self, row: ClockRow, now: SystemTime) -> f64 {
        row.offset.wrapping_sub(self.row(now).offset).cast_signed() as f64 / f64::from(self.hertz)
    }

    /// Seconds since `row` was published.
    pub fn age(&self, row: ClockRow) -> u64 {
        self.now().wrapping_sub(row.published) / u64::from(self.hertz)
    }

    /// Ticks a second.
    pub const fn hertz(&self) -> u32 {
        self.hertz
    }

    fn ticks(&self, time: Duration) -> u64 {
        let ticks = time.as_nanos() * u128::from(self.hertz) / 1_000_000_000;
        u64::try_from(ticks).unwrap_or(u64::MAX)
    }
}

fn monotonic() -> Duration {
    let now = clock_gettime(ClockId::Monotonic);
    Duration::new(now.tv_sec.unsigned_abs(), u32::try_from(now.tv_nsec).unwrap_or(0))
}
