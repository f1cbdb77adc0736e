//! In: a machine that may lack everything. Out: the demo built and run in place of this process, so that Ctrl-C is its.

use std::os::unix::process::CommandExt as _;

use anyhow::{Result, anyhow};
use xshell::Shell;

use crate::release;

/// How to show it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print the table as one JSON object
    #[arg(long)]
    json: bool,
}

/// Makes the machine ready, builds, and becomes the demo.
pub(crate) fn run(sh: &Shell, args: &Args) -> Result<()> {
    let mut demo = release::build(sh, "demo", "ssa-demo")?;
    if args.json {
        demo.arg("--json");
    }
    Err(anyhow!(demo.exec()).context("the demo cannot be run"))
}
