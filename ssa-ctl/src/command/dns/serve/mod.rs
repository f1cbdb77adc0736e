//! `dns serve`: services in; a DNS server for their zone, or one for this host's programs that computes, out.

mod bind;
mod rewrite;
mod zone;

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use self::rewrite::Rewriting;
use crate::{context::Context, dns::Publishing, failure::Outcome};

/// How long a TCP connection may say nothing.
const IDLE: Duration = Duration::from_secs(5);

/// Serve the records that publish services, or addresses that are computed by them
///
/// A small server, authoritative for one zone, over UDP and TCP, with the records that `dns zone` prints. It follows its
/// config: it looks once a second whether there is another, and at once at SIGHUP; while that cannot be read or published,
/// it answers what it answered before. It has no zone transfer, no dynamic updates and no DNSSEC: for tests and labs. On the
/// Internet, let another server serve what `dns zone` prints.
///
/// With --rewrite it serves programs of this host that know nothing of rules, and listens on loopback alone. It passes
/// questions on to --server, and answers as they came; but where a name has a rule, the AAAA records that it says are addresses
/// computed for this host, and there are no A records. What such a rule needs, --object, --replica and --key say; without it
/// the name is answered as it is, with a warning. SIGINT, SIGTERM and SIGHUP end it.
///
/// Exit codes: 0 interrupted; 1 it cannot listen; 2 a service has no name in the zone, or what is said does not fit together;
/// 4 nothing is loaded, and no --config; 5 the port may not be used.
#[derive(clap::Args)]
#[command(
    mut_arg("zone", |zone| zone.required(false).required_unless_present("rewrite")),
    mut_group("Resolving", |group| group.conflicts_with("Publishing")),
    mut_group("Chosen", |group| group.conflicts_with("Publishing")),
    mut_group("KeyFiles", |group| group.conflicts_with("Publishing")),
)]
pub struct Args {
    #[command(flatten)]
    publishing: Option<Publishing>,
    /// Answer at this address and port
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "[::1]:5353", value_parser = bind::address)]
    listen: SocketAddr,
    /// Serve the services of this config file instead of the running config
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Answer with computed addresses for names that have a rule, and as --server does for all others
    #[arg(long, requires = "servers", conflicts_with_all = ["Publishing", "config"])]
    rewrite: bool,
    #[command(flatten)]
    rewriting: Rewriting,
}

/// Serves until a signal.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    match &args.publishing {
        Some(publishing) => zone::serve(context, publishing, args.listen, args.config.as_deref()),
        None => rewrite::serve(context, &args.rewriting, args.listen),
    }
}
