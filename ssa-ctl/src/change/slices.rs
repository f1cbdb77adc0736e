//! Slices of a service and an endpoint in; those slices moved to it, in place, out.

use std::collections::BTreeMap;

use anyhow::Context as _;

use super::{Done, InForce};
use crate::{
    config::Bounds,
    context::Context,
    failure::{Code, Failure},
    plan::{
        ranked::Ranked,
        sharing::{deadline, moved},
        slices::has_owners,
        steps::{Action, Step},
    },
};

/// Slices that are to move.
pub struct Order<'a> {
    /// The service.
    pub service: &'a str,
    /// Runs of them.
    pub slices: &'a [Bounds],
    /// The endpoint that gets them.
    pub endpoint: &'a str,
    /// Seconds for which the previous owner keeps its connections; none: as the service says.
    pub handover: Option<u32>,
}

/// Moves slices, each by one store, and makes them stay there.
///
/// # Errors
/// Where nothing is loaded, or there is no such service, slice or endpoint.
pub fn move_slices(context: &mut Context<'_>, order: &Order<'_>, dry_run: bool) -> Result<Done, Failure> {
    let (_lock, in_force) = InForce::lock(context, dry_run)?;
    let InForce { instance, running, config, .. } = &in_force;
    let Order { service: name, slices, endpoint, handover } = *order;
    let invalid = |message: String, hint: String| Failure::new(Code::Invalid, message).hint(hint);
    let (_, service) = config.named(name).map_err(Failure::refused)?;
    let slices_of = &running.tables.slices;
    let owned = slices_of.places.get(name).filter(|_| has_owners(config, service));
    let (Some(words), Some(place)) = (slices_of.of(name), owned) else {
        let hint = "give it slice_bits, and the config [[endpoint]]s".to_owned();
        return Err(invalid(format!("the service {name} has no slices with endpoints"), hint));
    };
    if config.endpoints_of(service).all(|(_, other)| other.name != endpoint) {
        let names: Vec<_> = config.endpoints_of(service).map(|(_, other)| other.name.as_str()).collect();
        let message = format!("{endpoint} is no endpoint of the service {name}");
        return Err(invalid(message, format!("its endpoints are {}", names.join(", "))));
    }
    let ranked = Ranked::of(config);
    let owner = ranked.number(endpoint).context("an endpoint has no number")?;
    let until = deadline(in_force.now()?, handover.unwrap_or(service.handover), instance.meta.hertz);
    let (mut moves, mut steps) = (Vec::new(), BTreeMap::<u32, Vec<u32>>::new());
    slices.iter().try_for_each(|bounds| bounds.within(service)).map_err(Failure::refused)?;
    for bounds in Bounds::apart(slices) {
        for slice in bounds.first..=bounds.last {
            let old = words[slice as usize];
            let new = moved(old, owner, until).pin(true);
            if new != old {
                moves.push((place.first + slice, new));
                steps.entry(old.owner()).or_default().push(slice);
            }
        }
    }
    let step = |(from, slices): (u32, Vec<u32>)| {
        let count = slices.len();
        let plural = if count == 1 { "" } else { "s" };
        let from = ranked.name(from).unwrap_or("nobody");
        let detail = if from == endpoint {
            format!("{count} slice{plural} of {endpoint} stay there")
        } else {
            format!("{count} slice{plural} from {from} to {endpoint}")
        };
        Step { action: Action::Move, object: name.to_owned(), detail }
    };
    let steps: Vec<Step> = steps.into_iter().map(step).collect();
    let generation = if dry_run || moves.is_empty() { running.generation } else { instance.move_slices(&moves)? };
    Ok(Done { steps, generation, warnings: Vec::new() })
}
