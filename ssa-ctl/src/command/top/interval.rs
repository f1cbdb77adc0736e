//! The time between two looks: from text, and a step longer or shorter.

use std::{fmt, str::FromStr, time::Duration};

use crate::config::{Seconds, WordError};

/// Whole seconds between two looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval(u64);

/// What `+` and `-` choose among, in seconds.
const STEPS: [u64; 6] = [1, 2, 5, 10, 30, 60];
/// The longest, in seconds.
const LONGEST: u32 = 3600;

impl Interval {
    /// As a time.
    pub(super) const fn time(self) -> Duration {
        Duration::from_secs(self.0)
    }

    /// The next longer one, if there is one.
    pub(super) fn longer(self) -> Self {
        Self(STEPS.into_iter().find(|step| *step > self.0).unwrap_or(self.0))
    }

    /// The next shorter one, if there is one.
    pub(super) fn shorter(self) -> Self {
        Self(STEPS.into_iter().rev().find(|step| *step < self.0).unwrap_or(self.0))
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0)
    }
}

impl FromStr for Interval {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let seconds = text.parse().ok().filter(|Seconds(seconds)| *seconds <= LONGEST);
        seconds.map(|Seconds(seconds)| Self(seconds.into())).ok_or(WordError("an interval is 1s to 1h"))
    }
}

#[cfg(test)]
mod tests {
    use super::Interval;

    #[test]
    fn intervals_are_read_and_stepped() {
        let read = |text: &str| text.parse::<Interval>();
        assert_eq!((read("1s"), read("2m")), (Ok(Interval(1)), Ok(Interval(120))));
        assert_eq!((read("60m"), read("1h")), (Ok(Interval(3600)), Ok(Interval(3600))));
        for wrong in ["", "s", "0s", "1", "2h", "-1s", "61m", "1.5s", "99999999999999999999m", "é", "1é"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!((Interval(1).shorter(), Interval(1).longer()), (Interval(1), Interval(2)));
        assert_eq!((Interval(7).shorter(), Interval(7).longer()), (Interval(5), Interval(10)));
        assert_eq!((Interval(90).shorter(), Interval(90).longer()), (Interval(60), Interval(90)));
    }
}
