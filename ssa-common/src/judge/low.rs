//! A suspect in; whether there is room for it, and what low priority is for its service, out (DESIGN §4 step 8).

use super::{Judged, tables::Tables};
use crate::{
    rows::{FLAG_LOW_LIMIT, LOW_OTHERWISE, LowRow, PrefixRow, SuspectsRow},
    verdict::{Treatment, Verdict},
};

impl Judged {
    /// The same frame; dropped for the same reason, if it is a suspect and its service has no room left for those.
    #[inline(always)]
    #[must_use]
    pub fn admitted(self, tables: &impl Tables) -> Self {
        match self.treatment {
            Treatment::LowPriority if self.low & FLAG_LOW_LIMIT != 0 && !tables.has_room(self.bank, self.service) => {
                let cell = Verdict::dropped(self.cell);
                Self { cell, treatment: Treatment::Drop, to: 0, slice: 0, low: 0, ..self }
            }
            Treatment::Pass | Treatment::Forward | Treatment::LowPriority | Treatment::Drop => self,
        }
    }
}

/// What low priority is for this frame beyond the code point: `FLAG_LOW_*`.
#[inline(always)]
pub(super) const fn otherwise(row: &PrefixRow, verdict: Verdict) -> u32 {
    match verdict.treatment {
        Treatment::LowPriority => row.flags & LOW_OTHERWISE,
        Treatment::Pass | Treatment::Forward | Treatment::Drop => 0,
    }
}

/// Takes room for one frame out of a bucket that fills with time, if there is any.
///
/// What is counted is frames times ticks a second, so that a tick adds a whole number whatever the rate.
#[inline(always)]
pub const fn take(low: &LowRow, suspects: &mut SuspectsRow, ticks: u64) -> bool {
    /// More ticks than these fill any bucket, and their product with any rate is in range.
    const LONG: u64 = u32::MAX as u64;
    let passed = ticks.saturating_sub(suspects.ticks);
    let passed = if passed > LONG { LONG } else { passed };
    let (cost, burst) = (low.cost as u64, low.burst as u64);
    let room = suspects.room.saturating_add(passed * low.rate as u64);
    let room = if room > burst { burst } else { room };
    suspects.ticks = ticks;
    suspects.room = if room < cost { room } else { room - cost };
    room >= cost
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames that find room among `tried` at this tick.
    fn taken(low: &LowRow, suspects: &mut SuspectsRow, ticks: u64, tried: u32) -> u32 {
        (0..tried).map(|_| u32::from(take(low, suspects, ticks))).sum()
    }

    #[test]
    fn a_bucket_begins_full_and_has_a_tenth_of_a_second() {
        for (rate, hertz) in [(10, 100), (1000, 250), (10_000_000, 1000), (12_345, 300)] {
            let (low, mut suspects) = (LowRow::limit(rate, hertz), SuspectsRow::default());
            assert_eq!(taken(&low, &mut suspects, 1 << 40, rate), rate / 10, "{rate} at {hertz}");
            assert_eq!(taken(&low, &mut suspects, 1 << 40, 10), 0);
        }
    }

    #[test]
    fn no_frame_is_lost_to_rounding() {
        const SECONDS: u32 = 10;
        for (rate, hertz) in [(1, 1000), (3, 250), (999, 1000), (1001, 1000), (123_457, 300)] {
            let (low, mut suspects) = (LowRow::limit(rate, hertz), SuspectsRow::default());
            let begin = 1 << 40;
            let ticks = begin..=begin + u64::from(SECONDS * hertz);
            let all: u32 = ticks.map(|tick| taken(&low, &mut suspects, tick, rate)).sum();
            assert_eq!(all, SECONDS * rate + low.burst / hertz, "{rate} at {hertz}");
        }
    }

    #[test]
    fn time_that_goes_back_gives_nothing() {
        let (low, mut suspects) = (LowRow::limit(10, 100), SuspectsRow::default());
        assert_eq!(taken(&low, &mut suspects, u64::MAX, 5), 1);
        assert_eq!(taken(&low, &mut suspects, 7, 5), 0);
    }
}
