//! In: names of packages. Out: they are installed, by root; anybody else is told the command.

use std::{
    cell::Cell,
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::{Context as _, Result, bail};
use xshell::{Shell, cmd};

use super::{compiler, programs};
use crate::progress::Progress;

/// Debian's package manager.
pub(crate) struct Apt<'a> {
    sh: &'a Shell,
    progress: &'a Progress,
    root: bool,
    refreshed: Cell<bool>,
}

impl<'a> Apt<'a> {
    /// None where the system has another package manager.
    pub(crate) fn find(sh: &'a Shell, progress: &'a Progress) -> Option<Self> {
        let root = rustix::process::geteuid().is_root();
        programs::installed("apt-get").then(|| Self { sh, progress, root, refreshed: Cell::new(false) })
    }

    /// May it install anything?
    pub(crate) fn is_root(&self) -> bool {
        self.root
    }

    /// The major version of LLVM in the BPF compiler that would be installed; none where apt knows no such compiler.
    pub(crate) fn llvm_of_compiler(&self) -> Result<Option<u32>> {
        self.refresh()?;
        let packages = compiler::PACKAGES;
        // Debian's first 12 had a rustc-web without a core for BPF.
        if !packages.iter().all(|package| self.knows(package)) {
            return Ok(None);
        }
        let dependencies_only = ["recommends", "suggests", "conflicts", "breaks", "replaces", "enhances"]
            .map(|kind| format!("--no-{kind}"));
        let tree = cmd!(self.sh, "apt-cache depends --recurse {dependencies_only...} {packages...}")
            .quiet()
            .ignore_stderr()
            .read();
        Ok(tree.ok().and_then(|tree| parse_llvm(&tree)))
    }

    /// Can this package be installed?
    pub(crate) fn knows(&self, package: &str) -> bool {
        cmd!(self.sh, "apt-cache show --no-all-versions {package}")
            .quiet()
            .ignore_stdout()
            .ignore_stderr()
            .run()
            .is_ok()
    }

    /// Installs what of these is not there.
    pub(crate) fn install(&self, packages: &[String]) -> Result<()> {
        let missing: Vec<&String> = packages.iter().filter(|package| !self.has(package)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let list = missing.iter().map(|package| package.as_str()).collect::<Vec<_>>().join(" ");
        if !self.root {
            bail!(
                "Debian packages are missing, and only root can install them. Run\n\n    \
                 sudo apt-get update && sudo apt-get install -y --no-install-recommends {list}\n\n\
                 and then this command again"
            );
        }
        self.refresh()?;
        let _policy = Policy::start_nothing()?;
        let names = &missing;
        // A package of ours that would push out one of the machine's is refused by apt rather than installed.
        let install = cmd!(
            self.sh,
            "apt-get install -y --no-install-recommends --no-remove -o DPkg::Lock::Timeout=120 {names...}"
        );
        self.progress
            .step(&format!("installing Debian packages: {list}"), install.env("DEBIAN_FRONTEND", "noninteractive"))
            .context("apt cannot install what is missing: can it reach its sources, and does no package conflict?")?;
        self.disable(&missing)
    }

    /// What a package would start at the next boot: tests start it themselves, and nobody else has asked for it.
    fn disable(&self, installed: &[&String]) -> Result<()> {
        let is_new = |package: &str| installed.iter().any(|installed| *installed == package);
        let units = programs::SERVICES.iter().filter(|(package, _)| is_new(package)).map(|(_, unit)| *unit);
        let units: Vec<&str> = units.collect();
        if units.is_empty() || !programs::installed("systemctl") {
            return Ok(());
        }
        let list = units.join(" ");
        let disable = cmd!(self.sh, "systemctl disable {units...}");
        self.progress
            .step(&format!("letting none of these start by itself: {list}"), disable)
            .context("services that came along cannot be disabled: do it by hand")
    }

    /// Fetches the lists of packages, once, and only as root.
    fn refresh(&self) -> Result<()> {
        if !self.root || self.refreshed.replace(true) {
            return Ok(());
        }
        self.progress
            .step("fetching the lists of Debian packages", cmd!(self.sh, "apt-get update -o DPkg::Lock::Timeout=120"))
            .context("apt cannot fetch its lists: is there a network?")
    }

    fn has(&self, package: &str) -> bool {
        let status = "${db:Status-Status}";
        cmd!(self.sh, "dpkg-query -W -f {status} {package}")
            .quiet()
            .ignore_stderr()
            .read()
            .is_ok_and(|status| status == "installed")
    }
}

/// While it lives, packages start no services (Debian's `policy-rc.d`).
struct Policy(Option<&'static Path>);

impl Policy {
    const PATH: &str = "/usr/sbin/policy-rc.d";

    /// A policy that is there already is left alone: whoever has made it wants it.
    fn start_nothing() -> Result<Self> {
        let path = Path::new(Self::PATH);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o755).open(path);
        match made {
            Ok(mut file) => {
                let policy = Self(Some(path));
                file.write_all(b"#!/bin/sh\nexit 101\n").context("packages cannot be kept from starting services")?;
                Ok(policy)
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(Self(None)),
            Err(error) => Err(error).with_context(|| format!("cannot write {}", path.display())),
        }
    }
}

impl Drop for Policy {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            // Another may have removed it.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The number in `libllvmNN`, the library that rustc loads.
fn parse_llvm(tree: &str) -> Option<u32> {
    tree.split_whitespace().find_map(|word| word.strip_prefix("libllvm")?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::parse_llvm;

    #[test]
    fn llvm_is_read_from_the_compilers_libraries() {
        let tree =
            "rustc-web\n  Depends: libgcc-s1\nlibstd-rust-web-1.96\n  Depends: libllvm22\n  Depends: libstdc++6\n";
        assert_eq!(parse_llvm(tree), Some(22));
        assert_eq!(parse_llvm("rustc-web\n  Depends: libllvm-dev\n"), None);
    }
}
