//! The sites that events came from in; a line each out: how many, which share, of which service, why.

use ratatui::{buffer::Buffer, layout::Rect, style::Style};

use super::{
    table::{self, Head, Row, Window, line},
    words,
};
use crate::command::top::{counted::share, rows, state::State, view::Column};

/// Draws where events of the chosen service came from, or of all.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, state: &State) {
    let Some(sourced) = &state.sourced else {
        let paused = if state.paused { "paused: p looks at the events" } else { "no look yet" };
        return line(buffer, area, 0, paused, Style::new());
    };
    let rows = rows::sources(state);
    let list = Rect { height: area.height.saturating_sub(1), ..area };
    if rows.is_empty() {
        let text = match sourced.rate {
            0 => "no events are kept: set events = 100 in [host] of the config",
            _ => "no events in the last minute: all frames were good",
        };
        line(buffer, area, 0, text, Style::new());
    } else {
        let all: u64 = rows.iter().map(|(_, count)| count).sum();
        let site = |site: Option<ipnet::Ipv6Net>| site.map_or_else(|| "(no IPv6)".into(), |site| site.to_string());
        let service = |name: Option<&String>| name.map_or(words::UNKNOWN, String::as_str).to_owned();
        let widest = |cells: &mut dyn Iterator<Item = usize>, least: usize| cells.max().unwrap_or(0).max(least);
        let sites = widest(&mut rows.iter().map(|(origin, _)| site(origin.site).len()), 11);
        let services = widest(&mut rows.iter().map(|(origin, _)| words::width(&service(origin.service.as_ref()))), 8);
        let mut heads = vec![
            Head::left("SOURCE /48", sites, Some(Column::Name)),
            Head::right("EVENTS", 8, Some(Column::Packets)),
            Head::right("SHARE", 6, None),
            Head::left("SERVICE", 0, None),
            Head::left("REASON", 14, None),
        ];
        let left = usize::from(area.width).saturating_sub(table::width(&heads));
        heads[3].width = services.min(left);
        let row = |(origin, count): &(&crate::command::top::sourced::Origin, u64)| Row {
            cells: vec![
                site(origin.site),
                count.to_string(),
                words::percent(share(*count, all)),
                service(origin.service.as_ref()),
                origin.reason.name().into(),
            ],
            style: Style::new(),
            chosen: false,
        };
        let rows: Vec<_> = rows.iter().map(row).collect();
        table::draw(buffer, list, &heads, &rows, &Window { sort: state.sort(), page: state.page });
    }
    let most = format!("a sample: events of the last minute, at most {} a second", sourced.rate);
    let text = match sourced.overwritten {
        0 => most,
        lost => format!("{most}; {lost} came too fast to be read"),
    };
    if sourced.rate > 0 {
        line(buffer, area, usize::from(list.height), &text, Style::new());
    }
}
