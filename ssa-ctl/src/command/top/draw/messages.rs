//! What there is instead of a view, in; its lines out: help, trouble, and a screen that is too small.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
};

use super::{table::line, words};
use crate::command::top::{keys, state::Trouble};

/// The keys, with what they do.
pub(super) fn help(buffer: &mut Buffer, area: Rect) {
    let wide = keys::HELP.iter().map(|(key, _)| words::width(key)).max().unwrap_or(0);
    let mut place = 0;
    for (key, does) in keys::HELP {
        let before = if key.is_empty() { String::new() } else { words::fit(key, wide + 2, false) };
        for text in folded(&(before + does), area.width.into()) {
            line(buffer, area, place, &text, Style::new());
            place += 1;
        }
    }
}

/// Why there is nothing to show, and what would be right.
pub(super) fn trouble(buffer: &mut Buffer, area: Rect, trouble: &Trouble, paused: bool) {
    let hint = trouble.hint.iter().map(|hint| format!("hint: {hint}"));
    let later = if paused { "paused: p looks again" } else { "looks again by itself" };
    let lines = [trouble.message.clone()].into_iter().chain(hint).chain([later.to_owned()]);
    let folded = lines.flat_map(|text| folded(&text, area.width.into()));
    for (place, text) in folded.enumerate() {
        let style = if place == 0 { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
        line(buffer, area, place, &text, style);
    }
}

/// There is no room for anything else.
pub(super) fn too_small(buffer: &mut Buffer, area: Rect, (width, height): (u16, u16)) {
    let text = format!("too small: {}x{}, and {width}x{height} is needed", area.width, area.height);
    for (place, text) in folded(&text, area.width.into()).iter().enumerate() {
        line(buffer, area, place, text, Style::new());
    }
}

/// The text in lines of a width, broken between words.
pub(super) fn folded(text: &str, width: usize) -> Vec<String> {
    filled(text.split(' '), " ", width)
}

/// What follows each other, in as few lines as hold it: between two of a line is a blank.
pub(super) fn filled<'a>(parts: impl IntoIterator<Item = &'a str>, blank: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for part in parts {
        let last = lines.last_mut().expect("there is one");
        if last.is_empty() || words::width(last) + blank.len() + words::width(part) <= width {
            if !last.is_empty() || part.is_empty() {
                last.push_str(blank);
            }
            last.push_str(part);
        } else {
            lines.push(part.into());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::folded;

    #[test]
    fn lines_break_between_words() {
        assert_eq!(folded("one two three", 7), ["one two", "three"]);
        assert_eq!(folded("a   b", 9), ["a   b"]);
        assert_eq!(folded("longer than", 4), ["longer", "than"]);
    }
}
