//! `endpoints`: the endpoints in force out, with what they own.

use serde_json::json;

use crate::{
    change::InForce,
    context::Context,
    failure::{Exit, Outcome},
    kernel::{netlink::Host, ways},
    observe::slices::ServiceSlices,
    plan::ways::Way,
};

/// List the endpoints in force with their slices, and the ways to them from this host
#[derive(clap::Args)]
pub struct Args {}

/// Lists the endpoints.
pub fn run(context: &mut Context<'_>, _: &Args) -> Outcome {
    let in_force = InForce::read(context)?;
    let all = ServiceSlices::all(&in_force)?;
    let (config, own) = (&in_force.config, in_force.host());
    let ways = ways::in_force(config, &Host::ask()?, &in_force.running.tables)?;
    let way = |name: &str| Way::of(ways.hops.get(name)?, &ways.links);
    let endpoints: Vec<_> = config
        .endpoints
        .iter()
        .map(|endpoint| {
            let of = |slices: &ServiceSlices| {
                let held = slices.endpoints.iter().find(|held| held.endpoint == endpoint.name)?;
                Some((slices.service.clone(), json!({ "slices": held.slices, "frames": held.frames })))
            };
            let services: serde_json::Map<_, _> = all.iter().filter_map(of).collect();
            json!({
                "name": endpoint.name,
                "address": endpoint.address,
                "weight": endpoint.weight,
                "domain": endpoint.domain,
                "mac": endpoint.mac,
                "drain": endpoint.drain,
                "this_host": own == Some(&endpoint.name),
                "way": way(&endpoint.name),
                "no_way": ways.without.get(&endpoint.name),
                "services": services,
            })
        })
        .collect();
    if context.json {
        context.object(&json!({ "endpoints": endpoints }))?;
        return Ok(Exit::Done);
    }
    let rows = config.endpoints.iter().map(|endpoint| {
        let held = |slices: &ServiceSlices| {
            let held = slices.endpoints.iter().find(|held| held.endpoint == endpoint.name)?;
            Some(format!("{} of {} in {}", held.slices, slices.count(), slices.service))
        };
        let state = match (own == Some(&endpoint.name), endpoint.drain) {
            (true, true) => "this host, draining",
            (true, false) => "this host",
            (false, true) => "draining",
            (false, false) => "-",
        };
        [
            endpoint.name.clone(),
            endpoint.address.to_string(),
            endpoint.weight.to_string(),
            endpoint.domain.clone().unwrap_or_else(|| "-".into()),
            state.to_owned(),
            match (way(&endpoint.name), ways.without.get(&endpoint.name)) {
                (Some(way), _) => way.to_string(),
                (None, Some(why)) => format!("none: {why}"),
                (None, None) => "-".into(),
            },
            all.iter().filter_map(held).collect::<Vec<_>>().join(", "),
        ]
    });
    context.table(["ENDPOINT", "ADDRESS", "WEIGHT", "DOMAIN", "STATE", "WAY", "SLICES"], rows)?;
    Ok(Exit::Done)
}
