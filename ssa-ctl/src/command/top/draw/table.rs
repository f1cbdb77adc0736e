//! Columns and rows in; the lines of them that there is room for, out.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
};

use super::words;
use crate::command::top::view::Column;

/// A column.
pub(super) struct Head {
    pub(super) title: &'static str,
    pub(super) width: usize,
    pub(super) right: bool,
    /// What rows are sorted by, if they can be by this one.
    pub(super) sorts: Option<Column>,
}

/// A row.
pub(super) struct Row {
    pub(super) cells: Vec<String>,
    pub(super) style: Style,
    /// It must be seen.
    pub(super) chosen: bool,
}

/// Which rows are seen.
pub(super) struct Window {
    pub(super) sort: Option<(Column, bool)>,
    /// Screens down, where no row is chosen.
    pub(super) page: usize,
}

impl Head {
    /// A column of words.
    pub(super) const fn left(title: &'static str, width: usize, sorts: Option<Column>) -> Self {
        Self { title, width, right: false, sorts }
    }

    /// A column of numbers.
    pub(super) const fn right(title: &'static str, width: usize, sorts: Option<Column>) -> Self {
        Self { title, width, right: true, sorts }
    }
}

/// Columns that heads take, with the blanks between.
pub(super) fn width(heads: &[Head]) -> usize {
    heads.iter().map(|head| head.width + 1).sum::<usize>().saturating_sub(1)
}

/// Draws the heads and the rows.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, heads: &[Head], rows: &[Row], window: &Window) {
    let title = |head: &Head| match window.sort {
        Some((column, falls)) if head.sorts == Some(column) => {
            words::fit(&format!("{}{}", head.title, if falls { '▼' } else { '▲' }), head.width, head.right)
        }
        _ => words::fit(head.title, head.width, head.right),
    };
    let titles: Vec<_> = heads.iter().map(title).collect();
    line(buffer, area, 0, &titles.join(" "), Style::new().add_modifier(Modifier::BOLD));
    let room = usize::from(area.height).saturating_sub(1);
    let (first, shown) = seen(rows, room, window.page);
    for (place, row) in (1..).zip(&rows[first..first + shown]) {
        let cells = row.cells.iter().zip(heads).map(|(cell, head)| words::fit(cell, head.width, head.right));
        line(buffer, area, place, &cells.collect::<Vec<_>>().join(" "), row.style);
    }
    if shown < rows.len() && room > 0 {
        let more = match shown {
            0 => format!("… {} rows", rows.len()),
            _ => format!("… rows {} to {} of {}", first + 1, first + shown, rows.len()),
        };
        line(buffer, area, room, &more, Style::new().add_modifier(Modifier::DIM));
    }
}

/// One line of an area.
pub(super) fn line(buffer: &mut Buffer, area: Rect, place: usize, text: &str, style: Style) {
    let Ok(place) = u16::try_from(place) else { return };
    if place < area.height {
        buffer.set_stringn(area.x, area.y + place, text, area.width.into(), style);
    }
}

/// The first row that is seen, and how many: all, or those that leave a line to say so.
fn seen(rows: &[Row], room: usize, page: usize) -> (usize, usize) {
    if rows.len() <= room {
        return (0, rows.len());
    }
    let shown = room.saturating_sub(1);
    let last = rows.len() - shown;
    let first = match rows.iter().position(|row| row.chosen) {
        Some(chosen) => (chosen + 1).saturating_sub(shown),
        None => page.saturating_mul(shown),
    };
    (first.min(last), shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(count: usize, chosen: Option<usize>) -> Vec<Row> {
        let row = |place| Row { cells: vec![format!("r{place}")], style: Style::new(), chosen: chosen == Some(place) };
        (0..count).map(row).collect()
    }

    #[test]
    fn what_is_chosen_is_seen() {
        assert_eq!(seen(&rows(5, None), 5, 9), (0, 5));
        assert_eq!(seen(&rows(9, Some(0)), 5, 0), (0, 4));
        assert_eq!(seen(&rows(9, Some(6)), 5, 0), (3, 4));
        assert_eq!(seen(&rows(9, None), 5, 1), (4, 4));
        assert_eq!(seen(&rows(9, None), 5, usize::MAX), (5, 4));
        assert_eq!(seen(&rows(9, Some(3)), 0, 0), (4, 0));
    }

    #[test]
    fn a_long_list_says_what_is_seen_of_it() {
        let area = Rect::new(0, 0, 18, 4);
        let mut buffer = Buffer::empty(area);
        let heads = [Head::left("NAME", 18, Some(Column::Name))];
        draw(&mut buffer, area, &heads, &rows(9, None), &Window { sort: Some((Column::Name, false)), page: 1 });
        let lines = ["NAME▲             ", "r2                ", "r3                ", "… rows 3 to 4 of 9"];
        let text: Vec<String> =
            buffer.content().chunks(18).map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect()).collect();
        assert_eq!(text, lines);
        let area = Rect { height: 2, ..area };
        let mut buffer = Buffer::empty(area);
        draw(&mut buffer, area, &heads, &rows(9, None), &Window { sort: None, page: 1 });
        let text: String = buffer.content()[18..].iter().map(ratatui::buffer::Cell::symbol).collect();
        assert_eq!(text.trim_end(), "… 9 rows");
        assert_eq!(width(&heads), 18);
    }
}
