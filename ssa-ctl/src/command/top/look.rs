//! A pin root in; a look at the counters or the slices out. Opens maps for reading, each time anew, and keeps nothing open.

use std::path::Path;

use super::{
    sliced::{Cut, Endpoint, Owned, Slices},
    state::Trouble,
};
use crate::{
    change::InForce,
    config,
    failure::Failure,
    kernel::{instance::Instance, pins::Pins},
    observe::{
        counters::Counts,
        slices::{Run, ServiceSlices},
    },
};

/// How often slices are read again, where a writer came between.
const TRIES: u32 = 5;

/// Reads the counters of all services, or of this one.
pub(super) fn at_counters(pin_root: &Path, only: Option<&str>) -> Result<Counts, Failure> {
    let mut counts = Counts::read(&Instance::open(&Pins::new(pin_root), true)?)?;
    if let Some(wanted) = only {
        let names: Vec<_> = counts.services.iter().map(|(name, _)| name.clone()).collect();
        counts.services.retain(|(name, _)| name == wanted);
        if counts.services.is_empty() {
            return Err(Failure::refused(config::unknown(wanted, names.iter().map(String::as_str))));
        }
    }
    Ok(counts)
}

/// Reads the slices of all services, and the endpoints.
pub(super) fn at_slices(pin_root: &Path) -> Result<Slices, Failure> {
    // Owners and frames are of one moment.
    InForce::steadily(pin_root, TRIES, slices)
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
