//! The state in; a whole screen out, for any size of it.

mod counted;
mod endpoints;
mod frame;
mod messages;
mod services;
mod slices;
mod sources;
mod table;
mod words;

#[cfg(test)]
mod tests;

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Color, Modifier, Style},
};

use super::{rows, state::State, view::View};

/// Below this nothing of use has room.
const SMALLEST: (u16, u16) = (40, 10);

/// How things stand out. Each has a word or a sign besides.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paint {
    /// Colours are wanted.
    pub(super) colours: bool,
}

/// Draws all.
pub(super) fn draw(state: &State, paint: Paint, area: Rect) -> Buffer {
    let mut buffer = Buffer::empty(area);
    if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
        messages::too_small(&mut buffer, area, SMALLEST);
        return buffer;
    }
    let body = frame::draw(&mut buffer, area, state, paint);
    if state.help {
        messages::help(&mut buffer, body);
    } else if let Some(trouble) = &state.trouble {
        messages::trouble(&mut buffer, body, trouble, state.paused);
    } else {
        match state.view {
            View::Services => services::draw(&mut buffer, body, state, paint),
            View::Reasons => counted::draw(&mut buffer, body, state, "REASON", &rows::reasons(state)),
            View::Treatments => counted::draw(&mut buffer, body, state, "TREATMENT", &rows::treatments(state)),
            View::Slices => slices::draw(&mut buffer, body, state, paint),
            View::Endpoints => endpoints::draw(&mut buffer, body, state),
            View::Sources => sources::draw(&mut buffer, body, state),
        }
    }
    buffer
}

impl Paint {
    /// What an operator should look at.
    fn alarm(self) -> Style {
        let style = Style::new().add_modifier(Modifier::BOLD);
        if self.colours { style.fg(Color::Red) } else { style }
    }

    /// What is at rest.
    fn faint() -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// What is chosen.
    fn chosen() -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// A place of the heat map, by its shade.
    fn heat(self, shade: char) -> Style {
        match shade {
            _ if !self.colours => Style::new(),
            '█' => Style::new().fg(Color::Red),
            '▓' => Style::new().fg(Color::Yellow),
            '▒' | '░' => Style::new().fg(Color::Green),
            _ => Self::faint(),
        }
    }
}
