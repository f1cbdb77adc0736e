//! A state and a flood rate in; what clients see in it out, once the frames are known to have ended where they should.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::{
    flood::{self, Flooded},
    site::{PREFIX, RULE, Site},
    talk::Talk,
};
use crate::bench::{Context, filter::Filter};

/// How long clients talk; and in a brief run.
const DURATION: Duration = Duration::from_secs(1);
const BRIEF: Duration = Duration::from_millis(100);

/// What the host is in for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing but the clients.
    Idle,
    /// A flood, and no filter.
    Unfiltered,
    /// A flood, and our filter.
    Filtered,
}

/// The site, and a filter that is in force when it should be.
pub(super) struct Scene {
    filter: Filter,
    site: Site,
    duration: Duration,
}

impl State {
    /// In the order of a round.
    pub(super) const ALL: [Self; 3] = [Self::Idle, Self::Unfiltered, Self::Filtered];

    /// For figures.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Unfiltered => "unfiltered",
            Self::Filtered => "filtered",
        }
    }

    /// For people.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle host",
            Self::Unfiltered => "flooded host, no filter",
            Self::Filtered => "flooded host, ours",
        }
    }
}

impl Scene {
    pub(super) fn new(context: &Context, site: Site) -> Result<Self> {
        let filter = Filter::new(&context.ssa_ctl, &site.name, &format!("{PREFIX}/64"), RULE)?;
        let duration = if context.brief { BRIEF } else { DURATION };
        Ok(Self { filter, site, duration })
    }

    /// Lets clients talk in a state.
    pub(super) fn play(&self, state: State, rate: u32) -> Result<Flooded> {
        let played = match state {
            State::Idle => self.talk(0),
            State::Unfiltered => self.talk(rate),
            State::Filtered => self.filtered(rate),
        };
        played.with_context(|| state.name())
    }

    fn filtered(&self, rate: u32) -> Result<Flooded> {
        let host = &self.site.host;
        self.filter.apply(host)?;
        let flooded = self.talk(rate)?;
        let dropped = self.filter.dropped(host)?;
        self.filter.down(host)?;
        // A ring may be full for a moment: then the driver drops some.
        let sent = flooded.sent;
        ensure!(
            dropped <= sent && dropped > sent / 10 * 9,
            "of {sent} frames of the flood, the filter dropped {dropped}"
        );
        Ok(flooded)
    }

    fn talk(&self, rate: u32) -> Result<Flooded> {
        let talk = Talk::open(&self.site)?;
        flood::during(&self.site, rate, || talk.go_on_for(self.duration))
    }
}
