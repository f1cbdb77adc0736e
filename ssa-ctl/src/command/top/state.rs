//! Looks and keys in; what is to be shown out. No clock and no terminal.

use std::{collections::BTreeMap, time::Duration};

use super::{
    counted::{Counted, Line},
    history::History,
    interval::Interval,
    keys::Action,
    rows,
    sliced::{Sliced, Slices},
    sourced::{Events, Sourced},
    view::{Column, View},
};
use crate::observe::counters::Counts;

/// All that the screen depends on.
#[derive(Debug)]
pub(super) struct State {
    pub(super) view: View,
    /// The service that the views show; none: all.
    pub(super) chosen: Option<String>,
    /// Nothing but this service is looked at.
    pub(super) only: Option<String>,
    pub(super) paused: bool,
    pub(super) help: bool,
    pub(super) interval: Interval,
    /// Screens down a list.
    pub(super) page: usize,
    /// Why there is nothing to show.
    pub(super) trouble: Option<Trouble>,
    pub(super) counted: Option<Counted>,
    /// Source prefixes that are blocked.
    pub(super) blocked: u64,
    pub(super) sliced: Option<Sliced>,
    pub(super) sourced: Option<Sourced>,
    sorts: [Sort; View::ALL.len()],
    histories: BTreeMap<String, History>,
    of_all: History,
}

/// What a look has met instead of counters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trouble {
    pub(super) message: String,
    pub(super) hint: Option<String>,
}

/// How a view is sorted.
#[derive(Clone, Copy, Debug, Default)]
struct Sort {
    /// Among the columns of the view.
    place: usize,
    reversed: bool,
}

/// What is to be done after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Draw,
    Quit,
    /// Look at once: what was shown is old.
    Look,
    /// Look at the slices at once: nobody did before.
    LookAtSlices,
    /// The same for events.
    LookAtEvents,
    /// The interval is another.
    Retime,
}

impl State {
    pub(super) fn new(interval: Interval, only: Option<String>) -> Self {
        Self {
            view: View::default(),
            chosen: only.clone(),
            only,
            paused: false,
            help: false,
            interval,
            page: 0,
            trouble: None,
            counted: None,
            blocked: 0,
            sliced: None,
            sourced: None,
            sorts: [Sort::default(); View::ALL.len()],
            histories: BTreeMap::new(),
            of_all: History::default(),
        }
    }

    /// Takes what a look at the counters has found.
    pub(super) fn count(&mut self, at: Duration, counts: Counts) {
        let counted = Counted::new(at, counts, self.counted.as_ref());
        let is_there = |name: &str| counted.counts.services.iter().any(|(other, _)| other == name);
        self.histories.retain(|name, _| is_there(name));
        if self.only.is_none() && self.chosen.as_deref().is_some_and(|name| !is_there(name)) {
            self.chosen = None;
        }
        for (name, moved) in &counted.moved {
            self.histories.entry(name.clone()).or_default().keep(at, moved);
        }
        if let Some(all) = &counted.all {
            self.of_all.keep(at, all);
        }
        self.trouble = None;
        self.counted = Some(counted);
    }

    /// Takes how many source prefixes are blocked.
    pub(super) const fn block(&mut self, blocked: u64) {
        self.blocked = blocked;
    }

    /// Takes what a look at the slices has found.
    pub(super) fn slice(&mut self, at: Duration, slices: Slices) {
        self.sliced = Some(Sliced::new(at, slices, self.sliced.as_ref()));
    }

    /// Takes what a look at the events has found.
    pub(super) fn source(&mut self, at: Duration, events: Events) {
        self.sourced.get_or_insert_default().take(at, events);
    }

    /// A look has found nothing: what comes next is counted from its own begin.
    pub(super) fn fail(&mut self, trouble: Trouble) {
        (self.counted, self.sliced, self.sourced, self.trouble) = (None, None, None, Some(trouble));
        self.blocked = 0;
    }

    /// Does what a key asks for.
    pub(super) fn act(&mut self, action: Action) -> Next {
        match action {
            Action::Quit => return Next::Quit,
            Action::Show(view) => return self.show(view),
            Action::Turn(places) => return self.show(self.view.turn(places)),
            Action::Pause => {
                self.paused = !self.paused;
                return if self.paused { Next::Draw } else { Next::Look };
            }
            Action::Sort => {
                let columns = self.view.columns().len();
                self.sorts[self.view as usize].place += 1;
                self.sorts[self.view as usize].place %= columns.max(1);
            }
            Action::Reverse => self.sorts[self.view as usize].reversed ^= true,
            Action::Up => self.choose(|place, _| place.saturating_sub(1)),
            Action::Down => self.choose(|place, last| (place + 1).min(last)),
            Action::PageUp => self.page = self.page.saturating_sub(1),
            Action::PageDown => self.page = self.page.saturating_add(1),
            Action::Longer => return self.retime(self.interval.longer()),
            Action::Shorter => return self.retime(self.interval.shorter()),
            Action::Help => self.help ^= true,
            Action::CloseHelp => self.help = false,
        }
        Next::Draw
    }

    fn show(&mut self, view: View) -> Next {
        (self.view, self.page, self.help) = (view, 0, false);
        if !view.needs_slices() {
            // Nobody looks at them meanwhile.
            self.sliced = None;
        } else if self.sliced.is_none() && !self.paused {
            return Next::LookAtSlices;
        }
        // What came meanwhile is still in the rings.
        if view.needs_events() && !self.paused { Next::LookAtEvents } else { Next::Draw }
    }

    fn retime(&mut self, interval: Interval) -> Next {
        if interval == self.interval {
            return Next::Draw;
        }
        self.interval = interval;
        Next::Retime
    }

    /// Moves the choice among the services, in the order in which they are shown.
    fn choose(&mut self, place: impl FnOnce(usize, usize) -> usize) {
        let names: Vec<_> = rows::services(self).into_iter().map(|row| row.name.map(str::to_owned)).collect();
        let Some(last) = names.len().checked_sub(1) else { return };
        let now = names.iter().position(|name| *name == self.chosen).unwrap_or(0);
        self.chosen.clone_from(&names[place(now, last)]);
        self.page = 0;
    }

    /// What the view is sorted by, and whether the largest comes first.
    pub(super) fn sort(&self) -> Option<(Column, bool)> {
        self.sort_of(self.view)
    }

    /// The same of any view.
    pub(super) fn sort_of(&self, view: View) -> Option<(Column, bool)> {
        let Sort { place, reversed } = self.sorts[view as usize];
        let column = *view.columns().get(place)?;
        Some((column, column.falls() != reversed))
    }

    /// The last minutes of a line as bars: of a service, or of all.
    pub(super) fn bars(&self, service: Option<&str>, line: Line, columns: usize) -> String {
        let history = service.map_or(Some(&self.of_all), |name| self.histories.get(name));
        let now = self.counted.as_ref().map_or(Duration::ZERO, |counted| counted.at);
        history.map_or_else(|| " ".repeat(columns), |history| history.bars(line, now, columns))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::samples::{counts, slices},
        *,
    };

    fn state() -> State {
        let mut state = State::new("1s".parse().unwrap(), None);
        state.count(Duration::from_secs(1), counts(&[("a", 10, 0), ("b", 10, 0), ("c", 10, 0)]));
        state.count(Duration::from_secs(2), counts(&[("a", 20, 9), ("b", 40, 0), ("c", 11, 1)]));
        state
    }

    #[test]
    fn up_and_down_follow_what_is_shown() {
        let mut state = state();
        let mut go = |action| {
            state.act(action);
            state.chosen.clone()
        };
        let name = |name: &str| Some(name.to_owned());
        assert_eq!([Action::Down, Action::Down].map(&mut go), [name("b"), name("a")]);
        assert_eq!([Action::Down, Action::Down, Action::Up].map(&mut go), [name("c"), name("c"), name("a")]);
        go(Action::Reverse);
        assert_eq!([Action::Up, Action::Up].map(&mut go), [name("c"), None]);
    }

    #[test]
    fn a_service_that_goes_is_chosen_no_more() {
        let mut state = state();
        state.act(Action::Down);
        assert_eq!(state.chosen.as_deref(), Some("b"));
        state.count(Duration::from_secs(3), counts(&[("a", 20, 9)]));
        assert_eq!(state.chosen, None);
        assert_eq!(state.histories.keys().collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn slices_are_looked_at_where_they_are_shown() {
        let mut state = state();
        assert_eq!(state.act(Action::Show(View::Slices)), Next::LookAtSlices);
        state.slice(Duration::from_secs(3), slices(&["a"], None));
        assert_eq!(state.act(Action::Turn(1)), Next::Draw);
        assert_eq!(state.act(Action::Turn(1)), Next::LookAtEvents);
        assert_eq!(state.act(Action::Turn(1)), Next::Draw);
        assert!(state.view == View::Services && state.sliced.is_none());
        state.act(Action::Pause);
        assert_eq!(state.act(Action::Show(View::Slices)), Next::Draw);
        assert_eq!(state.act(Action::Pause), Next::Look);
    }

    #[test]
    fn after_trouble_rates_begin_anew() {
        let mut state = state();
        state.fail(Trouble { message: "nothing is loaded".into(), hint: None });
        state.count(Duration::from_secs(9), counts(&[("a", 1_000_000, 0)]));
        assert!(state.trouble.is_none() && state.counted.as_ref().unwrap().all.is_none());
        state.count(Duration::from_secs(10), counts(&[("a", 1_000_007, 0)]));
        assert_eq!(state.counted.unwrap().moved(Some("a")).unwrap().counts.received.packets, 7);
    }

    #[test]
    fn sort_goes_round_and_is_reversed() {
        let mut state = state();
        assert_eq!(state.sort(), Some((Column::Packets, true)));
        state.act(Action::Reverse);
        assert_eq!(state.sort(), Some((Column::Packets, false)));
        state.act(Action::Reverse);
        for _ in 0..4 {
            state.act(Action::Sort);
        }
        assert_eq!(state.sort(), Some((Column::Name, false)));
        state.act(Action::Sort);
        assert_eq!(state.sort(), Some((Column::Packets, true)));
        state.act(Action::Show(View::Slices));
        state.act(Action::Sort);
        assert_eq!(state.sort(), None);
        assert_eq!(state.act(Action::Longer), Next::Retime);
        assert_eq!(state.act(Action::Shorter), Next::Retime);
        assert_eq!(state.act(Action::Shorter), Next::Draw);
    }
}
