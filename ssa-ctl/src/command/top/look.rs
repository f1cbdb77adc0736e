//! A pin root in; a look at the counters, the slices or the events out. Opens maps for reading, each time anew; what is kept
//! open is how far events are read.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use super::{
    sliced::{Cut, Endpoint, Owned, Slices},
    sourced::{Events, Origin},
    state::Trouble,
};
use crate::{
    change::InForce,
    config,
    failure::Failure,
    kernel::{instance::Instance, pins::Pins},
    observe::{
        counters::Counts,
        events::{Event, Reader},
        reading::blocked,
        slices::{Run, ServiceSlices},
    },
};

/// How often slices are read again, where a writer came between.
const TRIES: u32 = 5;

/// Reads the counters of all services, or of this one; and how many source prefixes are blocked.
pub(super) fn at_counters(pin_root: &Path, only: Option<&str>) -> Result<(Counts, u64), Failure> {
    let pins = Pins::new(pin_root);
    let instance = Instance::open(&pins, true)?;
    let mut counts = Counts::read(&instance)?;
    if let Some(wanted) = only {
        config::known(wanted, counts.services.iter().map(|(name, _)| name.as_str())).map_err(Failure::refused)?;
        counts.services.retain(|(name, _)| name == wanted);
    }
    Ok((counts, blocked(&instance, &pins)?.values().sum()))
}

/// Reads the slices of all services, and the endpoints.
pub(super) fn at_slices(pin_root: &Path) -> Result<Slices, Failure> {
    // Owners and frames are of one moment.
    InForce::steadily(pin_root, TRIES, slices)
}

/// Reads the events that came since the last look, or all that are kept.
pub(super) fn at_events(pin_root: &Path, reader: &mut Option<Reader>) -> Result<Events, Failure> {
    let is_first = reader.is_none();
    let mut opened = reader.take().map_or_else(|| Reader::open(pin_root), Ok)?;
    let (batch, rate) = (opened.look()?, opened.rate()?);
    *reader = Some(opened);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let origin = |event: &Event| Origin {
        site: event.ends().map(|ends| ends.site()),
        service: event.service.clone(),
        reason: event.reason,
    };
    let seen = batch.events.iter().map(|event| (now.saturating_sub(event.time), origin(event))).collect();
    // Nobody could have read what was overwritten before the first look.
    Ok(Events { seen, overwritten: if is_first { 0 } else { batch.overwritten }, rate })
}

/// What a failed look shows.
pub(super) fn trouble(failure: &Failure) -> Trouble {
    let chain: Vec<_> = failure.error.chain().map(ToString::to_string).collect();
    Trouble { message: chain.join(": "), hint: failure.hint.clone() }
}

fn slices(in_force: &InForce) -> Result<Slices, Failure> {
    let all = ServiceSlices::all(in_force)?;
    let cut = |service: &config::Service| match all.iter().find(|slices| slices.service == service.name) {
        None => Cut { service: service.name.clone(), ..Cut::default() },
        Some(slices) => Cut {
            service: service.name.clone(),
            count: slices.count(),
            runs: slices.runs.iter().map(owned).collect(),
            frames: slices.frames.clone(),
        },
    };
    let host = in_force.host();
    let endpoint = |endpoint: &config::Endpoint| Endpoint {
        name: endpoint.name.clone(),
        weight: endpoint.weight,
        drain: endpoint.drain,
        this_host: host == Some(&endpoint.name),
    };
    Ok(Slices {
        services: in_force.config.services.iter().map(cut).collect(),
        endpoints: in_force.config.endpoints.iter().map(endpoint).collect(),
    })
}

fn owned(run: &Run) -> Owned {
    Owned {
        first: run.first as usize,
        last: run.last as usize,
        endpoint: run.endpoint.clone(),
        handed_over: run.previous.is_some(),
    }
}
