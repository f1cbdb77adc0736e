//! A pin root in; all that there is to observe of what is in force, read as if at one moment, out.

use std::{collections::BTreeMap, path::Path, time::SystemTime};

use super::{
    counters::Counts,
    slices::{Held, ServiceSlices},
    state::State,
};
use crate::{
    change::{InForce, ticks},
    config::Config,
    failure::Failure,
    kernel::{instance::Instance, netlink::Host, pins::Pins, ways},
    plan::blocks::Origin,
};

/// How often all is read again because something was changed meanwhile, before what was read last is taken.
const TRIES: u32 = 10;

/// All that there is to observe.
#[derive(Clone, Debug)]
pub struct Reading {
    /// Counts up with every change.
    pub generation: u64,
    /// A digest of the object that the program was loaded from.
    pub build: u64,
    /// Interfaces, program, clock, memory.
    pub state: State,
    /// The config in force.
    pub config: Config,
    /// How many source prefixes each origin blocks.
    pub blocks: BTreeMap<Origin, u64>,
    /// What was counted.
    pub counts: Counts,
    /// Suspects that did not get what their service gives them.
    pub unserved: Vec<Unserved>,
    /// The slices of each service that has any with owners.
    pub slices: Vec<Sliced>,
    /// The name of the endpoint that this host is.
    pub this_host: Option<String>,
    /// The endpoints that frames are sent on to, and whether a way to them is known.
    pub ways: BTreeMap<String, bool>,
}

/// Suspects of one service that went on all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unserved {
    /// The service.
    pub service: String,
    /// They could not be marked.
    pub unmarked: u64,
    /// They found no queue.
    pub unqueued: u64,
}

/// The slices of one service, added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sliced {
    /// The service.
    pub service: String,
    /// What each of its endpoints has.
    pub held: Vec<Held>,
    /// Slices whose previous owner still keeps connections.
    pub in_handover: u64,
    /// Seconds until the last of them has none any more.
    pub handover_seconds: u64,
    /// Slices that stay where they are, whatever the balance.
    pub pinned: u64,
}

impl Reading {
    /// Reads it all.
    ///
    /// # Errors
    /// [`Code::NotLoaded`](crate::failure::Code::NotLoaded) where there is nothing.
    pub fn take(pin_root: &Path) -> Result<Self, Failure> {
        InForce::steadily(pin_root, TRIES, Self::of)
    }

    fn of(in_force: &InForce) -> Result<Self, Failure> {
        let host = Host::ask()?;
        let ways = ways::in_force(&in_force.config, &host, &in_force.running.tables)?;
        let known = ways.hops.into_keys().map(|name| (name, true));
        let unknown = ways.without.into_keys().map(|name| (name, false));
        Ok(Self {
            generation: in_force.running.generation,
            build: in_force.instance.meta.build,
            state: State::read(in_force, &host, SystemTime::now())?,
            counts: Counts::read(&in_force.instance)?,
            unserved: unserved(&in_force.instance)?,
            slices: ServiceSlices::all(in_force)?.into_iter().map(Sliced::of).collect(),
            this_host: in_force.host().map(str::to_owned),
            ways: unknown.chain(known).collect(),
            blocks: blocked(&in_force.instance, &in_force.pins)?,
            config: in_force.config.clone(),
        })
    }
}

/// How many source prefixes each origin blocks, nothing or not.
pub fn blocked(instance: &Instance, pins: &Pins) -> anyhow::Result<BTreeMap<Origin, u64>> {
    let mut counts: BTreeMap<_, _> = Origin::ALL.map(|origin| (origin, 0)).into();
    let list = instance.blocks()?;
    // Nobody needs to know what time it is for an empty list.
    if !list.is_empty() {
        let ticks = ticks(pins)?.now();
        for block in list.iter().filter(|block| block.is_live(ticks)) {
            *counts.entry(block.origin).or_insert(0) += 1;
        }
    }
    Ok(counts)
}

/// The suspects of each service that did not get what it gives them, none or not.
pub fn unserved(instance: &Instance) -> anyhow::Result<Vec<Unserved>> {
    let of = |(service, number): (&str, u32)| {
        let (unmarked, unqueued) = instance.unserved(number)?;
        Ok(Unserved { service: service.to_owned(), unmarked, unqueued })
    };
    instance.numbers()?.iter().map(of).collect()
}

impl Sliced {
    fn of(slices: ServiceSlices) -> Self {
        let count = |of: &dyn Fn(&super::slices::Run) -> bool| {
            let runs = slices.runs.iter().filter(|run| of(run));
            runs.map(|run| u64::from(run.last - run.first) + 1).sum()
        };
        Self {
            in_handover: count(&|run| run.previous.is_some()),
            handover_seconds: slices.runs.iter().filter_map(|run| run.seconds).max().unwrap_or(0),
            pinned: count(&|run| run.pinned),
            service: slices.service,
            held: slices.endpoints,
        }
    }
}
