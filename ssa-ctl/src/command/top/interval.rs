//! The time between two looks: from text, and a step longer or shorter.

use std::{fmt, str::FromStr, time::Duration};

/// Whole seconds between two looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interval(u64);

/// What `+` and `-` choose among, in seconds.
const STEPS: [u64; 6] = [1, 2, 5, 10, 30, 60];
/// The longest, in seconds.
const LONGEST: u64 = 3600;

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
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = match text.split_at_checked(text.len().wrapping_sub(1)) {
            Some((number, "s")) => number.parse().ok(),
            Some((number, "m")) => number.parse::<u64>().ok().and_then(|minutes| minutes.checked_mul(60)),
            _ => None,
        };
        match seconds.filter(|seconds| (1..=LONGEST).contains(seconds)) {
            Some(seconds) => Ok(Self(seconds)),
            None => Err("an interval is 1s to 60m, in whole seconds or minutes".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Interval;

    #[test]
    fn intervals_are_read_and_stepped() {
        let read = |text: &str| text.parse::<Interval>();
        assert_eq!((read("1s"), read("2m")), (Ok(Interval(1)), Ok(Interval(120))));
        for wrong in ["", "s", "0s", "1", "1h", "-1s", "61m", "1.5s", "99999999999999999999m", "é", "1é"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
        assert_eq!((Interval(1).shorter(), Interval(1).longer()), (Interval(1), Interval(2)));
        assert_eq!((Interval(7).shorter(), Interval(7).longer()), (Interval(5), Interval(10)));
        assert_eq!((Interval(90).shorter(), Interval(90).longer()), (Interval(60), Interval(90)));
    }
}
