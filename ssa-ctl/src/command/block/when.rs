//! The text of a time in; for how long, or until when, out.

use crate::{
    config::{Refusal, Seconds, WordError, moment},
    plan::blocks::Time,
};

/// For how long a prefix is blocked where nobody says so.
pub(super) const USUAL: Time = Time::For(3600);
/// The last second that can be said: the end of the year 9999.
pub(super) const LAST: u64 = 253_402_300_799;

/// For how long.
pub(super) fn time(text: &str) -> Result<Time, WordError> {
    if text == "ever" {
        return Ok(Time::Ever);
    }
    let seconds: Result<Seconds, _> = text.parse();
    seconds
        .map(|Seconds(seconds)| Time::For(seconds.into()))
        .map_err(|_| WordError("write ever, or a time such as 90s, 30m or 24h: 1s at least, 4294967295s at most"))
}

/// Until when.
pub(super) fn until(text: &str) -> Result<Time, WordError> {
    const FORM: WordError =
        WordError("write Unix seconds, or a time such as 2030-01-31T12:00:00Z (RFC 3339), up to the year 9999");
    let digits = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    let unix = if digits { text.parse().ok() } else { moment(text) };
    unix.filter(|unix| *unix <= LAST).map(Time::Until).ok_or(FORM)
}

/// Refuses a time that is over.
pub(super) fn to_come(time: Time, now: u64) -> Result<Time, Refusal> {
    match time {
        Time::Until(unix) if unix <= now => Err(Refusal {
            message: format!("the Unix second {unix} is over: it is {now} now"),
            help: "give --until a time to come, or --for how long".into(),
        }),
        time => Ok(time),
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
            assert_eq!(until(text), Ok(Time::Until(unix)), "{text}");
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
            "253402300800",
            "18446744073709551615",
        ] {
            assert!(until(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_over_is_refused() {
        assert_eq!(to_come(Time::Until(10), 9), Ok(Time::Until(10)));
        assert!(to_come(Time::Until(10), 10).is_err() && to_come(Time::Until(10), 11).is_err());
        assert_eq!((time("ever"), to_come(Time::Ever, 11)), (Ok(Time::Ever), Ok(Time::Ever)));
        assert_eq!(time("10m"), Ok(Time::For(600)));
        for bad in ["", "never", "-5m", "0s", "4294967296s", "99999999999999h"] {
            assert!(time(bad).unwrap_err().0.contains("4294967295s at most"), "{bad}");
        }
    }
}
