//! In: cargo. Out: its commands that only `cargo xtask ci` calls are there.

use anyhow::{Context as _, Result};
use xshell::{Shell, cmd};

use crate::progress::Progress;

const DENY_VERSION: &str = "0.20.2";

/// Installs rustfmt, clippy and cargo-deny where they are missing.
pub(crate) fn ensure(sh: &Shell, progress: &Progress) -> Result<()> {
    for (command, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if !has_command(sh, command) {
            progress
                .step(&format!("adding the toolchain's {component}"), cmd!(sh, "rustup component add {component}"))
                .with_context(|| format!("{component} is missing, and rustup cannot add it: is there a network?"))?;
        }
    }
    if !has_command(sh, "deny") {
        progress
            .step(
                &format!("building cargo-deny {DENY_VERSION} (some minutes)"),
                cmd!(sh, "cargo install cargo-deny --version {DENY_VERSION} --locked"),
            )
            .context("cargo-deny cannot be built: it needs the package registry and a C compiler")?;
    }
    Ok(())
}

fn has_command(sh: &Shell, command: &str) -> bool {
    cmd!(sh, "cargo {command} --version").quiet().ignore_stdout().ignore_stderr().run().is_ok()
}
