//! `issue`: a service and whom an address is for in; addresses out, once or to whoever asks over HTTP, and never the key.

mod answer;
mod follow;
mod listen;
mod offer;
mod rate;
mod tls;

use std::{net::SocketAddr, path::PathBuf};

use ipnet::Ipv6Net;
use serde_json::json;
use ssa_common::rule::{Compiled, Kind, Request, object_id};

use self::rate::Rate;
use super::{
    address::{addresses, refused},
    keyed,
};
use crate::{
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
    sources,
};

/// Give out addresses by a key that stays here
///
/// For one address or one source prefix, it prints what whoever sends from there may use: a strict service takes it from
/// nobody else. With --listen it answers whoever asks over HTTP, until a signal: each client gets addresses for the source of
/// its own connection, and for no other. Keys and certificates that change are followed.
///
/// Exit codes: 0 done, or ended by a signal; 1 it cannot listen; 2 the service or what it needs is not there; 4 nothing is
/// loaded, and no --config; 5 the port may not be used.
#[derive(clap::Args)]
pub struct Args {
    /// The service's name; with --listen the only one that is given out, and without it all of them
    #[arg(required_unless_present = "listen")]
    service: Option<String>,
    /// Whom it is for: an address, or a prefix at least as long as the rule looks at
    #[arg(long, value_name = "SRC", required_unless_present = "listen", conflicts_with = "listen")]
    from: Option<String>,
    /// The object it wants: 0x and 32 hexadecimal digits, the number of a block, or a name
    #[arg(long, value_name = "ID", value_parser = object_id, conflicts_with = "listen")]
    object: Option<u128>,
    /// The replica it wants, counted from 0
    #[arg(long, value_name = "R", default_value_t = 0, conflicts_with = "listen")]
    replica: u32,
    /// How many addresses
    #[arg(short = 'n', value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000), conflicts_with = "listen")]
    count: u32,
    /// Take this config file instead of the running config
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Answer over HTTP at this address and port, until interrupted
    #[arg(long, value_name = "ADDRESS:PORT", value_parser = address)]
    listen: Option<SocketAddr>,
    /// The certificate, and those that lead to a root, in PEM: then it speaks TLS alone
    #[arg(long, value_name = "FILE", requires_all = ["listen", "tls_key"])]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key, in PEM, which nobody else may open
    #[arg(long, value_name = "FILE", requires_all = ["listen", "tls_cert"])]
    tls_key: Option<PathBuf>,
    /// Answers a second to the clients of a /48, from 1/s to 10000/s
    #[arg(long, value_name = "N/s", default_value = "10/s", requires = "listen")]
    rate: Rate,
}

/// Prints addresses, or answers until a signal.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    if let Some(address) = args.listen {
        return listen::serve(context, args, address);
    }
    let (Some(service), Some(from)) = (&args.service, &args.from) else {
        return Err(Failure::new(Code::Invalid, "a service and a source are missing").hint("write SERVICE --from SRC"));
    };
    let source = sources::parse(from).map_err(Failure::refused)?;
    let (config, rings) = super::config_and_keys(context, args.config.as_deref())?;
    let selector = keyed::selector(&config, &rings, service)?;
    let longest = selector.rules().iter().map(source_bits).max().unwrap_or(0);
    if source.prefix_len() < longest {
        let message =
            format!("no address is for all of {source}: the rule looks at the first {longest} bits of a source");
        return Err(Failure::new(Code::Invalid, message)
            .hint(format!("name an address, or a prefix of {longest} bits or more")));
    }
    let time = context.unix();
    let request = Request { source: source.network().to_bits(), object: args.object, replica: args.replica, time };
    let found = addresses(context.terminal, &selector, request, args.count);
    let found = found.collect::<Result<Vec<_>, _>>().map_err(|error| refused(error, service))?;
    if context.json {
        let valid_until = selector.valid_until(time);
        let source = shown(source);
        context
            .object(&json!({ "service": service, "source": source, "addresses": found, "valid_until": valid_until }))?;
    } else {
        found.iter().try_for_each(|address| writeln!(context.out, "{address}"))?;
    }
    Ok(Exit::Done)
}

/// The first bits of a source on which an address depends.
fn source_bits(rule: &Compiled) -> u8 {
    let fields = rule.placed().fields().iter().filter(|field| field.width > 0);
    let of = fields.map(|field| match &field.kind {
        Kind::Src(copied) => copied.offset + field.width,
        kind => kind.source_bits().unwrap_or(0),
    });
    of.max().unwrap_or(0)
}

/// A source as it is written: an address without its length.
fn shown(source: Ipv6Net) -> String {
    if source.prefix_len() == 128 { source.addr().to_string() } else { source.to_string() }
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "not an address and a port, such as [::1]:9476")
}
