//! `slice`: slices of a service moved, cut finer or coarser, or shared out anew, while frames flow.

use std::str::FromStr;

use clap::Subcommand;

use super::{report, slices};
use crate::{
    change,
    config::{Bounds, Handover, Refusal, WordError, edit},
    context::Context,
    failure::Outcome,
};

/// Move, split, merge or rebalance the slices of a service while frames flow
///
/// Each command prints its plan and does it; with --dry-run it only prints. They change the running config: the next
/// `apply` brings back what its file says. The previous owner of a slice keeps its TCP connections for a while.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    List(slices::Args),
    Move(Move),
    Split(Cut),
    Merge(Cut),
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
    /// For how long the previous owner keeps its connections; as the service says, if not given
    #[arg(long, value_name = "TIME")]
    handover: Option<Handover>,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Cut the prefixes of a service into other slices
///
/// Addresses stay with their endpoints as far as the balance allows. No address is ever without an owner.
#[derive(clap::Args)]
struct Cut {
    /// The service
    service: String,
    /// The bits of a slice's number; one more for a split and one less for a merge, if not given
    bits: Option<u8>,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Share the slices of a service out anew, by weights, with as few moves as can be
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
        Command::Split(args) => cut(context, args, true),
        Command::Merge(args) => cut(context, args, false),
        Command::Rebalance(args) => rebalance(context, args),
    }
}

fn move_slices(context: &mut Context<'_>, args: &Move) -> Outcome {
    let Move { service, slices, endpoint, handover, dry_run } = args;
    let order = change::Order { service, slices: &slices.0, endpoint, handover: handover.map(|time| time.0) };
    let done = change::move_slices(context, &order, *dry_run)?;
    report::steps(context, &done, *dry_run)
}

fn cut(context: &mut Context<'_>, args: &Cut, split: bool) -> Outcome {
    let Cut { service, bits, dry_run } = args;
    super::change(context, *dry_run, |config| {
        let from = config.named(service)?.1.slice_bits;
        let next = if split { from.checked_add(1) } else { from.checked_sub(1) };
        let bits = bits.or(next).unwrap_or(0);
        let (verb, is_that) = if split { ("split", bits > from) } else { ("merge", bits < from && bits > 0) };
        if !is_that {
            let message =
                format!("the slices of {service} have {from} bits: to {verb} them leaves more or fewer, not {bits}");
            let range = if split { format!("{} to 20", from + 1) } else { format!("1 to {}", from.saturating_sub(1)) };
            return Err(Refusal { message, help: format!("bits for `slice {verb}` are {range}") });
        }
        edit::set_slice_bits(config, service, bits)
    })
}

fn rebalance(context: &mut Context<'_>, args: &Rebalance) -> Outcome {
    let Rebalance { service, unpin, dry_run } = args;
    super::change(context, *dry_run, |config| {
        config.named(service)?;
        if *unpin { edit::unpin(config, service, 0..=u32::MAX) } else { Ok(config.clone()) }
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
