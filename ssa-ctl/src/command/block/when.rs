//! The text of a time in; for how long, or until when, out.

use std::str::FromStr;

use crate::config::{Refusal, Seconds, WordError, moment};

/// For how long a prefix is blocked where nobody says so.
pub(super) const USUAL: For = For(Some(3600));

/// For so many seconds; none: for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct For(pub(super) Option<u64>);

impl FromStr for For {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        if text == "ever" {
            return Ok(Self(None));
        }
        let seconds: Result<Seconds, _> = text.parse();
        seconds
            .map(|Seconds(seconds)| Self(Some(seconds.into())))
            .map_err(|_| WordError("write a time such as 90s, 30m or 24h, or ever"))
    }
}

/// Until this Unix second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Until(u64);

impl Until {
    /// Seconds from now on.
    pub(super) fn from(self, now: u64) -> Result<u64, Refusal> {
        self.0.checked_sub(now).filter(|seconds| *seconds > 0).ok_or_else(|| Refusal {
            message: format!("the Unix second {} is over: it is {now} now", self.0),
            help: "give --until a time to come, or --for how long".into(),
        })
    }
}

impl FromStr for Until {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        const FORM: WordError = WordError("write Unix seconds, or a time such as 2030-01-31T12:00:00Z (RFC 3339)");
        let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
        let unix = if digits { text.parse().ok() } else { moment(text) };
        unix.map(Self).ok_or(FORM)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_unix_seconds() {
        for (text, unix) in [
            ("0", 0),
            ("1700000000", 1_700_000_000),
            ("1970-01-01T00:00:00Z", 0),
            ("2000-02-29T23:59:60Z", 951_868_800),
            ("2023-11-14T22:13:20Z", 1_700_000_000),
            ("2023-11-14t23:13:20.75+01:00", 1_700_000_000),
            ("2023-11-14 20:43:20-01:30", 1_700_000_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799),
        ] {
            assert_eq!(text.parse(), Ok(Until(unix)), "{text}");
        }
        for bad in [
            "",
            "-1",
            "+5",
            "2023-11-14",
            "2023-11-14T22:13:20",
            "2023-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-00-01T00:00:00Z",
            "2023-01-00T00:00:00Z",
            "2023-01-01T24:00:00Z",
            "2023-01-01T00:60:00Z",
            "2023-01-01T00:00:61Z",
            "2023-01-01T00:00:00.Z",
            "2023-01-01T00:00:00+24:00",
            "2023-01-01T00:00:00 Z",
            "1969-12-31T23:59:59Z",
            "2023-1-01T00:00:00Z",
            "tomorrow",
            "äääääääääääääää",
        ] {
            assert!(bad.parse::<Until>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_over_is_refused() {
        assert_eq!(Until(10).from(9), Ok(1));
        assert!(Until(10).from(10).is_err() && Until(10).from(11).is_err());
        assert_eq!("ever".parse(), Ok(For(None)));
        assert_eq!("10m".parse(), Ok(For(Some(600))));
        assert!("".parse::<For>().is_err() && "never".parse::<For>().is_err());
    }
}
