//! `slices`: the slices in force out, as runs, one by one, or as a map of where the frames go.

mod heat;

pub(super) use heat::shade;

use std::net::Ipv6Addr;

use serde_json::{Map, Value, json};

use crate::{
    change::InForce,
    config::{Bounds, Config},
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
    observe::slices::{Run, ServiceSlices},
};

/// List the slices in force with their endpoints
///
/// Slices that follow each other and have the same endpoint are one line. A slice that has moved shows its previous
/// endpoint for as long as that keeps its connections.
#[derive(clap::Args)]
pub struct Args {
    /// Only this service
    service: Option<String>,
    /// A line for each slice, with its prefixes
    #[arg(long, conflicts_with = "heat")]
    each: bool,
    /// Draw where the frames go, where the service counts them (`slice_counters`)
    #[arg(long)]
    heat: bool,
}

/// Lists the slices.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let in_force = InForce::read(context)?;
    let config = &in_force.config;
    if let Some(name) = &args.service {
        super::service(config, name)?;
    }
    let wanted = |slices: &ServiceSlices| args.service.as_ref().is_none_or(|service| *service == slices.service);
    let read = ServiceSlices::all(&in_force)?.into_iter().filter(wanted);
    let all: Vec<ServiceSlices> = read.map(|slices| if args.each { slices.each() } else { slices }).collect();
    if let Some(name) = args.service.as_ref().filter(|_| all.is_empty()) {
        let message = format!("the service {name} has no slices with endpoints, nor any that are counted");
        let hint = "give it slice_bits, and the config [[endpoint]]s, or the service slice_counters = true";
        return Err(Failure::new(Code::Invalid, message).hint(hint));
    }
    if context.json {
        let services: Map<String, Value> = all.iter().map(|slices| (slices.service.clone(), json!(slices))).collect();
        context.object(&json!({ "services": services }))?;
    } else if args.heat {
        for slices in &all {
            heat::draw(context, slices)?;
        }
    } else if args.each {
        let rows = all.iter().flat_map(|slices| rows(slices, |run| prefixes(config, slices, run)));
        context.table(["SERVICE", "SLICE", "PREFIXES", "ENDPOINT", "PREVIOUS", "PINNED", "FRAMES"], rows)?;
    } else {
        let rows = all.iter().flat_map(|slices| rows(slices, |run| (run.last - run.first + 1).to_string()));
        context.table(["SERVICE", "SLICES", "COUNT", "ENDPOINT", "PREVIOUS", "PINNED", "FRAMES"], rows)?;
    }
    Ok(Exit::Done)
}

fn rows(slices: &ServiceSlices, about: impl Fn(&Run) -> String) -> Vec<[String; 7]> {
    let row = |run: &Run| {
        let Run { first, last, endpoint, previous, seconds, pinned, frames } = run;
        let none = || "-".to_owned();
        let previous = previous.as_ref().zip(*seconds).map(|(name, seconds)| format!("{name}, {seconds} s more"));
        [
            slices.service.clone(),
            Bounds { first: *first, last: *last }.to_string(),
            about(run),
            endpoint.clone().unwrap_or_else(none),
            previous.unwrap_or_else(none),
            if *pinned { "yes".into() } else { none() },
            frames.map_or_else(none, |frames| frames.to_string()),
        ]
    };
    slices.runs.iter().map(row).collect()
}

/// The prefixes of one slice.
fn prefixes(config: &Config, slices: &ServiceSlices, run: &Run) -> String {
    let Some((_, service)) = config.service(&slices.service) else { return String::new() };
    let prefix = |prefix: &ipnet::Ipv6Net| {
        let length = prefix.prefix_len() + slices.slice_bits;
        let bits = u128::from(run.first) << (128 - u32::from(length));
        format!("{}/{length}", Ipv6Addr::from_bits(prefix.network().to_bits() | bits))
    };
    service.prefixes.iter().map(prefix).collect::<Vec<_>>().join(", ")
}
