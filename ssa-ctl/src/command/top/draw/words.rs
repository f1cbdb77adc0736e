//! Numbers and names in; words of a width out.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

pub(super) use crate::observe::rate::{UNKNOWN, rate};

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
