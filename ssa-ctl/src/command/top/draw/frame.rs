//! The state in; the lines above and below each view out, and the room that they leave.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{Paint, messages::filled, words};
use crate::command::top::{keys, state::State, view::View};

/// Lines of a screen that has room for all keys, however many lines they take.
const HIGH: u16 = 16;

/// Draws the names of the views, what is shown, and the keys; gives the room between.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, state: &State, paint: Paint) -> Rect {
    views(buffer, area, state.view);
    shown(buffer, area, state, paint);
    let keys = footer(area.width.into(), area.height);
    let height = u16::try_from(keys.len()).unwrap_or(1);
    for (line, text) in (area.bottom() - height..).zip(keys) {
        buffer.set_stringn(area.x, line, text, area.width.into(), Paint::faint());
    }
    // A blank line stands on each side.
    Rect { y: area.y + 3, height: area.height.saturating_sub(height + 4), ..area }
}

/// The view that is shown stands between brackets.
fn views(buffer: &mut Buffer, area: Rect, chosen: View) {
    let names = (1..).zip(View::ALL).map(|(key, view)| (view == chosen, format!("{key} {}", view.name())));
    let names: Vec<_> = names.collect();
    let long = names.iter().map(|(_, name)| name.len() + 2).sum::<usize>() <= area.width.into();
    let mut column = area.x;
    for (key, (is_chosen, name)) in (1..).zip(&names) {
        // Where there is no room, a view is its key.
        let name = if long || *is_chosen { name.clone() } else { format!("{key}") };
        let (text, style) =
            if *is_chosen { (format!("[{name}]"), Paint::chosen()) } else { (format!(" {name} "), Style::new()) };
        let room = area.right().saturating_sub(column);
        (column, _) = buffer.set_stringn(column, area.y, text, room.into(), style);
    }
}

fn shown(buffer: &mut Buffer, area: Rect, state: &State, paint: Paint) {
    let state_of = if state.paused { "PAUSED".to_owned() } else { format!("every {}", state.interval) };
    let service = state.chosen.as_deref().unwrap_or("all services");
    let blocked = match state.blocked {
        0 => String::new(),
        count => format!("{count} blocked  "),
    };
    let left = usize::from(area.width).saturating_sub(blocked.len() + state_of.len() + 1);
    let service = words::fit(&format!(" {service}"), left, false);
    let (column, line) = buffer.set_stringn(area.x, area.y + 1, service + &blocked, left + blocked.len(), Style::new());
    buffer.set_stringn(
        column,
        line,
        state_of,
        usize::from(area.right() - column),
        if state.paused { paint.alarm() } else { Style::new() },
    );
}

/// The keys, in as few lines as hold them; where lines are few, those that name the others.
fn footer(width: usize, height: u16) -> Vec<String> {
    let lines = filled(keys::FOOTER, "  ", width);
    if height >= HIGH || lines.len() == 1 { lines } else { vec![keys::SHORT.join("  ")] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_fit_a_line_of_eighty_and_two_of_forty() {
        assert_eq!(footer(80, 24).len(), 1);
        assert_eq!(footer(60, 24).len(), 2);
        assert!(footer(40, 24).iter().all(|line| words::width(line) <= 40));
        assert_eq!(footer(40, 24).join("  "), keys::FOOTER.join("  "));
        // A low screen has room for one.
        assert_eq!(footer(80, 10), footer(80, 24));
        assert_eq!(footer(40, 10), [keys::SHORT.join("  ")]);
        assert!(words::width(&footer(40, 10)[0]) <= 40);
    }
}
