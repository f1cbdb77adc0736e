//! The endpoints in; a line each out: slices, share, weight, frames, and what it is about to do.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    slices::no_look,
    table::{self, Head, Row, Window, line},
    words,
};
use crate::command::top::{
    counted::share,
    rows,
    sliced::{Endpoint, Held},
    state::State,
    view::Column,
};

/// Draws the endpoints, with what they have of the chosen service or of all.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, state: &State) {
    let rows = rows::endpoints(state);
    let Some(sliced) = &state.sliced else { return no_look(buffer, area, state) };
    if rows.is_empty() {
        return line(buffer, area, 0, "no endpoints: the config has no [[endpoint]]s", Style::new());
    }
    let slices: usize = rows.iter().map(|(_, held)| held.slices).sum();
    let frames: f64 = rows.iter().filter_map(|(_, held)| held.frames).sum();
    let state_of = |endpoint: &Endpoint| match (endpoint.this_host, endpoint.drain) {
        (true, true) => "this host, draining",
        (true, false) => "this host",
        (false, true) => "draining",
        (false, false) => "",
    };
    let states = rows.iter().map(|(endpoint, _)| state_of(endpoint).len()).max().unwrap_or(0);
    let mut heads = vec![
        Head::left("ENDPOINT", 0, Some(Column::Name)),
        Head::right("SLICES", 8, Some(Column::Slices)),
        Head::right("SHARE", 6, None),
        Head::right("WEIGHT", 7, Some(Column::Weight)),
    ];
    // A short screen has no room for all.
    if area.width >= 58 {
        heads.push(Head::right("FRAMES/S", 9, Some(Column::Frames)));
        heads.push(Head::right("OF ALL", 6, None));
    }
    let fixed = table::width(&heads);
    let states = states.max(5);
    heads.push(Head::left("STATE", states, None));
    let longest = rows.iter().map(|(endpoint, _)| words::width(&endpoint.name)).max().unwrap_or(0).max(9);
    let left = usize::from(area.width).saturating_sub(fixed);
    // What an endpoint is about to do is seen whole, and of its name what has room.
    heads[0].width = longest.min(left.saturating_sub(states + 1).max(6));
    let row = |(endpoint, held): &(&Endpoint, Held)| {
        let Held { slices: own, frames: moved } = *held;
        let mut cells = vec![
            endpoint.name.clone(),
            own.to_string(),
            words::percent(share(own as u64, slices as u64)),
            endpoint.weight.to_string(),
        ];
        if area.width >= 58 {
            cells.push(words::rate(moved));
            cells.push(words::percent(moved.filter(|_| frames > 0.0).map(|moved| moved / frames)));
        }
        cells.push(state_of(endpoint).into());
        Row { cells, style: Style::new(), chosen: false }
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    let list = Rect { height: area.height.saturating_sub(1), ..area };
    table::draw(buffer, list, &heads, &rows, &Window { sort: state.sort(), page: state.page });
    let counted = sliced.of(state.chosen.as_deref()).any(|(cut, _)| cut.frames.is_some());
    if !counted {
        let hint = "frames are not counted by slice: set slice_counters = true for a service";
        line(buffer, area, usize::from(list.height), hint, Style::new());
    }
}
