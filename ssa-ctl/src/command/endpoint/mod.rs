//! `endpoint`: one file a command on endpoints.

mod change;
mod host;

use clap::Subcommand;

use super::endpoints;
use crate::{context::Context, failure::Outcome};

/// Add, drain or remove endpoints while frames flow, or make this host one
///
/// Each command prints its plan and does it; with --dry-run it only prints. `add`, `drain` and `remove` change the running
/// config: the next `apply` brings back the endpoints of its file, and where they are others than those in force, the slices
/// are shared out among them.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(endpoints::Args),
    Add(change::Add),
    Drain(change::Drain),
    Remove(change::Remove),
    Host(host::Args),
}

/// Runs one of the commands on endpoints.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    match &args.command {
        Command::List(args) => endpoints::run(context, args),
        Command::Add(args) => change::add(context, args),
        Command::Drain(args) => change::drain(context, args),
        Command::Remove(args) => change::remove(context, args),
        Command::Host(args) => host::run(context, args),
    }
}
