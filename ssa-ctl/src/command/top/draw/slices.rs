//! The slices in; a map of the frames that they get, a second, out.

use ratatui::{
    buffer::Buffer,
    layout::Rect,
    style::{Modifier, Style},
};

use super::{Paint, messages::folded, table::line, words};
use crate::command::{
    slices::shade,
    top::{sliced::Cut, state::State},
};

/// Columns of the number of a line's first slice, and the blank behind it.
const NUMBER: usize = 8;

/// Draws the slices of the chosen service, or those of all, one below the other.
pub(super) fn draw(buffer: &mut Buffer, area: Rect, state: &State, paint: Paint) {
    let Some(sliced) = &state.sliced else { return no_look(buffer, area, state) };
    let cuts: Vec<_> = sliced.of(state.chosen.as_deref()).collect();
    if cuts.is_empty() {
        return line(buffer, area, 0, "no service", Style::new());
    }
    let mut left = area;
    for (place, (cut, rates)) in cuts.iter().enumerate() {
        let more = u16::try_from(cuts.len() - place).unwrap_or(u16::MAX);
        // Three lines say something of a service; and one says how many have no room.
        if left.height < 3 && more > 1 {
            let text = format!("… {more} services more: choose one by ↑↓");
            return line(buffer, left, 0, &text, Paint::faint());
        }
        let part = Rect { height: (left.height / more).max(3).min(left.height), ..left };
        let used = match rates {
            Some(rates) => map(buffer, part, cut, rates, paint),
            None => without(buffer, part, cut, state.paused),
        };
        let used = used.min(part.height);
        left = Rect { y: left.y + used, height: left.height - used, ..left };
    }
}

/// Says why nobody has looked at the slices yet.
pub(super) fn no_look(buffer: &mut Buffer, area: Rect, state: &State) {
    let text =
        if state.paused { "paused before the slices were looked at: p goes on" } else { "looking at the slices" };
    line(buffer, area, 0, text, Style::new());
}

/// Says why there are no frames; how many lines that took.
fn without(buffer: &mut Buffer, area: Rect, cut: &Cut, paused: bool) -> u16 {
    let Cut { service, count, frames, .. } = cut;
    let text = match (count, frames) {
        (0, _) => format!("{service}: no slices: set slice_bits for it, and give the config [[endpoint]]s"),
        (_, None) => {
            format!("{service}: {count} slices, not counted: set slice_counters = true for the service, and apply")
        }
        (_, Some(_)) if paused => format!("{service}: {count} slices; paused before there were two looks"),
        (_, Some(_)) => format!("{service}: {count} slices; the next look has their rates"),
    };
    let lines = folded(&text, area.width.into());
    lines.iter().enumerate().for_each(|(place, text)| line(buffer, area, place, text, Style::new()));
    u16::try_from(lines.len()).unwrap_or(u16::MAX)
}

/// Draws the map of a service; how many lines that took.
fn map(buffer: &mut Buffer, area: Rect, cut: &Cut, rates: &[f64], paint: Paint) -> u16 {
    let Cut { service, count, runs, .. } = cut;
    let room = usize::from(area.width).saturating_sub(NUMBER);
    // A power of two, so that lines and places are prefixes.
    let columns = (room / 2 + 1).next_power_of_two().min(*count).max(1);
    let lines = usize::from(area.height).saturating_sub(3).max(1);
    let each = count.div_ceil(columns * lines).next_power_of_two();
    let places: Vec<f64> = rates.chunks(each).map(|chunk| chunk.iter().sum()).collect();
    let most = places.iter().copied().fold(0.0, f64::max);
    let moving = runs.iter().filter(|run| run.handed_over).map(|run| run.last - run.first + 1).sum::<usize>();
    let all = words::rate(Some(rates.iter().sum()));
    let handover = if moving > 0 { format!(", {moving} in handover") } else { String::new() };
    let folded = if each > 1 { format!("; a place is {each} slices") } else { String::new() };
    let title = format!("{service}: {all} frames/s over {count} slices{handover}{folded}");
    line(buffer, area, 0, &words::cut(&title, area.width.into()), Style::new().add_modifier(Modifier::BOLD));
    let rows = places.chunks(columns).take(lines);
    let mut used = 1;
    for (row, places) in rows.enumerate() {
        line(buffer, area, used, &words::fit(&(row * columns * each).to_string(), NUMBER - 1, true), Paint::faint());
        for (column, &rate) in places.iter().enumerate() {
            let at = Rect { x: area.x + u16::try_from(NUMBER + column).unwrap_or(u16::MAX), ..area };
            if at.x < area.right() {
                let shade = shade(whole(rate), whole(most));
                let part = Rect { width: 1, ..at };
                line(buffer, part, used, &shade.to_string(), paint.heat(shade));
            }
        }
        used += 1;
    }
    let busiest = (0..).zip(rates).max_by(|(_, one), (_, other)| one.total_cmp(other)).filter(|(_, rate)| **rate > 0.0);
    let busiest = busiest.map_or_else(String::new, |(slice, rate): (usize, _)| {
        let owner =
            runs.iter().find(|run| (run.first..=run.last).contains(&slice)).and_then(|run| run.endpoint.as_deref());
        format!("; busiest: slice {slice} of {}, {}/s", owner.unwrap_or("no endpoint"), words::rate(Some(*rate)))
    });
    let legend = format!("· none  ░ to █ {} frames/s{busiest}", words::rate(Some(most)));
    line(buffer, area, used, &words::cut(&legend, area.width.into()), Style::new());
    u16::try_from(used + 2).unwrap_or(u16::MAX)
}

/// Thousandths, whole: enough for five shades.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rates are far below, and not negative")]
fn whole(rate: f64) -> u64 {
    (rate * 1000.0).ceil() as u64
}
