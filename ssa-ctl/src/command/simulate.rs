//! `simulate`: a service and clients in; how they spread over slices and endpoints, what somebody who holds a prefix can
//! reach, and what bots do, out.

mod bots;
mod chart;
mod law;
mod origin;
mod plot;
mod random;
mod reach;
mod scene;
mod sources;
mod spread;
mod statistics;
mod text;

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use ipnet::Ipv6Net;
use serde::Serialize;
use ssa_common::rule::{AddressError, object_id};

use self::{
    bots::{Botnet, Bots},
    reach::Reach,
    scene::{Scene, Wish},
    sources::Clients,
    spread::{OfEndpoints, OfSlices},
};
use crate::{
    config::Config,
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
};

/// Clients where nobody says which.
const CLIENTS: u64 = 100_000;

/// Simulate how clients spread over slices and endpoints
///
/// Every client computes its address as the rule says, from an address of its own, and the slice of that address is
/// counted. Clients use the first prefix of the service. `--attacker` says what the holder of a prefix can reach, and
/// `--bots` what so many bots do to the endpoints. Nothing is sent. The same seed gives the same numbers.
///
/// The slices belong to whom `apply` would give them, or, without `--config`, to their owners in force. A proof of work is
/// never searched for, and key files are read only where a slice depends on the key.
///
/// Exit codes: 0 simulated; 2 the service, or what was said of clients, cannot be used; 4 nothing is loaded.
#[derive(clap::Args)]
pub struct Args {
    /// The service; not needed where there is one
    service: Option<String>,
    /// Take this config file instead of the running config
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Take the clients from a file: an address or a prefix a line, and behind a space how many clients it has, if not
    /// one; those of a prefix get random addresses of it
    #[arg(long, value_name = "FILE")]
    sources: Option<PathBuf>,
    /// Make clients up: uniform:N over global unicast, or prefix:PREFIX:N; may be repeated. uniform:100000, if none are said
    #[arg(long = "clients", value_name = "CLIENTS", conflicts_with = "sources")]
    clients: Vec<Clients>,
    /// Say what addresses of this prefix can reach
    #[arg(long, value_name = "PREFIX", value_parser = sources::net)]
    attacker: Option<Ipv6Net>,
    /// Add so many bots, each somewhere among global unicast
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=sources::MOST))]
    bots: Option<u64>,
    /// What a bot sends, against a good client
    #[arg(long, value_name = "R", default_value_t = 1.0, value_parser = rate, requires = "bots")]
    bot_rate: f64,
    /// The length of the prefix that each bot holds and chooses addresses of
    #[arg(long, value_name = "LENGTH", default_value_t = 48, value_parser = clap::value_parser!(u8).range(3..=128), requires = "bots")]
    bot_prefix: u8,
    /// The object that all clients want: 0x and 32 hexadecimal digits, the number of a block, or a name; a random one
    /// each, if not given
    #[arg(long, value_name = "ID", value_parser = object_id)]
    object: Option<u128>,
    /// The replica that they want, counted from 0
    #[arg(long, value_name = "R", default_value_t = 0)]
    replica: u32,
    /// When they do, in Unix seconds; now, if not given
    #[arg(long, value_name = "UNIXTIME", value_parser = super::unix_time())]
    at: Option<u64>,
    /// As if the service had this many slice bits
    #[arg(long, value_name = "BITS", value_parser = clap::value_parser!(u8).range(1..=20))]
    slice_bits: Option<u8>,
    /// As if there were this many endpoints, all alike
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=4095))]
    endpoints: Option<u16>,
    /// Where the random numbers begin
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Draw a chart into this file (SVG)
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
}

/// All that is said.
#[derive(Serialize)]
struct Report<'a> {
    service: &'a str,
    rule: String,
    prefix: Ipv6Net,
    slice_bits: u8,
    seed: u64,
    clients: u64,
    #[serde(skip)]
    from: String,
    slices: &'a OfSlices,
    /// The clients of neighbouring slices, in at most 64 sums.
    bins: Vec<u64>,
    endpoints: Option<&'a OfEndpoints>,
    attacker: Option<Reach>,
    bots: Option<Bots>,
    chart: Option<PathBuf>,
}

/// Simulates.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let config = if_so(super::config_of(context, args.config.as_deref())?, args);
    let name = service(&config, args.service.as_deref())?;
    let wish = Wish { object: args.object, replica: args.replica, time: args.at.unwrap_or_else(|| context.unix()) };
    let scene = Scene::new(&config, name, wish, args.config.is_none())?;
    if args.bots.is_some() && scene.owners.is_empty() {
        return Err(Failure::new(Code::Invalid, format!("the slices of {name} have no owners that bots could attack"))
            .hint("give the config endpoints, or try --endpoints 16"));
    }
    let (clients, from) = clients(args)?;
    let spread = spread::spread(&scene, &clients, args.sources.is_some(), args.seed, context.terminal)?;
    let attacker = args.attacker.map(|prefix| reach::reach(&scene, prefix)).transpose().map_err(refused)?;
    let botnet = args.bots.map(|count| Botnet { count, rate: args.bot_rate, prefix_length: args.bot_prefix });
    let bots = botnet.zip(spread.endpoints.as_ref());
    let bots = bots.map(|(botnet, endpoints)| bots::bots(&scene, endpoints, botnet, args.seed)).transpose();
    let report = Report {
        service: name,
        rule: scene.service.rule.to_string(),
        prefix: scene.service.prefixes[0],
        slice_bits: scene.service.slice_bits,
        seed: args.seed,
        clients: spread.total,
        from,
        slices: &spread.slices,
        bins: plot::binned(&spread.counts, plot::BINS),
        endpoints: spread.endpoints.as_ref(),
        attacker,
        bots: bots.map_err(refused)?,
        chart: args.chart.clone(),
    };
    if let Some(path) = &args.chart {
        let title = format!("{name}: {} clients under {}", spread.total, report.rule);
        let chart = chart::chart(&title, &spread, report.bots.as_ref())?;
        fs::write(path, chart).with_context(|| format!("the chart {} cannot be written", path.display()))?;
    }
    if context.json {
        context.object(&report)?;
    } else {
        text::print(context, &report)?;
    }
    Ok(Exit::Done)
}

/// The config as if it had what the arguments say.
fn if_so(mut config: Config, args: &Args) -> Config {
    for service in &mut config.services {
        if let Some(bits) = args.slice_bits.filter(|bits| *bits != service.slice_bits) {
            service.slice_bits = bits;
            service.owners.clear();
            service.pinned.clear();
        }
    }
    if let Some(count) = args.endpoints {
        scene::with_endpoints(&mut config, count);
    }
    config
}

/// The service of this name; without one, the only one.
fn service<'a>(config: &'a Config, name: Option<&'a str>) -> Result<&'a str, Failure> {
    match (name, config.services.as_slice()) {
        (Some(name), _) => Ok(name),
        (None, [only]) => Ok(&only.name),
        (None, services) => {
            let names: Vec<_> = services.iter().map(|service| service.name.as_str()).collect();
            Err(Failure::new(Code::Invalid, "the config has several services")
                .hint(format!("name one of them: {}", names.join(", "))))
        }
    }
}

/// The clients, and in words where they come from.
fn clients(args: &Args) -> Result<(Vec<Clients>, String), Failure> {
    let (clients, from) = match &args.sources {
        Some(path) => {
            let clients = sources::read(path)?;
            let from = format!("from {} lines of {}", clients.len(), path.display());
            (clients, from)
        }
        None if args.clients.is_empty() => {
            let prefix = sources::global_unicast();
            (vec![Clients { prefix, count: CLIENTS }], format!("at random in {prefix}"))
        }
        None => {
            let from: Vec<_> = args.clients.iter().map(|clients| clients.prefix.to_string()).collect();
            (args.clients.clone(), format!("at random in {}", from.join(", ")))
        }
    };
    let total = clients.iter().map(|clients| clients.count).fold(0, u64::saturating_add);
    if total > sources::MOST {
        let message = format!("{total} clients are too many to be simulated");
        return Err(Failure::new(Code::Invalid, message).hint(format!("take at most {}", sources::MOST)));
    }
    Ok((clients, from))
}

/// A rate above 0.
fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| *rate > 0.0 && *rate <= 1e9);
    rate.ok_or_else(|| format!("{text} is no rate above 0: write 2, or 0.5"))
}

fn refused(error: AddressError) -> Failure {
    let hint = match error {
        AddressError::NoReplica { .. } => Some("choose one with --replica R".to_owned()),
        AddressError::NoKey => Some("add a key to the ring: ssa-ctl key new FILE".to_owned()),
        AddressError::NoObject | AddressError::Cancelled => None,
    };
    let code = if hint.is_some() { Code::Invalid } else { Code::Failed };
    Failure { code, error: error.into(), hint }
}
