//! `slice`: slices of a service moved, cut finer or coarser, or shared out anew, while frames flow.

use std::str::FromStr;

use clap::Subcommand;

use super::{Edited, report, slices};
use crate::{
    change,
    config::{Bounds, Handover, WordError, edit},
    context::Context,
    failure::Outcome,
};

/// Move, unpin, split, merge or rebalance the slices of a service while frames flow
///
/// Each command prints its plan and does it; with --dry-run it only prints. The next `apply` brings back the `slice_bits` and
/// the pins of its file, but the owners only if the file lists them: slices that have moved stay where they are, without a
/// pin. The previous owner of a slice keeps its TCP connections for a while.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(slices::Args),
    Move(Move),
    Unpin(Unpin),
    Split(Split),
    Merge(Merge),
    Rebalance(Rebalance),
}

/// Move slices to an endpoint, where they stay whatever the balance
///
/// Each slice moves by one store to a word: a frame goes to the old owner or to the new one.
#[derive(clap::Args)]
struct Move {
    /// The service
    service: String,
    /// The slices: 7, or 0-15, or several of these behind commas
    slices: Ranges,
    /// The endpoint
    endpoint: String,
    /// For how long the previous owner keeps its connections, up to 35040h; as the service says, if not given
    #[arg(long, value_name = "TIME")]
    handover: Option<Handover>,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Take the pins of slices away, and leave the slices where they are
///
/// From then on they go where the balance takes them when slices are shared out anew: by `slice rebalance`, or by a change
/// of the service's endpoints. A slice of an endpoint that is draining goes to another one at once.
#[derive(clap::Args)]
struct Unpin {
    /// The service
    service: String,
    /// The slices: 7, or 0-15, or several of these behind commas
    slices: Ranges,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Cut the slices of a service finer
///
/// The parts of a slice stay with its endpoint, as far as the balance allows. No address is ever without an owner. Slices
/// that are counted are counted from zero.
#[derive(clap::Args)]
struct Split {
    /// The service
    service: String,
    /// The bits of a slice's number, up to 20; one more than now, if not given
    bits: Option<u8>,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Make one slice of several
///
/// It goes to the endpoint that had most of them, as far as the balance allows, and the endpoint that had the next most
/// keeps its connections for a while. Slices that are pinned to different endpoints are not merged. Slices that are counted
/// are counted from zero.
#[derive(clap::Args)]
struct Merge {
    /// The service
    service: String,
    /// The bits of a slice's number, at least 1; one less than now, if not given
    bits: Option<u8>,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Share the slices of a service out anew, by weights, with as few moves as can be
///
/// Nothing else does so while the endpoints of the service stay the same: neither `apply` nor what becomes of other services.
#[derive(clap::Args)]
struct Rebalance {
    /// The service
    service: String,
    /// Let slices go that were made to stay where they are
    #[arg(long)]
    unpin: bool,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Slices by their numbers: `7`, `0-15`, `0-3,8`.
#[derive(Clone, Debug)]
struct Ranges(Vec<Bounds>);

impl FromStr for Ranges {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const FORM: WordError = WordError("write slices as 7, 0-15, or several of these behind commas, as in 0-3,8");
        text.split(',').map(|bounds| bounds.parse().map_err(|_| FORM)).collect::<Result<_, _>>().map(Self)
    }
}

/// Runs one of the commands on slices.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    match &args.command {
        Command::List(args) => slices::run(context, args),
        Command::Move(args) => move_slices(context, args),
        Command::Unpin(Unpin { service, slices, dry_run }) => {
            super::change(context, *dry_run, |config| edit::unpin(config, service, &slices.0))
        }
        Command::Split(Split { service, bits, dry_run }) => {
            super::change(context, *dry_run, |config| edit::split(config, service, *bits))
        }
        Command::Merge(Merge { service, bits, dry_run }) => {
            super::change(context, *dry_run, |config| edit::merge(config, service, *bits))
        }
        Command::Rebalance(args) => rebalance(context, args),
    }
}

fn move_slices(context: &mut Context<'_>, args: &Move) -> Outcome {
    let Move { service, slices, endpoint, handover, dry_run } = args;
    let order = change::Order { service, slices: &slices.0, endpoint, handover: handover.map(|time| time.0) };
    let done = change::move_slices(context, &order, *dry_run)?;
    report::steps(context, &done, &[], *dry_run)
}

fn rebalance(context: &mut Context<'_>, args: &Rebalance) -> Outcome {
    let Rebalance { service: name, unpin, dry_run } = args;
    super::change(context, *dry_run, |config| {
        let mut config = config.clone();
        let (place, _) = config.named(name)?;
        if *unpin {
            config.services[place].pinned.clear();
        }
        Ok(Edited { rebalance: Some(name.clone()), ..Edited::from(config) })
    })
}

#[cfg(test)]
mod tests {
    use super::Ranges;

    #[test]
    fn slices_are_read_as_they_are_written() {
        for good in ["7", "0-15", "0-3,8,10-10"] {
            assert!(good.parse::<Ranges>().is_ok(), "{good}");
        }
        for bad in ["", "a", "3-1", "1-", "-1", "+1", "1,,2", "1 2", "4294967296"] {
            assert!(bad.parse::<Ranges>().is_err(), "{bad}");
        }
    }
}
