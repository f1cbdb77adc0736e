//! What is wanted and what is there in; the steps between them, in the order that misjudges no frame, out.

use serde::Serialize;

use super::{
    changes::{Change, changes},
    ground::Neighbourhood,
    low::{self, Marked, Queue},
    moves::moves,
    tables::Tables,
    ways,
};
use crate::config::{Config, Mode};

/// What is wanted.
pub struct Want<'a> {
    /// The config.
    pub config: &'a Config,
    /// Its rows.
    pub tables: &'a Tables,
    /// It as text.
    pub document: &'a str,
    /// The interfaces of the config, with their numbers.
    pub interfaces: Vec<(String, u32)>,
    /// What this host is among its endpoints.
    pub host: &'a Neighbourhood,
}

/// What is there.
pub struct Have {
    /// The rows in force.
    pub tables: Tables,
    /// The config in force, where it can be read.
    pub config: Option<Config>,
    /// It as text.
    pub document: String,
    /// The program was loaded from this binary's object.
    pub same_program: bool,
    /// The maps have room for what is wanted.
    pub room: bool,
    /// By how much the published clock is wrong, in seconds.
    pub clock_error: f64,
    /// Seconds since the clock was published.
    pub clock_age: u64,
    /// Ticks now.
    pub ticks: u64,
    /// The pinned links.
    pub links: Vec<LinkState>,
    /// The queues of CPUs.
    pub queues: Vec<Queue>,
    /// The interfaces whose packets are marked.
    pub marked: Vec<Marked>,
}

/// A pinned link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkState {
    /// The name its pin has.
    pub name: String,
    /// The interface it is attached to; 0 where that is gone.
    pub interface: u32,
    /// The mode it runs in, where that can be told.
    pub mode: Option<Mode>,
    /// It runs the filter that is pinned.
    pub current: bool,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What is done.
    #[serde(rename = "step")]
    pub action: Action,
    /// To what.
    pub object: String,
    /// From what to what.
    pub detail: String,
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Load the program and pin it.
    Load,
    /// Load the program over larger maps, counters kept.
    Grow,
    /// Put this binary's program in the place of the loaded one.
    Replace,
    /// Make a queue for a CPU.
    Queue,
    /// Let packets of an interface be marked.
    Mark,
    /// Put a config in force.
    Config,
    /// Move slices.
    Move,
    /// Take another way to an endpoint.
    Way,
    /// Take away a neighbour entry.
    Forget,
    /// Publish the clock.
    Clock,
    /// Note that an interface has another name.
    Rename,
    /// Attach to an interface.
    Attach,
    /// Detach from an interface.
    Detach,
    /// Mark packets of an interface no more.
    Unmark,
    /// Remove the queue of a CPU.
    Unqueue,
}

impl Action {
    /// The name in JSON and text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Load => "load",
            Self::Grow => "grow",
            Self::Replace => "replace",
            Self::Queue => "queue",
            Self::Mark => "mark",
            Self::Config => "config",
            Self::Move => "move",
            Self::Way => "way",
            Self::Forget => "forget",
            Self::Clock => "clock",
            Self::Rename => "rename",
            Self::Attach => "attach",
            Self::Detach => "detach",
            Self::Unmark => "unmark",
            Self::Unqueue => "unqueue",
        }
    }
}

/// The published clock may be wrong by this many seconds before it is published again.
const CLOCK_TOLERANCE: f64 = 0.1;

/// The steps from what is there, if anything, to what is wanted.
pub fn steps(want: &Want<'_>, have: Option<&Have>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut step = |action, object: &str, detail: String| {
        steps.push(Step { action, object: object.into(), detail });
    };
    let wanted = (want.config, &want.interfaces[..]);
    let there = have.map_or((&[][..], &[][..]), |have| (&have.queues, &have.marked));
    match have {
        None => {
            step(Action::Load, "ssa_filter", "load the program and pin it".into());
            for (action, object, detail) in low::before(wanted, there) {
                step(action, &object, detail);
            }
            for change in changes(None, want.config) {
                step(Action::Config, &change.object, change.detail);
            }
        }
        Some(have) => {
            if !have.room {
                step(
                    Action::Grow,
                    "ssa_filter",
                    "load the program over larger maps; counters of services are kept".into(),
                );
            } else if !have.same_program || have.links.iter().any(|link| !link.current) {
                step(Action::Replace, "ssa_filter", "put this version's program in the place of the loaded one".into());
            }
            let known = have.config.as_ref();
            for (action, object, detail) in low::before(wanted, there) {
                step(action, &object, detail);
            }
            if have.tables != *want.tables || have.document != want.document {
                let mut changes = changes(known, want.config);
                if let Some(known) = known {
                    changes.extend(moves((known, &have.tables.slices), (want.config, &want.tables.slices)));
                }
                let mut ways = Vec::new();
                if let Some(known) = known {
                    let (had, now) = (&have.tables, want.tables);
                    changes.extend(ways::other_host((known, had.bank.host), (want.config, now.bank.host)));
                    ways = ways::changes((known, &had.endpoints), (want.config, &now.endpoints), want.host);
                }
                if changes.is_empty() && ways.is_empty() {
                    changes.push(Change {
                        object: "services".into(),
                        detail: "the keys or the rows in force differ".into(),
                    });
                }
                for change in changes {
                    step(Action::Config, &change.object, change.detail);
                }
                for change in ways {
                    step(Action::Way, &change.object, change.detail);
                }
            }
            if let Some(detail) = clock(want, have) {
                step(Action::Clock, "clock", detail);
            }
        }
    }
    let links = interfaces(want, have.map_or(&[], |have| &have.links));
    for (action, object, detail) in links.into_iter().chain(low::after(wanted, there)) {
        step(action, &object, detail);
    }
    // Last: until then, a frame may still need them.
    for neighbour in &want.host.unneeded {
        let link = want.host.links.get(&neighbour.interface).map_or("-", |name| name);
        step(
            Action::Forget,
            &neighbour.address.to_string(),
            format!("on {link}: our neighbour entry, which no endpoint needs"),
        );
    }
    steps
}

fn clock(want: &Want<'_>, have: &Have) -> Option<String> {
    if have.clock_error.abs() > CLOCK_TOLERANCE {
        return Some(format!("it is wrong by {:.1} s: publish it", have.clock_error));
    }
    let max_age = want.config.services.iter().filter_map(|service| service.max_age).min()?;
    (have.clock_age * 2 > u64::from(max_age)).then(|| format!("it is {} s old: publish it", have.clock_age))
}

/// Attach first and detach last: no interface that stays is ever without its filter.
fn interfaces(want: &Want<'_>, links: &[LinkState]) -> Vec<(Action, String, String)> {
    let mode = want.config.host.mode;
    let word = |mode| match mode {
        Mode::Native => "native",
        Mode::Generic => "generic",
    };
    let (mut first, mut last) = (Vec::new(), Vec::new());
    let mut kept = Vec::new();
    for (name, index) in &want.interfaces {
        match links.iter().find(|link| link.interface == *index) {
            Some(link) if link.mode.is_none_or(|is| is == mode) => {
                if link.name != *name {
                    first.push((Action::Rename, name.clone(), format!("it was {}", link.name)));
                }
                kept.push(&link.name);
            }
            Some(link) => {
                let detail = format!("to go from {} to {} mode", link.mode.map_or("another", word), word(mode));
                first.push((Action::Detach, link.name.clone(), detail));
                first.push((Action::Attach, name.clone(), format!("in {} mode", word(mode))));
                kept.push(&link.name);
            }
            None => first.push((Action::Attach, name.clone(), format!("in {} mode", word(mode)))),
        }
    }
    for link in links.iter().filter(|link| !kept.contains(&&link.name)) {
        let gone = (
            Action::Detach,
            link.name.clone(),
            if link.interface == 0 { "nothing runs there: it was detached, or its interface is gone" } else { "" }
                .into(),
        );
        // A new interface may want the name of one that is gone.
        if link.interface == 0 { first.insert(0, gone) } else { last.push(gone) }
    }
    first.extend(last);
    first
}
