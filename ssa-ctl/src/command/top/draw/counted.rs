//! Reasons or treatments in; a line each out, with rates, share, total, and the last minutes.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use ssa_common::verdict::Reason;

use super::{
    Paint,
    services::spread,
    table::{self, Head, Row, Window, line},
    words,
};
use crate::command::top::{counted::Line, state::State, view::Column};

/// Draws the lines of counters of what is chosen.
pub(super) fn draw(
    buffer: &mut Buffer,
    area: Rect,
    state: &State,
    title: &'static str,
    lines: &[(&'static str, Line)],
) {
    let chosen = state.chosen.as_deref();
    let Some(total) = state.counted.as_ref().and_then(|counted| counted.total(chosen)) else {
        return line(buffer, area, 0, &format!("there is no service {}", chosen.unwrap_or_default()), Style::new());
    };
    let moved = state.counted.as_ref().and_then(|counted| counted.moved(chosen));
    let wide = usize::from(area.width);
    let (bits, totals) = (wide >= 50, wide >= 58);
    let mut heads = vec![Head::left(title, 0, Some(Column::Name)), Head::right("PACKETS/S", 10, Some(Column::Packets))];
    if bits {
        heads.push(Head::right("BITS/S", 8, Some(Column::Bits)));
    }
    heads.push(Head::right("SHARE", 6, None));
    if totals {
        heads.push(Head::right("TOTAL", 13, Some(Column::Total)));
    }
    let longest = lines.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let bars = spread(&mut heads, wide, longest.max(title.len() + 1));
    let row = |&(name, of): &(&str, Line)| {
        let mut cells = vec![name.to_owned(), words::rate(moved.map(|moved| moved.packets(of)))];
        if bits {
            cells.push(words::rate(moved.map(|moved| moved.bits(of))));
        }
        // What is of no service is no part of what services received.
        let is_outside = matches!(of, Line::Reason(Reason::Other | Reason::Malformed));
        cells.push(words::percent(moved.filter(|_| !is_outside).and_then(|moved| moved.share(of))));
        if totals {
            cells.push(of.of(total).packets.to_string());
        }
        cells.push(state.bars(chosen, of, bars));
        let style = if of.of(total).packets == 0 { Paint::faint() } else { Style::new() };
        Row { cells, style, chosen: false }
    };
    let rows: Vec<_> = lines.iter().map(row).collect();
    table::draw(buffer, area, &heads, &rows, &Window { sort: state.sort(), page: state.page });
}
