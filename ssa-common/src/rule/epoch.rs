//! Epochs: the time and a period in; the epochs that are accepted out.

use crate::rows::{ClockRow, HashedRow, RuleRow, STALE_CLOSED, STALE_LAST};

/// Where the time comes from. Asked only by rules with a period.
pub trait Clock {
    /// The published offset.
    fn published(&self) -> ClockRow;
    /// The running tick counter that the offset is added to.
    fn ticks(&self) -> u64;

    /// Unix time in ticks.
    #[inline(always)]
    fn now(&self) -> u64 {
        self.ticks().wrapping_add(self.published().offset)
    }
}

/// A clock that stands: Unix time in ticks.
#[derive(Clone, Copy, Debug)]
pub struct Fixed(pub u64);

impl Clock for Fixed {
    fn published(&self) -> ClockRow {
        ClockRow { offset: 0, published: self.0 }
    }

    fn ticks(&self) -> u64 {
        self.0
    }
}

/// Which moment's epochs are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Those of now.
    Now,
    /// Those of now and of one period ago: an ICMPv6 error answers a packet that was sent before.
    Past,
}

/// Epochs that are accepted at one moment, at most: one ago, the previous, the current, the next.
pub const MAX_EPOCHS: u64 = 4;

/// The epochs accepted for one field: consecutive, or settled without looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Epochs {
    /// Try these.
    Try {
        /// The current one.
        current: u64,
        /// The newest.
        newest: u64,
        /// How many, 1 to [`MAX_EPOCHS`], counting down.
        count: u64,
    },
    /// The clock is stale and the service says what then: accept, or do not.
    Settled(bool),
}

/// The epochs accepted now for `field`.
#[inline(always)]
pub fn accepted(row: &RuleRow, field: &HashedRow, clock: &impl Clock, window: Window) -> Epochs {
    if field.period == 0 {
        return Epochs::Try { current: 0, newest: 0, count: 1 };
    }
    let (published, ticks) = (clock.published(), clock.ticks());
    // An offset from a tick that this CPU has not seen yet is the freshest there is.
    if row.stale != STALE_LAST && row.max_age != 0 && ticks.saturating_sub(published.published) > row.max_age {
        return Epochs::Settled(row.stale != STALE_CLOSED);
    }
    let now = ticks.wrapping_add(published.offset);
    let current = now / field.period;
    let into = now - current * field.period;
    let previous = u64::from(into < field.skew) + u64::from(window == Window::Past);
    let next = u64::from(field.period - into <= field.skew);
    Epochs::Try { current, newest: current + next, count: 1 + next + previous }
}
