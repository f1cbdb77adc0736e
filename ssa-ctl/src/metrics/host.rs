//! A reading in; what runs on this host, by whose clock and in how much memory, out.

use ssa_common::layout;

use super::{
    catalog,
    family::{Family, Value, sample},
};
use crate::{config::StaleClock, kernel::attach::word, observe::reading::Reading};

pub(super) fn families(reading: &Reading) -> Vec<Family> {
    let Reading { generation, build, state, config, blocks, .. } = reading;
    let (services, interfaces) = (&config.services, &state.interfaces);
    let build = format!("{build:016x}");
    vec![
        Family::of(&catalog::BUILD_INFO, [sample([env!("CARGO_PKG_VERSION"), &build], true)]),
        Family::one(&catalog::PROGRAM_CURRENT, state.is_current),
        Family::one(&catalog::LAYOUT_VERSION, layout::VERSION),
        Family::one(&catalog::GENERATION, *generation),
        Family::one(&catalog::SERVICES, services.len() as u64),
        Family::of(&catalog::BLOCKS, blocks.iter().map(|(origin, count)| sample([origin.name()], *count))),
        Family::of(
            &catalog::ENFORCED,
            services.iter().map(|service| sample([&service.name], f64::from(service.enforce.percent()) / 100.0)),
        ),
        Family::of(
            &catalog::INTERFACE_ATTACHED,
            interfaces.iter().map(|interface| sample([&interface.name], interface.is_attached)),
        ),
        Family::of(
            &catalog::INTERFACE_CURRENT,
            interfaces.iter().map(|interface| sample([&interface.name], interface.is_attached && interface.is_current)),
        ),
        Family::of(
            &catalog::INTERFACE_INFO,
            interfaces.iter().filter_map(|interface| Some(sample([&interface.name, word(interface.mode?)], true))),
        ),
        Family::of(
            &catalog::INTERFACE_MARKED,
            state.marked.iter().map(|(interface, is_marked)| sample([interface], *is_marked)),
        ),
        Family::one(&catalog::CLOCK_AGE, state.clock_age),
        Family::one(&catalog::CLOCK_ERROR, state.clock_error),
        Family::one(&catalog::CLOCK_STALE, state.is_stale),
        Family::of(
            &catalog::CLOCK_MAX_AGE,
            services.iter().filter_map(|service| {
                Some(sample([&service.name, policy(service.stale_clock)], Value::from(service.max_age?)))
            }),
        ),
        Family::one(&catalog::EVENTS, state.events),
        Family::of(&catalog::FLOWS_TURNED_AWAY, state.flows.map(|(_, away)| sample([], away))),
        Family::of(&catalog::REFUSED, state.diagnostics.each().map(|(what, count)| sample([what.name()], count))),
        Family::of(
            &catalog::MEMORY,
            [("maps", state.maps), ("programs", state.programs)].map(|(kind, octets)| sample([kind], octets)),
        ),
    ]
}

/// The name of a policy, as a config has it.
const fn policy(policy: StaleClock) -> &'static str {
    match policy {
        StaleClock::Last => "last",
        StaleClock::Open => "open",
        StaleClock::Closed => "closed",
    }
}
