//! In: a machine that may lack everything, and what is to be measured. Out: the bench built and run in place of this
//! process, so that Ctrl-C is its.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use xshell::Shell;

use crate::release;

/// What to measure.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The sections; without any, all of them, but for --brief
    sections: Vec<OsString>,
    /// How many rounds; without, what each section thinks best
    #[arg(long)]
    rounds: Option<u32>,
    /// Write the whole run to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Draw the section micro into this file
    #[arg(long, value_name = "FILE.svg")]
    chart: Option<PathBuf>,
    /// Compare with an earlier run, as --json wrote it
    #[arg(long, value_name = "FILE")]
    against: Option<PathBuf>,
    /// As few rounds as show that everything works, of the section micro alone unless others are named
    #[arg(long)]
    brief: bool,
}

/// Makes the machine ready, builds, and becomes the bench.
pub(crate) fn run(sh: &Shell, args: &Args) -> Result<()> {
    let mut bench = release::build(sh, "bench", "ssa-bench")?;
    bench.args(&args.sections);
    if let Some(rounds) = args.rounds {
        bench.args(["--rounds", &rounds.to_string()]);
    }
    for (option, file) in [("--json", &args.json), ("--chart", &args.chart), ("--against", &args.against)] {
        if let Some(file) = file {
            bench.arg(option).arg(file);
        }
    }
    if args.brief {
        bench.arg("--brief");
    }
    Err(anyhow!(bench.exec()).context("the bench cannot be run"))
}
