//! The services in; a line each out, with rates and the last minutes.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};
use ssa_common::verdict::{Reason, Treatment};

use super::{
    Paint,
    table::{self, Head, Row, Window, line},
    words,
};
use crate::command::top::{
    counted::{Line, Moved},
    rows::{self, ServiceRow},
    state::State,
    view::Column,
};

/// All services in one row.
const ALL: &str = "(all)";
/// Columns of bars, at most: one a second.
const BARS: usize = 120;
/// And at least.
const FEWEST: usize = 8;

/// Draws the services, and in the last line what is of none.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, state: &State, paint: Paint) {
    let rows = rows::services(state);
    let longest = rows.iter().map(|row| words::width(row.name.unwrap_or(ALL)) + 2).max().unwrap_or(0);
    let wide = usize::from(area.width);
    let mut heads =
        vec![Head::left("  SERVICE", 0, Some(Column::Name)), Head::right("PACKETS/S", 10, Some(Column::Packets))];
    let (bits, would_drop) = (wide >= 50, wide >= 76);
    if bits {
        heads.push(Head::right("BITS/S", 8, Some(Column::Bits)));
    }
    heads.push(Head::right("DROPPED", 8, Some(Column::Dropped)));
    if would_drop {
        heads.push(Head::right("WOULD DROP", 11, Some(Column::WouldDrop)));
    }
    let bars = spread(&mut heads, wide, longest.max(10));
    let row = |ServiceRow { name, moved }: &ServiceRow<'_>| {
        let chosen = *name == state.chosen.as_deref();
        let mut cells = vec![format!("{} {}", if chosen { '>' } else { ' ' }, name.unwrap_or(ALL))];
        cells.push(words::rate(moved.map(|moved| moved.packets(Line::Received))));
        if bits {
            cells.push(words::rate(moved.map(|moved| moved.bits(Line::Received))));
        }
        let share = |line| words::percent(moved.and_then(|moved| moved.share(line)));
        cells.push(share(Line::Treatment(Treatment::Drop)));
        if would_drop {
            cells.push(share(Line::WouldDrop));
        }
        cells.push(state.bars(*name, Line::Received, bars));
        Row { cells, style: style(*moved, chosen, paint), chosen }
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    let list = Rect { height: area.height.saturating_sub(1), ..area };
    table::draw(buffer, list, &heads, &rows, &Window { sort: state.sort(), page: 0 });
    line(buffer, area, usize::from(list.height), &outside(state), Paint::faint());
}

/// Gives the first head what its longest word takes, and adds one for the bars, if they have room; how many there are.
pub(super) fn spread(heads: &mut Vec<Head>, wide: usize, longest: usize) -> usize {
    let left = wide.saturating_sub(table::width(heads) + heads[0].width);
    let bars = left.saturating_sub(longest + 1).max(left / 2).min(BARS);
    if bars < FEWEST {
        heads[0].width = left.min(longest);
        return 0;
    }
    heads[0].width = left.saturating_sub(bars + 1).min(longest);
    heads.push(Head::left("LAST 2 MIN", bars, None));
    bars
}

/// What is dropped stands out; what is at rest stands back.
fn style(moved: Option<&Moved>, chosen: bool, paint: Paint) -> Style {
    let dropped = moved.is_some_and(|moved| moved.counts.treatment(Treatment::Drop).packets > 0);
    match moved {
        _ if chosen => Paint::chosen(),
        _ if dropped => paint.alarm(),
        Some(moved) if moved.counts.received.packets == 0 => Paint::faint(),
        _ => Style::new(),
    }
}

fn outside(state: &State) -> String {
    let moved = state.counted.as_ref().and_then(|counted| counted.moved(None));
    let rate = |reason| words::rate(moved.map(|moved| moved.packets(Line::Reason(reason))));
    format!("  to no service: {} other/s, {} malformed/s", rate(Reason::Other), rate(Reason::Malformed))
}
