//! Text of somebody else in; the same out, without what a terminal would take for more than text, and cut where it is long.
//!
//! Whoever publishes a record chooses its text. What an error quotes of it goes through here.

use core::fmt::{self, Write as _};

/// Characters of a quoted text.
const MOST: usize = 100;

/// A text as an error quotes it: its first 100 characters, as [`Escaped`] has them, and `…` where it goes on.
#[derive(Clone, Copy, Debug)]
pub struct Quoted<'a>(pub &'a str);

/// A text with control and format characters, and what else cannot be seen, as Rust writes them, such as `\u{1b}`. Its length
/// is its own.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(MOST) {
            None => Escaped(self.0).fmt(f),
            Some((end, _)) => write!(f, "{}…", Escaped(&self.0[..end])),
        }
    }
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            // They are seen as they are.
            '"' | '\'' => f.write_char(character),
            other => write!(f, "{}", other.escape_debug()),
        })
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn what_can_be_seen_is_as_it_is_and_the_rest_is_escaped() {
        let cases = [
            ("", ""),
            ("größe any:６４ \"it's\"", "größe any:６４ \"it's\""),
            ("\x1b[2J\r\n\t\0", "\\u{1b}[2J\\r\\n\\t\\0"),
            ("\u{9b}31m\u{7f}", "\\u{9b}31m\\u{7f}"),
            ("a\u{202e}b\u{2066}\u{200b}\u{feff}", "a\\u{202e}b\\u{2066}\\u{200b}\\u{feff}"),
            ("\\u{1b}", "\\\\u{1b}"),
        ];
        for (text, expected) in cases {
            assert_eq!(Quoted(text).to_string(), expected);
        }
    }

    #[test]
    fn what_is_long_is_cut_between_two_characters() {
        let (fits, long) = ("ä".repeat(MOST), "ä".repeat(MOST + 1));
        assert_eq!(Quoted(&fits).to_string(), fits);
        assert_eq!(Quoted(&long).to_string(), fits + "…");
        assert_eq!(Escaped(&long).to_string(), long);
    }
}
