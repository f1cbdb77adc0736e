//! What a config says of suspects in; its rows, and what the host must have for them, out.

use ssa_common::rows::{FLAG_LOW_CPU, FLAG_LOW_LIMIT, FLAG_LOW_MARK, FLAG_LOW_PLAIN, LowRow};

use super::steps::Action;
use crate::config::{Class, Config, Host, LowPriority, Service};

/// A queue for a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The CPU.
    pub cpu: u32,
    /// How many frames wait for it at most.
    pub length: u32,
}

/// An interface whose packets are marked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marked {
    /// The name its pin has.
    pub name: String,
    /// The interface; 0 where that is gone, or somebody detached the program.
    pub interface: u32,
    /// It runs the program that is pinned.
    pub current: bool,
}

/// What is to be there before a config is in force, with what there is.
pub(super) fn before(
    (config, interfaces): (&Config, &[(String, u32)]),
    (queues, marked): (&[Queue], &[Marked]),
) -> Vec<(Action, String, String)> {
    let mut steps = Vec::new();
    if let Some(wanted @ Queue { cpu, length }) = queue(config)
        && !queues.contains(&wanted)
    {
        let detail = match queues.iter().find(|queue| queue.cpu == cpu) {
            Some(queue) => format!("from {} to {length} frames", queue.length),
            None => format!("{length} frames wait for it at most"),
        };
        steps.push((Action::Queue, format!("CPU {cpu}"), detail));
    }
    if marks(config) {
        let is_marked = |(name, interface): &&(String, u32)| {
            marked.iter().any(|one| one.current && one.name == *name && one.interface == *interface)
        };
        let missing = interfaces.iter().filter(|wanted| !is_marked(wanted));
        steps.extend(missing.map(|(name, _)| (Action::Mark, name.clone(), "mark packets of suspects".into())));
    }
    steps
}

/// What is needed no more once a config is in force.
pub(super) fn after(
    (config, interfaces): (&Config, &[(String, u32)]),
    (queues, marked): (&[Queue], &[Marked]),
) -> Vec<(Action, String, String)> {
    let wanted = queue(config).map(|queue| queue.cpu);
    let is_wanted = |name: &str| marks(config) && interfaces.iter().any(|(wanted, _)| wanted == name);
    let unneeded = marked.iter().filter(|one| !is_wanted(&one.name));
    let left = queues.iter().filter(|queue| Some(queue.cpu) != wanted);
    unneeded
        .map(|one| (Action::Unmark, one.name.clone(), "no service wants its packets marked".into()))
        .chain(left.map(|queue| (Action::Unqueue, format!("CPU {}", queue.cpu), "no service wants it".into())))
        .collect()
}

/// The flags of a service's prefixes.
pub(super) fn flags(service: &Service) -> u32 {
    if !service.has_suspects() {
        return 0;
    }
    let has = |way, flag| if service.low_priority.contains(&way) { flag } else { 0 };
    let plain = has(LowPriority::Dscp, FLAG_LOW_PLAIN) ^ FLAG_LOW_PLAIN;
    let limit = if service.low_priority_rate.is_some() { FLAG_LOW_LIMIT } else { 0 };
    has(LowPriority::Cpu, FLAG_LOW_CPU) | has(LowPriority::Mark, FLAG_LOW_MARK) | plain | limit
}

/// The row of a service, for a clock of `hertz` ticks a second. What it has no use for is zero.
pub(super) fn row(service: &Service, host: &Host, hertz: u32) -> LowRow {
    if !service.has_suspects() {
        return LowRow::default();
    }
    let queues = host.low_priority.clone().unwrap_or_default();
    let mut row = service.low_priority_rate.map_or_else(LowRow::default, |rate| LowRow::limit(rate, hertz));
    if service.low_priority.contains(&LowPriority::Cpu) {
        row.cpu = queues.cpu.unwrap_or(0);
    }
    if service.low_priority.contains(&LowPriority::Mark) {
        row.mark = queues.mark;
        row.priority = queues.priority.map_or(0, Class::priority);
    }
    row
}

/// The queue that some service needs.
pub fn queue(config: &Config) -> Option<Queue> {
    let queues = config.host.low_priority.as_ref()?;
    wants(config, LowPriority::Cpu).then_some(())?;
    Some(Queue { cpu: queues.cpu?, length: queues.queue })
}

/// Whether packets are marked for some service.
pub fn marks(config: &Config) -> bool {
    wants(config, LowPriority::Mark)
}

/// Whether some service's suspects have this done to them.
fn wants(config: &Config, way: LowPriority) -> bool {
    config.services.iter().any(|service| has(service, way))
}

/// Whether a service's suspects have this done to them.
pub fn has(service: &Service, way: LowPriority) -> bool {
    service.has_suspects() && service.low_priority.contains(&way)
}
