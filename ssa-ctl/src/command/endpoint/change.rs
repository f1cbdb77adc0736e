//! Endpoints added to the running config, drained and removed.

use std::net::Ipv6Addr;

use crate::{
    command::{self, Edited},
    config::{Bounds, Config, Endpoint, Mac, Run, Service, edit},
    context::Context,
    failure::Outcome,
};

/// Add an endpoint: it gets its share of the slices
#[derive(clap::Args)]
pub(super) struct Add {
    /// Its name
    name: String,
    /// Its own address, outside all services
    address: Ipv6Addr,
    /// Its share of the slices, against the weights of the others
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=65535))]
    weight: u32,
    /// Its failure domain
    #[arg(long)]
    domain: Option<String>,
    /// Its hardware address, where neighbour discovery shall not be asked
    #[arg(long)]
    mac: Option<Mac>,
    /// A service that it is to be an endpoint of, where that lists its endpoints; may be given several times
    #[arg(long = "service", value_name = "SERVICE")]
    services: Vec<String>,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Drain an endpoint: its slices go to the others, its connections stay for a while
///
/// Slices that are pinned to it stay, and a warning names them.
#[derive(clap::Args)]
pub(super) struct Drain {
    /// The endpoint
    name: String,
    /// End the draining: it gets its share of the slices again
    #[arg(long)]
    off: bool,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Remove an endpoint: its slices go to the others at once, and its connections with them
///
/// To keep the connections, drain it first and wait for as long as the handover of its services takes.
#[derive(clap::Args)]
pub(super) struct Remove {
    /// The endpoint
    name: String,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Adds an endpoint.
pub(super) fn add(context: &mut Context<'_>, args: &Add) -> Outcome {
    let Add { name, address, weight, domain, mac, services, dry_run } = args;
    let endpoint = Endpoint {
        name: name.clone(),
        address: *address,
        weight: *weight,
        domain: domain.clone(),
        mac: *mac,
        drain: false,
    };
    command::change(context, *dry_run, |config| edit::add_endpoint(config, endpoint, services))
}

/// Drains an endpoint, or ends that.
pub(super) fn drain(context: &mut Context<'_>, Drain { name, off, dry_run }: &Drain) -> Outcome {
    command::change(context, *dry_run, |config| {
        let config = edit::set_drain(config, name, !off)?;
        let warnings = if *off { Vec::new() } else { kept(&config, name) };
        Ok(Edited { warnings, ..Edited::from(config) })
    })
}

/// What an endpoint keeps though it is draining.
fn kept(config: &Config, name: &str) -> Vec<String> {
    let of = |service: &Service| {
        let runs: Vec<Bounds> = service.pinned.iter().filter(|run| run.endpoint == name).map(Run::bounds).collect();
        let count: u32 = runs.iter().map(|bounds| bounds.count()).sum();
        let text: Vec<_> = runs.iter().map(ToString::to_string).collect();
        (count > 0).then(|| {
            let (slices, stay) = if count == 1 {
                ("slice", "is pinned to it and stays")
            } else {
                ("slices", "are pinned to it and stay")
            };
            format!(
                "{name} drains, but {count} {slices} of {service} {stay}: to let go, ssa-ctl slice unpin {service} {}",
                text.join(","),
                service = service.name
            )
        })
    };
    config.services.iter().filter_map(of).collect()
}

/// Removes an endpoint.
pub(super) fn remove(context: &mut Context<'_>, Remove { name, dry_run }: &Remove) -> Outcome {
    command::change(context, *dry_run, |config| edit::remove_endpoint(config, name))
}
