//! In: the name of a program of the package ssa-tests. Out: it and `ssa-ctl` built as users run them, and a command that
//! runs it.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use xshell::{Shell, cmd};

use crate::progress::Progress;
use crate::setup;
use crate::setup::programs::ADMIN_DIRS;

/// Makes the machine ready and builds; what to run is told where `ssa-ctl` is.
pub(crate) fn build(sh: &Shell, task: &'static str, program: &str) -> Result<Command> {
    refuse_without_root(task)?;
    setup::run(sh, &setup::Args::default())?;
    let progress = Progress::start(sh, task)?;
    let target = sh.current_dir().join(env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from));
    let build = cmd!(sh, "cargo build --release --package ssa-ctl --package ssa-tests --bin ssa-ctl --bin {program}");
    // Wherever else somebody's cargo puts things.
    progress.step(&format!("building ssa-ctl and the {task}"), build.arg("--target-dir").arg(&target))?;

    let programs = target.join("release");
    let path = env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .chain(ADMIN_DIRS.iter().map(Into::into))
        .collect::<Vec<_>>();
    let mut command = Command::new(programs.join(program));
    command.arg("--ssa-ctl").arg(programs.join("ssa-ctl"));
    command.env("PATH", env::join_paths(path).context("the PATH cannot be extended")?);
    Ok(command)
}

fn refuse_without_root(task: &str) -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        bail!(
            "the {task} makes network namespaces and loads programs, for which it must be root. Run\n\n    \
             sudo env \"PATH=$PATH\" \"HOME=$HOME\" cargo xtask {task}"
        );
    }
    Ok(())
}
