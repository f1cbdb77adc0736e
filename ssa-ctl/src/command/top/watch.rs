//! Keys, time and signals in; looks, and screens that show them, out.

use std::{future::poll_fn, io, path::Path, task::Poll, time::Instant};

use anyhow::Context as _;
use crossterm::event::{Event, EventStream};
use futures_util::StreamExt as _;
use tokio::time::{Interval, MissedTickBehavior};

use crate::{command::end::End, observe::events::Reader};

use super::{
    draw::{self, Paint},
    keys, look,
    screen::Screen,
    state::{Next, State},
};

/// What is looked at.
pub(super) struct Watch<'a> {
    pub(super) pin_root: &'a Path,
    pub(super) state: State,
    pub(super) paint: Paint,
    /// Looks are timed from here.
    pub(super) start: Instant,
    /// How far events are read, once somebody wants to see them.
    pub(super) events: Option<Reader>,
}

impl Watch<'_> {
    /// Shows it until somebody has enough.
    pub(super) async fn run(mut self) -> anyhow::Result<()> {
        let mut end = End::new().context("cannot wait for signals")?;
        let mut events = EventStream::new();
        let mut screen = Screen::open()?;
        let mut timer = timer(&self.state);
        let mut changed = true;
        loop {
            // All that was typed is read before anything is drawn, and while the terminal takes the last screen, none is.
            if changed && screen.is_idle() {
                screen.show(draw::draw(&self.state, self.paint, screen.area()))?;
                changed = false;
            }
            let idle = screen.is_idle();
            tokio::select! {
                biased;
                () = end.wanted() => return Ok(()),
                event = events.next() => {
                    let mut event = event;
                    loop {
                        // A terminal that is gone has no more events.
                        let Some(Ok(now)) = event else { return Ok(()) };
                        changed = true;
                        match self.take(&now) {
                            Next::Draw => {}
                            Next::Quit => return Ok(()),
                            Next::Look => timer.reset_immediately(),
                            Next::LookAtSlices => self.look_at_slices(),
                            Next::LookAtEvents => self.look_at_events(),
                            Next::Retime => timer = self::timer(&self.state),
                        }
                        match come(&mut events).await {
                            Some(next) => event = next,
                            None => break,
                        }
                    }
                }
                written = screen.write(), if !idle => {
                    // Where the terminal is gone, nobody is left to tell.
                    if written.is_err() {
                        return Ok(());
                    }
                }
                _ = timer.tick(), if !self.state.paused => {
                    self.look();
                    changed = true;
                }
            }
        }
    }

    fn take(&mut self, event: &Event) -> Next {
        let action = event.as_key_press_event().and_then(keys::action);
        action.map_or(Next::Draw, |action| self.state.act(action))
    }

    /// Looks at the counters and the block list, and at the slices where they are shown.
    pub(super) fn look(&mut self) {
        let at = self.start.elapsed();
        match look::at_counters(self.pin_root, self.state.only.as_deref()) {
            Ok((counts, blocked)) => {
                self.state.count(at, counts);
                self.state.block(blocked);
            }
            Err(failure) => return self.state.fail(look::trouble(&failure)),
        }
        if self.state.view.needs_slices() {
            self.look_at_slices();
        }
        if self.state.view.needs_events() {
            self.look_at_events();
        }
    }

    fn look_at_slices(&mut self) {
        let at = self.start.elapsed();
        match look::at_slices(self.pin_root) {
            Ok(slices) => self.state.slice(at, slices),
            Err(failure) => self.state.fail(look::trouble(&failure)),
        }
    }

    fn look_at_events(&mut self) {
        let at = self.start.elapsed();
        match look::at_events(self.pin_root, &mut self.events) {
            Ok(events) => self.state.source(at, events),
            Err(failure) => {
                self.events = None;
                self.state.fail(look::trouble(&failure));
            }
        }
    }
}

/// The first tick is a whole interval away: a look was just made. A late one makes those after it late.
fn timer(state: &State) -> Interval {
    let interval = state.interval.time();
    let mut timer = tokio::time::interval_at(tokio::time::Instant::now() + interval, interval);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    timer
}

/// The next event, if it has come already. The stream wakes whoever asked it last, so it is asked in our own name.
async fn come(events: &mut EventStream) -> Option<Option<io::Result<Event>>> {
    poll_fn(|context| match events.poll_next_unpin(context) {
        Poll::Ready(event) => Poll::Ready(Some(event)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
