//! The name of a program of somebody else's in; nothing, or an error that says what to install, out.

use std::{
    io::ErrorKind,
    process::{Command, Stdio},
};

use anyhow::{Result, bail};

/// A peer that is not there is an error: a table without it would say less than it seems to.
pub(super) fn require(program: &str, package: &str) -> Result<()> {
    let mut command = Command::new(program);
    let ran = command.arg("--version").stdin(Stdio::null()).output();
    if ran.is_err_and(|error| error.kind() == ErrorKind::NotFound) {
        bail!("{program} is not installed, which the bench compares with: install Debian's package {package}");
    }
    Ok(())
}
