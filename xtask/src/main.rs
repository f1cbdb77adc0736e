//! In: the arguments of `cargo xtask`. Out: one task done, or the reason why not, and an exit code.

mod bench;
mod ci;
mod demo;
mod progress;
mod release;
mod setup;
mod soak;
mod test;
mod tidy;

use std::env;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use xshell::Shell;

/// Work on this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Install what building and testing need; quick when nothing is missing
    Setup(setup::Args),
    /// Show the filter at work, in network namespaces that are gone afterwards
    Demo(demo::Args),
    /// Measure the filter, with peers beside it in the same run
    Bench(bench::Args),
    /// Run the tests: all of them, or the rings that are named
    Test(test::Args),
    /// Run the tests that last minutes at their whole sizes: connections and floods while slices move
    Soak(soak::Args),
    /// Everything a change must pass: tests, formatting, clippy, tidy, dependencies
    Ci,
    /// What clippy cannot say about the sources and documents
    Tidy,
}

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            for cause in error.chain().skip(1) {
                eprintln!("  for: {cause}");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<()> {
    let sh = workspace_shell()?;
    match cli.task {
        Task::Setup(args) => setup::run(&sh, &args),
        Task::Demo(args) => demo::run(&sh, &args),
        Task::Bench(args) => bench::run(&sh, &args),
        Task::Test(args) => test::run(&sh, &args),
        Task::Soak(args) => soak::run(&sh, &args),
        Task::Ci => ci::run(&sh),
        Task::Tidy => tidy::run(&sh),
    }
}

/// A shell at the root of the workspace, whatever folder the task was called from.
fn workspace_shell() -> Result<Shell> {
    let package = env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask`, not by its path")?;
    let sh = Shell::new().context("cannot read the current folder")?;
    let root = Path::new(&package).parent().context("the package has no workspace around it")?;
    sh.change_dir(root);
    Ok(sh)
}
