//! What is in force and the kernel in; its interfaces, program, clock and memory, as `status` and the metrics say them, out.

use std::{path::Path, time::SystemTime};

use anyhow::Context as _;
use aya::programs::ProgramInfo;

use super::refused::Diagnostics;
use crate::{
    change::{InForce, link_states, ticks},
    config::Mode,
    kernel::{attach::Link, clock::now, marks, netlink::Host, object},
    plan::low,
};

/// What an instance is and does, but for its counters.
#[derive(Clone, Debug, PartialEq)]
pub struct State {
    /// The interfaces that have a link, and those that the config wants to have one.
    pub interfaces: Vec<Attached>,
    /// Where packets of suspects should be marked: whether they are, by interface.
    pub marked: Vec<(String, bool)>,
    /// The kernel's number for the filter.
    pub program: u32,
    /// The filter is that of this binary.
    pub is_current: bool,
    /// By how much the published clock is wrong, in seconds; positive where it is ahead.
    pub clock_error: f64,
    /// Seconds since the clock was published.
    pub clock_age: u64,
    /// The clock is older than the smallest `max_age`.
    pub is_stale: bool,
    /// Events that were written since the maps were made.
    pub events: u64,
    /// How many flows are remembered at most, and how many packets began none; none where no service remembers any.
    pub flows: Option<(u32, u64)>,
    /// What the kernel has refused to the program.
    pub diagnostics: Diagnostics,
    /// Octets that the maps take.
    pub maps: u64,
    /// Octets that the programs take: their instructions as the verifier left them, and the machine's.
    pub programs: u64,
}

/// An interface that is filtered, or should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Its name.
    pub name: String,
    /// A filter of ours runs on it.
    pub is_attached: bool,
    /// It is the pinned one.
    pub is_current: bool,
    /// In which mode.
    pub mode: Option<Mode>,
    /// Program and link, by the kernel's numbers, where there is a link.
    pub link: Option<(u32, u32)>,
}

impl State {
    /// Asks for it; `began` is when the command began.
    ///
    /// # Errors
    /// Where pins are missing, or nobody can be asked for the time.
    pub fn read(in_force: &InForce, host: &Host, began: SystemTime) -> anyhow::Result<Self> {
        let InForce { pins, instance, config, .. } = in_force;
        let filter = info(&pins.filter())?;
        let (ticks, clock) = (ticks(pins)?, instance.clock()?);
        let age = ticks.age(clock);
        let max_age = config.services.iter().filter_map(|service| service.max_age).min();
        Ok(Self {
            interfaces: interfaces(in_force, host)?,
            marked: marked(in_force, host)?,
            program: filter.id(),
            is_current: instance.meta.build == object::build(),
            clock_error: ticks.error(clock, now(began)),
            clock_age: age,
            is_stale: max_age.is_some_and(|max_age| age > u64::from(max_age)),
            events: instance.events_written()?,
            flows: match instance.meta.flows {
                0 => None,
                flows => Some((flows, instance.flows_turned_away()?)),
            },
            diagnostics: Diagnostics::read(instance)?,
            maps: instance.octets(),
            programs: octets(&filter) + octets(&info(&pins.probe())?),
        })
    }
}

fn interfaces(InForce { pins, config, .. }: &InForce, host: &Host) -> anyhow::Result<Vec<Attached>> {
    let mut interfaces = Vec::new();
    for state in link_states(pins, host)? {
        let link = Link::open(pins, &state.name)?.context("a link went away meanwhile")?;
        // The pin may have a name that the interface had before.
        let found = host.interfaces.iter().find(|interface| interface.index == state.interface);
        interfaces.push(Attached {
            name: found.map_or(state.name, |interface| interface.name.clone()),
            is_attached: state.interface != 0,
            is_current: state.current,
            mode: state.mode,
            link: Some((link.program, link.id)),
        });
    }
    // What the config wants and nobody attached, or somebody took away, is a difference worth seeing.
    for name in &config.host.interfaces {
        if !interfaces.iter().any(|interface| interface.name == *name) {
            let name = name.clone();
            interfaces.push(Attached { name, is_attached: false, is_current: false, mode: None, link: None });
        }
    }
    Ok(interfaces)
}

/// The interfaces of the config, where it wants packets marked, and whether they are.
pub fn marked(InForce { pins, config, .. }: &InForce, host: &Host) -> anyhow::Result<Vec<(String, bool)>> {
    if !low::marks(config) {
        return Ok(Vec::new());
    }
    let marked = marks::all(pins)?;
    let is_marked = |name: &str| {
        let interface = host.interface(name);
        interface.is_some_and(|interface| marked.iter().any(|one| one.interface == interface.index))
    };
    Ok(config.host.interfaces.iter().map(|name| (name.clone(), is_marked(name))).collect())
}

fn info(pin: &Path) -> anyhow::Result<ProgramInfo> {
    ProgramInfo::from_pin(pin).with_context(|| format!("cannot open the pin {}", pin.display()))
}

fn octets(program: &ProgramInfo) -> u64 {
    u64::from(program.size_translated().unwrap_or(0)) + u64::from(program.size_jitted())
}
