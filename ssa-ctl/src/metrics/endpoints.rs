//! A reading in; slices by service and endpoint, handovers, and endpoints, out.

use super::{
    catalog,
    family::{Description, Family, Value, sample},
};
use crate::{
    config::Endpoint,
    observe::reading::{Reading, Sliced},
};

pub(super) fn families(Reading { slices, config, this_host, ways, .. }: &Reading) -> Vec<Family> {
    let held = || {
        slices.iter().flat_map(|Sliced { service, held, .. }| {
            held.iter().map(move |held| ([service.as_str(), held.endpoint.as_str()], held.slices, held.frames))
        })
    };
    let each_service = |description: &'static Description, of: fn(&Sliced) -> u64| {
        Family::of(description, slices.iter().map(|sliced| sample([&sliced.service], of(sliced))))
    };
    let each_endpoint = |description: &'static Description, of: &dyn Fn(&Endpoint) -> Value| {
        Family::of(description, config.endpoints.iter().map(|endpoint| sample([&endpoint.name], of(endpoint))))
    };
    vec![
        Family::of(&catalog::SLICES, held().map(|(labels, slices, _)| sample(labels, slices))),
        Family::of(&catalog::SLICE_FRAMES, held().filter_map(|(labels, _, frames)| Some(sample(labels, frames?)))),
        each_service(&catalog::SLICES_IN_HANDOVER, |sliced| sliced.in_handover),
        each_service(&catalog::HANDOVER_REMAINING, |sliced| sliced.handover_seconds),
        each_service(&catalog::SLICES_PINNED, |sliced| sliced.pinned),
        each_endpoint(&catalog::ENDPOINT_WEIGHT, &|endpoint| endpoint.weight.into()),
        each_endpoint(&catalog::ENDPOINT_DRAINING, &|endpoint| endpoint.drain.into()),
        each_endpoint(&catalog::ENDPOINT_THIS_HOST, &|endpoint| (this_host.as_ref() == Some(&endpoint.name)).into()),
        Family::of(&catalog::ENDPOINT_REACHABLE, ways.iter().map(|(name, is_known)| sample([name], *is_known))),
    ]
}
