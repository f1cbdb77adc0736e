//! In: a machine that may lack everything. Out: the demo built and run in place of this process, so that Ctrl-C is its.

use std::env;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, anyhow, bail};
use xshell::{Shell, cmd};

use crate::progress::Progress;
use crate::setup;
use crate::setup::programs::ADMIN_DIRS;

/// How to show it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Print the table as one JSON object
    #[arg(long)]
    json: bool,
}

/// Makes the machine ready, builds, and becomes the demo.
pub(crate) fn run(sh: &Shell, args: &Args) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        bail!(
            "the demo makes network namespaces and loads a program, for which it must be root. Run\n\n    \
             sudo env \"PATH=$PATH\" \"HOME=$HOME\" cargo xtask demo"
        );
    }
    setup::run(sh, &setup::Args::default())?;
    let progress = Progress::start(sh, "demo")?;
    let target = sh.current_dir().join(env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from));
    let build = cmd!(sh, "cargo build --release --package ssa-ctl --package ssa-tests --bin ssa-ctl --bin ssa-demo");
    // Wherever else somebody's cargo puts things.
    progress.step("building ssa-ctl and the demo", build.arg("--target-dir").arg(&target))?;

    let programs = target.join("release");
    let path = env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .chain(ADMIN_DIRS.iter().map(Into::into))
        .collect::<Vec<_>>();
    let mut demo = Command::new(programs.join("ssa-demo"));
    demo.arg("--ssa-ctl").arg(programs.join("ssa-ctl"));
    demo.env("PATH", env::join_paths(path).context("the PATH cannot be extended")?);
    if args.json {
        demo.arg("--json");
    }
    Err(anyhow!(demo.exec()).context("the demo cannot be run"))
}
