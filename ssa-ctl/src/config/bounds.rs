//! Slices that follow each other: `7` and `0-15` in, the first and the last out, and back.

use std::{fmt, str::FromStr};

use super::{
    model::Service,
    refusal::Refusal,
    words::{WordError, decimal},
};

/// What runs backwards is no run.
pub(super) const BACKWARDS: WordError = WordError("the first slice of a run is not behind its last");

/// Slices that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The first.
    pub first: u32,
    /// The last, not before the first.
    pub last: u32,
}

impl Bounds {
    /// How many they are.
    pub const fn count(self) -> u32 {
        self.last.saturating_sub(self.first).saturating_add(1)
    }

    /// The same slices in runs that follow each other and have none in common.
    pub fn apart(runs: &[Self]) -> Vec<Self> {
        let mut sorted = runs.to_vec();
        sorted.sort_by_key(|run| run.first);
        let mut apart: Vec<Self> = Vec::new();
        for run in sorted {
            match apart.last_mut() {
                Some(before) if run.first <= before.last => before.last = before.last.max(run.last),
                _ => apart.push(run),
            }
        }
        apart
    }

    /// Whether a service has these slices.
    ///
    /// # Errors
    /// Where it has not; which it has.
    pub fn within(self, service: &Service) -> Result<(), Refusal> {
        let last = (1 << service.slice_bits) - 1;
        if self.last <= last {
            return Ok(());
        }
        let message = format!("the service {} has no slice {}", service.name, self.last);
        Err(Refusal { message, help: format!("its slices are 0 to {last}") })
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last } = self;
        if first == last { write!(f, "{first}") } else { write!(f, "{first}-{last}") }
    }
}

impl FromStr for Bounds {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        const FORM: WordError = WordError("write a slice, or the first and the last of a run, as in 7 or 0-15");
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        let (first, last) = (decimal(first).ok_or(FORM)?, decimal(last).ok_or(FORM)?);
        if first <= last { Ok(Self { first, last }) } else { Err(BACKWARDS) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_come_back_as_they_were_written() {
        for text in ["7", "0-15", "4294967295"] {
            assert_eq!(text.parse::<Bounds>().map(|bounds| bounds.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("10-10".parse(), Ok(Bounds { first: 10, last: 10 }));
    }

    #[test]
    fn runs_that_overlap_are_one() {
        let apart = |texts: &[&str]| {
            let runs: Vec<Bounds> = texts.iter().map(|text| text.parse().unwrap()).collect();
            Bounds::apart(&runs).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(apart(&["0-10", "5-7"]), ["0-10"]);
        assert_eq!(apart(&["5-7", "0-5", "9", "9", "12-20", "10"]), ["0-7", "9", "10", "12-20"]);
        assert_eq!(apart(&[]), [""; 0]);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "a", "1-", "-1", "+1", "1 2", "1-2-3", "0x7", "4294967296"] {
            assert_ne!(text.parse::<Bounds>(), Err(BACKWARDS), "{text}");
            assert!(text.parse::<Bounds>().is_err(), "{text}");
        }
        assert_eq!("3-1".parse::<Bounds>(), Err(BACKWARDS));
    }
}
