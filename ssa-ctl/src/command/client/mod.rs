//! `client`: what a client host does for programs that know nothing of rules. One file a command.

mod attach;
mod detach;
mod list;

use clap::Subcommand;

use crate::{context::Context, failure::Outcome};

/// Send the calls of unmodified programs to addresses that follow the rule
///
/// Programs of a cgroup that call a service by its anchor, the address that DNS has for clients that know nothing of rules,
/// reach an address that is computed for each connection. They notice nothing of it. Other programs and other addresses are
/// left alone. No process has to live for it.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Attach(attach::Args),
    Detach(detach::Args),
    List(list::Args),
}

/// Runs one of the commands on client hosts.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    match &args.command {
        Command::Attach(args) => attach::run(context, args),
        Command::Detach(args) => detach::run(context, args),
        Command::List(args) => list::run(context, args),
    }
}
