//! The state in; the rows of each view in their order out.

use std::cmp::Ordering;

use ssa_common::verdict::{Reason, Treatment};

use super::{
    counted::{Line, Moved},
    sliced::{Endpoint, Held},
    sourced::Origin,
    state::State,
    view::{Column, View},
};

/// A service, or all of them.
pub(super) struct ServiceRow<'a> {
    /// None: all.
    pub(super) name: Option<&'a str>,
    pub(super) moved: Option<&'a Moved>,
}

/// All services together, unless one alone is looked at; then each.
pub(super) fn services(state: &State) -> Vec<ServiceRow<'_>> {
    let Some(counted) = &state.counted else { return Vec::new() };
    let names = counted.counts.services.iter().map(|(name, _)| name.as_str());
    let mut rows: Vec<_> =
        names.map(|name| ServiceRow { name: Some(name), moved: counted.moved(Some(name)) }).collect();
    if let Some((column, falls)) = state.sort_of(View::Services) {
        let key = |row: &ServiceRow<'_>| row.moved.map_or(-1.0, |moved| of_moved(moved, Line::Received, column));
        rows.sort_by(|one, other| match column {
            Column::Name => turned(one.name.cmp(&other.name), falls),
            _ => order(key(one), key(other), falls).then_with(|| one.name.cmp(&other.name)),
        });
    }
    if state.only.is_none() {
        rows.insert(0, ServiceRow { name: None, moved: counted.moved(None) });
    }
    rows
}

/// The reasons of what is chosen. Those of no service are shown with all of them.
pub(super) fn reasons(state: &State) -> Vec<(&'static str, Line)> {
    let reasons: &[Reason] = if state.chosen.is_none() { &Reason::ALL } else { Reason::OF_SERVICE };
    let mut rows = reasons.iter().map(|&reason| (reason.name(), Line::Reason(reason))).collect();
    sort_lines(state, &mut rows);
    rows
}

/// The treatments; and last, whatever the order, what would have been dropped: it is in one of them already.
pub(super) fn treatments(state: &State) -> Vec<(&'static str, Line)> {
    let mut rows = Treatment::ALL.into_iter().map(|treatment| (treatment.name(), Line::Treatment(treatment))).collect();
    sort_lines(state, &mut rows);
    rows.push(("(would drop)", Line::WouldDrop));
    rows
}

/// The endpoints, with what they have of what is chosen.
pub(super) fn endpoints(state: &State) -> Vec<(&Endpoint, Held)> {
    let Some(sliced) = &state.sliced else { return Vec::new() };
    let held = sliced.held(state.chosen.as_deref());
    let endpoints = sliced.slices.endpoints.iter();
    let mut rows: Vec<_> =
        endpoints.map(|endpoint| (endpoint, held.get(endpoint.name.as_str()).copied().unwrap_or_default())).collect();
    if let Some((column, falls)) = state.sort() {
        rows.sort_by(|(one, of_one), (other, of_other)| {
            let names = one.name.cmp(&other.name);
            let by = match column {
                Column::Slices => turned(of_one.slices.cmp(&of_other.slices), falls),
                Column::Weight => turned(one.weight.cmp(&other.weight), falls),
                Column::Frames => order(of_one.frames.unwrap_or(-1.0), of_other.frames.unwrap_or(-1.0), falls),
                _ => turned(names, falls),
            };
            by.then(names)
        });
    }
    rows
}

/// The origins of the events of what is chosen, and how many each has.
pub(super) fn sources(state: &State) -> Vec<(&Origin, u64)> {
    let Some(sourced) = &state.sourced else { return Vec::new() };
    let mut rows = sourced.origins(state.chosen.as_deref());
    if let Some((column, falls)) = state.sort() {
        rows.sort_by(|(one, of_one), (other, of_other)| match column {
            Column::Name => turned(one.site.cmp(&other.site), falls),
            _ => turned(of_one.cmp(of_other), falls),
        });
    }
    rows
}

/// Those that are equal stay in the order of the list.
fn sort_lines(state: &State, rows: &mut Vec<(&'static str, Line)>) {
    let (Some(counted), Some((column, falls))) = (&state.counted, state.sort()) else { return };
    let chosen = state.chosen.as_deref();
    let (moved, total) = (counted.moved(chosen), counted.total(chosen));
    match column {
        Column::Name => rows.sort_by(|(one, _), (other, _)| turned(one.cmp(other), falls)),
        Column::Total => {
            let key = |line: Line| total.map_or(0, |total| line.of(total).packets);
            rows.sort_by(|(_, one), (_, other)| turned(key(*one).cmp(&key(*other)), falls));
        }
        _ => {
            let key = |line: Line| moved.map_or(-1.0, |moved| of_moved(moved, line, column));
            rows.sort_by(|(_, one), (_, other)| order(key(*one), key(*other), falls));
        }
    }
}

/// What a column has of a line.
fn of_moved(moved: &Moved, line: Line, column: Column) -> f64 {
    match column {
        Column::Bits => moved.bits(line),
        Column::Dropped => moved.share(Line::Treatment(Treatment::Drop)).unwrap_or(-1.0),
        Column::WouldDrop => moved.share(Line::WouldDrop).unwrap_or(-1.0),
        _ => moved.packets(line),
    }
}

fn order(one: f64, other: f64, falls: bool) -> Ordering {
    turned(one.total_cmp(&other), falls)
}

const fn turned(order: Ordering, falls: bool) -> Ordering {
    if falls { order.reverse() } else { order }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{
        super::{
            keys::Action,
            samples::{counts, slices},
        },
        *,
    };

    fn state() -> State {
        let mut state = State::new("1s".parse().unwrap(), None);
        state.count(Duration::from_secs(1), counts(&[("a", 0, 0), ("b", 0, 0), ("c", 0, 0)]));
        state.count(Duration::from_secs(2), counts(&[("a", 20, 15), ("b", 40, 10), ("c", 11, 0), ("new", 7, 7)]));
        state
    }

    fn names(state: &State) -> String {
        services(state).iter().map(|row| row.name.unwrap_or("all")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn services_come_in_the_order_asked_for() {
        let mut state = state();
        assert_eq!(names(&state), "all b a c new");
        state.act(Action::Sort);
        assert_eq!(names(&state), "all b a c new");
        state.act(Action::Sort);
        assert_eq!(names(&state), "all a b c new");
        state.act(Action::Reverse);
        assert_eq!(names(&state), "all new c b a");
        state.act(Action::Sort);
        state.act(Action::Sort);
        assert_eq!(state.sort().unwrap().0, Column::Name);
        state.act(Action::Reverse);
        state.act(Action::Reverse);
        assert_eq!(names(&state), "all new c b a");
    }

    #[test]
    fn one_service_alone_has_no_row_for_all() {
        let mut state = State::new("1s".parse().unwrap(), Some("a".into()));
        state.count(Duration::from_secs(1), counts(&[("a", 0, 0)]));
        assert_eq!(names(&state), "a");
    }

    #[test]
    fn reasons_of_no_service_are_with_all() {
        let mut state = state();
        state.act(Action::Show(View::Reasons));
        let rows = reasons(&state);
        assert_eq!((rows.len(), rows[0].0, rows[1].0), (17, "conform", "field-mismatch"));
        state.act(Action::Down);
        assert_eq!(reasons(&state).len(), 15);
        state.act(Action::Show(View::Treatments));
        state.act(Action::Reverse);
        assert_eq!(
            treatments(&state).iter().map(|row| row.0).collect::<Vec<_>>(),
            ["forward", "lowprio", "drop", "pass", "(would drop)"]
        );
    }

    #[test]
    fn endpoints_are_sorted_by_what_they_have() {
        let mut state = state();
        state.act(Action::Show(View::Endpoints));
        state.slice(Duration::from_secs(1), slices(&["a", "b", "b"], Some(&[0, 0, 0])));
        state.slice(Duration::from_secs(2), slices(&["a", "b", "b"], Some(&[9, 1, 1])));
        let names = |state: &State| endpoints(state).iter().map(|(row, _)| row.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&state), ["a", "b"]);
        state.act(Action::Sort);
        assert_eq!(names(&state), ["b", "a"]);
        state.act(Action::Sort);
        state.act(Action::Sort);
        assert_eq!((state.sort(), names(&state)), (Some((Column::Frames, true)), vec!["a".into(), "b".into()]));
    }
}
