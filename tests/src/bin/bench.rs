//! In: the path of `ssa-ctl`, and what is to be measured. Out: figures.

use std::{path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Parser;
use ssa_tests::bench::{Context, Section};

/// Measures the filter, with peers beside it in the same run
#[derive(Parser)]
#[command(name = "ssa-bench")]
struct Args {
    /// The ssa-ctl to measure
    #[arg(long, value_name = "FILE")]
    ssa_ctl: PathBuf,
    /// The sections; without any, all of them
    #[arg(value_enum)]
    sections: Vec<Section>,
    #[arg(long)]
    rounds: Option<u32>,
    #[arg(long)]
    brief: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<()> {
    let context = Context { ssa_ctl: args.ssa_ctl, rounds: args.rounds, brief: args.brief };
    for figure in Section::Micro.run(&context)? {
        println!(
            "{:40} {:8.2} {:8.2} {:8.2} {:8.2} {:?} {:?}  {}",
            figure.id,
            figure.spread.min,
            figure.spread.p25,
            figure.spread.median,
            figure.spread.p75,
            figure.goal,
            figure.ratios.values().map(|r| r.value).collect::<Vec<_>>(),
            figure.name
        );
    }
    Ok(())
}
