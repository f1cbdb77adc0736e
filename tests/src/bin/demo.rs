//! In: the path of `ssa-ctl`. Out: the demo, told or as JSON; exit code 0 if all was as it should be.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    process::ExitCode,
    time::Instant,
};

use anyhow::{Result, ensure};
use clap::Parser;
use ssa_tests::{
    demo::{self, Sizes, Tell, Use},
    stop::{Interrupted, Stop},
};

/// Shows the filter at work, in network namespaces that are gone afterwards
///
/// Three rules; under each a client that follows it, one that does not, and a flood from spoofed sources. Or, where it is
/// named, what the filter is used for. Exit codes: 0 all is as it should be; 1 it is not, or could not be asked; 130
/// interrupted.
#[derive(Parser)]
#[command(name = "ssa-demo")]
struct Args {
    /// The use to show
    #[arg(value_enum)]
    shown: Option<Use>,
    /// How many networks the bots of `forced` are in
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    bots: u32,
    /// The ssa-ctl to show
    #[arg(long, value_name = "FILE")]
    ssa_ctl: PathBuf,
    /// How many objects are stored, for content
    #[arg(long, value_name = "COUNT", default_value_t = 4096)]
    objects: u32,
    /// Print the table as one JSON object, and nothing else
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match play(args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  caused by: {cause}");
            }
            if error.is::<Interrupted>() { ExitCode::from(130) } else { ExitCode::FAILURE }
        }
    }
}

fn play(args: Args) -> Result<bool> {
    ensure!(
        rustix::process::geteuid().is_root(),
        "the demo makes network namespaces and loads a program, for which it must be root: run it with sudo"
    );
    // Before there is any other thread.
    let stop = Stop::watch()?;
    let tell = Tell::new(args.json);
    let start = Instant::now();
    let sizes = Sizes { bots: usize::try_from(args.bots)?, objects: args.objects };
    let ending = demo::run(args.shown, sizes, args.ssa_ctl, tell, &stop)?;
    let is_right = ending.faults.is_empty();
    if args.json {
        // Whoever reads no more misses only this.
        let _ = writeln!(io::stdout(), "{}", ending.json);
        return Ok(is_right);
    }
    tell.print(&format!("\n{}\n\n", ending.table));
    if is_right {
        tell.sentence(&tell.bold(&format!("All is as it should be, after {} s.", start.elapsed().as_secs())));
    } else {
        tell.sentence(&tell.bold("Not all is as it should be:"));
        for fault in &ending.faults {
            tell.outcome(false, fault);
        }
    }
    Ok(is_right)
}
