//! `dns`: one file a command on what the DNS says of services.

mod query;
mod serve;
mod zone;

use clap::Subcommand;

use crate::{context::Context, failure::Outcome};

/// Publish services in the DNS, or ask what it says of them
///
/// Clients find a service's prefixes (APL, RFC 3123) and its rule (SVCB, RFC 9460, or TXT) below its name, at the label
/// `_ssa`.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Zone(zone::Args),
    Serve(serve::Args),
    Query(query::Args),
}

/// Runs one of the commands on the DNS.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    match &args.command {
        Command::Zone(args) => zone::run(context, args),
        Command::Serve(args) => serve::run(context, args),
        Command::Query(args) => query::run(context, args),
    }
}
