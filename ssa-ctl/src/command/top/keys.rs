//! A key in; what it asks for out. And the words of the footer and the help.

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::view::View;

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Quit,
    Show(View),
    /// So many views on.
    Turn(usize),
    Pause,
    Sort,
    Reverse,
    Up,
    Down,
    PageUp,
    PageDown,
    Longer,
    Shorter,
    Help,
    CloseHelp,
}

/// Each key with what it does, for the footer.
pub(super) const FOOTER: [&str; 8] =
    ["q quit", "p pause", "s sort", "r reverse", "↑↓ service", "+- interval", "1-6 view", "? help"];

/// Those of a screen that has no room for all.
pub(super) const SHORT: [&str; 4] = ["q quit", "↑↓ service", "1-6 view", "? help"];

/// The same in whole sentences, for the help.
pub(super) const HELP: [(&str, &str); 11] = [
    ("1 to 6", "services, reasons, treatments, slices, endpoints, sources of events"),
    ("Tab, Shift-Tab", "the next view, the one before"),
    ("↑ ↓, k j", "choose a service; the other views show that one, or all"),
    ("PgUp, PgDn", "move through a list that is longer than the screen"),
    ("s", "sort by the next column; ▼ is largest first"),
    ("r", "reverse the order"),
    ("p, space", "pause; rates after it are means over the pause"),
    ("+ -", "look less often, more often"),
    ("?", "this help; Esc closes it"),
    ("q, Ctrl-C", "quit"),
    ("", "Each frame has one reason and one treatment. Bars are the last two minutes, · is nothing."),
];

/// What a key asks for, if anything.
pub(super) fn action(key: KeyEvent) -> Option<Action> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return (key.code == KeyCode::Char('c')).then_some(Action::Quit);
    }
    Some(match key.code {
        KeyCode::Char('q') => Action::Quit,
        KeyCode::Char('p' | ' ') => Action::Pause,
        KeyCode::Char('s') => Action::Sort,
        KeyCode::Char('r') => Action::Reverse,
        KeyCode::Char('+' | '=') => Action::Longer,
        KeyCode::Char('-') => Action::Shorter,
        KeyCode::Char('?' | 'h') => Action::Help,
        KeyCode::Char('k') | KeyCode::Up => Action::Up,
        KeyCode::Char('j') | KeyCode::Down => Action::Down,
        KeyCode::PageUp => Action::PageUp,
        KeyCode::PageDown => Action::PageDown,
        KeyCode::Tab => Action::Turn(1),
        KeyCode::BackTab => Action::Turn(View::ALL.len() - 1),
        KeyCode::Esc => Action::CloseHelp,
        KeyCode::Char(digit) => {
            let place = digit.to_digit(10)?.checked_sub(1)?;
            Action::Show(*View::ALL.get(place as usize)?)
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_ask_for_what_the_footer_says() {
        let press = |code| action(KeyEvent::new(code, KeyModifiers::NONE));
        assert_eq!(press(KeyCode::Char('q')), Some(Action::Quit));
        assert_eq!(action(KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL)), Some(Action::Quit));
        assert_eq!(press(KeyCode::Char('c')), None);
        assert_eq!(press(KeyCode::Char('1')), Some(Action::Show(View::Services)));
        assert_eq!(press(KeyCode::Char('5')), Some(Action::Show(View::Endpoints)));
        assert_eq!((press(KeyCode::Char('0')), press(KeyCode::Char('7'))), (None, None));
        for line in FOOTER {
            let key = line.chars().next().unwrap();
            let code = if key == '↑' { KeyCode::Up } else { KeyCode::Char(key) };
            assert!(press(code).is_some(), "{line}");
        }
    }
}
