//! In: names of packages. Out: they are installed, by root; anybody else is told the command.

use std::cell::Cell;

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
        // A package of ours that would push out one of the machine's is refused by apt rather than installed.
        let install = cmd!(
            self.sh,
            "apt-get install -y --no-install-recommends --no-remove -o DPkg::Lock::Timeout=120 {missing...}"
        );
        self.progress
            .step(&format!("installing Debian packages: {list}"), install.env("DEBIAN_FRONTEND", "noninteractive"))
            .context("apt cannot install what is missing: can it reach its sources, and does no package conflict?")
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
