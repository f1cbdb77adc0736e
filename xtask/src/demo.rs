//! In: a machine that may lack everything. Out: the demo built and run in place of this process, so that Ctrl-C is its.

use std::os::unix::process::CommandExt as _;

use anyhow::{Result, anyhow};
use clap::ValueEnum;
use xshell::Shell;

use crate::release;

/// What to show, and how.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What the filter is used for; without it, three rules against three senders
    #[arg(value_enum)]
    shown: Option<Use>,
    /// Print the table as one JSON object
    #[arg(long)]
    json: bool,
}

/// A use that the demo has a story of.
#[derive(Clone, Copy, ValueEnum)]
enum Use {
    /// Naive load sharing: endpoints join and leave, and no client notices
    LoadSharing,
    /// Content addressing: packets travel to the endpoint that holds the object
    Content,
    /// Forced load sharing: strangers find the service, and a botnet cannot gather on one endpoint
    Forced,
}

/// Makes the machine ready, builds, and becomes the demo.
pub(crate) fn run(sh: &Shell, args: &Args) -> Result<()> {
    let mut demo = release::build(sh, "demo", "ssa-demo")?;
    if let Some(shown) = args.shown.as_ref().and_then(ValueEnum::to_possible_value) {
        demo.arg(shown.get_name());
    }
    if args.json {
        demo.arg("--json");
    }
    Err(anyhow!(demo.exec()).context("the demo cannot be run"))
}
