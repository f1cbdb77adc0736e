//! A date and time in; Unix seconds out.

use toml::value::{Datetime, Offset};

/// Unix seconds of a time by RFC 3339 §5.6, from 1970 on; fractions of a second are left out.
pub fn moment(text: &str) -> Option<u64> {
    let time: Datetime = text.parse().ok()?;
    u64::try_from(unix_seconds(&time)?).ok()
}

/// Unix seconds of a date and time with an offset from UTC; none without one.
pub(super) fn unix_seconds(time: &Datetime) -> Option<i64> {
    let (date, clock, offset) = (time.date?, time.time?, time.offset?);
    let offset = match offset {
        Offset::Z => 0,
        Offset::Custom { minutes } => i64::from(minutes) * 60,
    };
    // Years that begin in March, so that the leap day is a year's last; 400 of them have 146,097 days.
    let (year, month) = (i64::from(date.year), i64::from(date.month));
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + i64::from(date.day) - 1;
    // From 0000-03-01 to 1970-01-01.
    let days = days - 719_468;
    let seconds = i64::from(clock.hour) * 3600 + i64::from(clock.minute) * 60 + i64::from(clock.second.unwrap_or(0));
    Some(days * 86_400 + seconds - offset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_unix_seconds() {
        let cases = [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-01-31T12:00:00Z", Some(1_769_860_800)),
            ("2000-02-29T23:59:59Z", Some(951_868_799)),
            ("2024-03-01T01:00:00+01:00", Some(1_709_251_200)),
            ("2038-01-19T03:14:08.5Z", Some(2_147_483_648)),
            ("1969-12-31T23:59:59Z", Some(-1)),
            ("2026-01-31T12:00:00", None),
            ("2026-01-31", None),
            ("12:00:00", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(unix_seconds(&text.parse().unwrap()), seconds, "{text}");
        }
    }
}
