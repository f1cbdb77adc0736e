//! `address`: a service, a source and what is wanted in; the addresses that a client would compute out.

use std::{net::Ipv6Addr, ops::ControlFlow, path::PathBuf};

use indicatif::ProgressBar;
use serde_json::json;
use ssa_client::{Selector, pow};
use ssa_common::rule::{AddressError, Compiled, Request, object_id};

use super::{keyed, progress};
use crate::{
    client::hint,
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
};

/// Compute the addresses that a client uses
///
/// The service's rule makes them from the client's own address, the object it wants and the time. A rule with a `mac`
/// needs the service's key files; one with a `pow` searches on all cores, which takes as long as it takes a client. With several
/// prefixes the addresses are spread over them in order. `--config` takes a file's services and needs no privilege.
///
/// Exit codes: 0 computed; 2 the service or what it needs is not there; 4 nothing is loaded.
#[derive(clap::Args)]
pub struct Args {
    /// The service's name
    service: String,
    /// The address that the client sends from
    #[arg(long, value_name = "SRC")]
    from: Ipv6Addr,
    /// The object it wants: 0x and 32 hexadecimal digits, the number of a block, or a name
    #[arg(long, value_name = "ID", value_parser = object_id)]
    object: Option<u128>,
    /// The replica it wants, counted from 0
    #[arg(long, value_name = "R", default_value_t = 0)]
    replica: u32,
    /// When it does, in Unix seconds; now, if not given
    #[arg(long, value_name = "UNIXTIME", value_parser = super::unix_time())]
    at: Option<u64>,
    /// How many addresses
    #[arg(short = 'n', value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    count: u32,
    /// Take this config file instead of the running config
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Prints addresses.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let (config, rings) = super::config_and_keys(context, args.config.as_deref())?;
    let selector = keyed::selector(&config, &rings, &args.service)?;
    let request = Request {
        source: args.from.to_bits(),
        object: args.object,
        replica: args.replica,
        time: args.at.unwrap_or_else(|| context.unix()),
    };
    let mut found = Vec::new();
    for address in addresses(context.terminal, &selector, request, args.count) {
        let address = address.map_err(|error| refused(error, &args.service))?;
        if context.json {
            found.push(address);
        } else {
            writeln!(context.out, "{address}")?;
        }
    }
    if context.json {
        context.object(&json!({ "service": args.service, "source": args.from, "addresses": found }))?;
    }
    Ok(Exit::Done)
}

/// As many addresses, which take turns over the prefixes in order.
pub(super) fn addresses(
    terminal: bool,
    selector: &Selector,
    request: Request,
    count: u32,
) -> impl Iterator<Item = Result<Ipv6Addr, AddressError>> {
    let rules = selector.rules().iter().cycle().take(count as usize);
    rules.map(move |rule| Search::new(terminal, rule).destination(&request))
}

/// A service that has no such address, and what is missing.
pub(super) fn refused(error: AddressError, service: &str) -> Failure {
    let hint = hint(error);
    let code = if hint.is_some() { Code::Invalid } else { Code::Failed };
    let error = anyhow::Error::new(error).context(format!("the service {service} has no such address"));
    Failure { code, error, hint: hint.map(str::to_owned) }
}

/// A search for an address, which shows on a terminal how far it is.
pub(super) struct Search<'a> {
    rule: &'a Compiled,
    bar: ProgressBar,
}

impl<'a> Search<'a> {
    /// A search by this rule, shown if `terminal`.
    pub(super) fn new(terminal: bool, rule: &'a Compiled) -> Self {
        Self { rule, bar: progress::search(terminal, pow::zeros(rule)) }
    }

    /// The destination that a client would use.
    pub(super) fn destination(&self, request: &Request) -> Result<Ipv6Addr, AddressError> {
        let mut progress = |attempts| {
            self.bar.set_position(attempts);
            ControlFlow::Continue(())
        };
        let address = pow::destination(self.rule, request, &mut progress);
        self.bar.finish_and_clear();
        address.map(Ipv6Addr::from)
    }
}
