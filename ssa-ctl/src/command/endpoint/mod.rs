//! `endpoint`: one file a command on endpoints.

mod host;

use clap::Subcommand;

use crate::{context::Context, failure::Outcome};

/// Make this host an endpoint
///
/// An endpoint accepts every address of its slices, and answers from the address that was called.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Host(host::Args),
}

/// Runs one of the commands on endpoints.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    match &args.command {
        Command::Host(args) => host::run(context, args),
    }
}
