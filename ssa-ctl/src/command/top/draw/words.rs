//! Numbers and names in; words of a width out.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// What is not known.
pub(super) const UNKNOWN: &str = "-";

/// A rate, with four digits or fewer.
pub(super) fn rate(rate: Option<f64>) -> String {
    let Some(rate) = rate else { return UNKNOWN.into() };
    match rate {
        _ if rate <= 0.0 => "0".into(),
        _ if rate < 0.05 => "<0.1".into(),
        _ if rate < 9.95 => format!("{rate:.1}"),
        _ if rate < 9999.5 => format!("{rate:.0}"),
        _ if rate < 999_950.0 => format!("{:.1}k", rate / 1e3),
        _ if rate < 999_995_000.0 => format!("{:.2}M", rate / 1e6),
        _ => format!("{:.2}G", rate / 1e9),
    }
}

/// A share in percent.
pub(super) fn percent(share: Option<f64>) -> String {
    match share {
        None => UNKNOWN.into(),
        Some(share) if share <= 0.0 => "0%".into(),
        Some(share) if share < 0.000_5 => "<0.1%".into(),
        // Not all is all only where it is.
        Some(share) if share < 1.0 => format!("{:.1}%", (share * 100.0).min(99.9)),
        Some(_) => "100%".into(),
    }
}

/// Columns that a text takes.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// The text, or as much of it as there is room for and an ellipsis.
pub(super) fn cut(text: &str, room: usize) -> String {
    if text.width() <= room {
        return text.into();
    }
    let (mut cut, mut left) = (String::new(), room.saturating_sub(1));
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if wide > left {
            break;
        }
        left -= wide;
        cut.push(c);
    }
    if room > 0 {
        cut.push('…');
    }
    cut
}

/// The text in exactly so many columns.
pub(super) fn fit(text: &str, room: usize, right: bool) -> String {
    let text = cut(text, room);
    let blank = " ".repeat(room - text.width());
    if right { blank + &text } else { text + &blank }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_four_digits() {
        let rates = [0.0, 0.01, 0.5, 9.94, 9.96, 1234.4, 9999.6, 54_321.0, 999_949.0, 999_951.0, 2.5e6, 4e9];
        let said = rates.map(|each| rate(Some(each)));
        let expected = ["0", "<0.1", "0.5", "9.9", "10", "1234", "10.0k", "54.3k", "999.9k", "1.00M", "2.50M", "4.00G"];
        assert_eq!(said, expected);
        assert_eq!(rate(None), "-");
    }

    #[test]
    fn all_is_said_of_all_alone() {
        let shares = [None, Some(0.0), Some(0.000_1), Some(0.5), Some(0.999_9), Some(1.0)];
        assert_eq!(shares.map(percent), ["-", "0%", "<0.1%", "50.0%", "99.9%", "100%"]);
    }

    #[test]
    fn long_and_wide_names_end_in_an_ellipsis() {
        assert_eq!(cut("web", 3), "web");
        assert_eq!(cut("storage", 4), "sto…");
        assert_eq!((cut("倉庫番", 4), cut("倉庫番", 5), cut("a", 0)), ("倉…".into(), "倉庫…".into(), String::new()));
        assert_eq!(
            (fit("倉庫番", 4, true), fit("a", 3, true), fit("a", 3, false)),
            (" 倉…".into(), "  a".into(), "a  ".into())
        );
    }
}
