//! In: the toolchains that are installed. Out: the one that compiles for BPF. Two will do: `bpf`, which is a system's rustc
//! with a prebuilt `core` for BPF (Debian's rustc-web), or nightly with `rust-src`. `ssa-ctl/build.rs` prefers them in
//! the same order.

use std::fmt;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use xshell::{Shell, cmd};

use crate::progress::Progress;

/// Debian's compiler and its `core` for BPF.
pub(crate) const PACKAGES: [&str; 2] = ["rustc-web", "libstd-rust-web-dev-bpf"];

/// The target that has this machine's byte order.
pub(crate) const TARGET: &str = if cfg!(target_endian = "big") { "bpfeb-unknown-none" } else { "bpfel-unknown-none" };

/// A compiler that can compile for BPF.
pub(crate) struct Compiler {
    /// Where it comes from.
    pub(crate) kind: Kind,
    /// The major version of its LLVM, which bpf-linker must share.
    pub(crate) llvm: u32,
    release: String,
}

/// The two ways to have a BPF compiler.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// rustup's toolchain `bpf`.
    Linked,
    /// The system's rustc, of which rustup does not know yet.
    Unlinked,
    /// rustup's nightly, with the sources of `core`.
    Nightly,
}

/// The best compiler that is there, if any.
pub(crate) fn find(sh: &Shell) -> Option<Compiler> {
    examine(sh, Kind::Linked, has_prebuilt_core)
        .or_else(|| examine(sh, Kind::Unlinked, has_prebuilt_core))
        .or_else(|| examine(sh, Kind::Nightly, has_core_sources))
}

/// Makes the compiler known to rustup, or says what to do where there is none.
pub(crate) fn ensure(sh: &Shell, progress: &Progress) -> Result<Compiler> {
    if !super::programs::installed("rustup") {
        bail!("rustup is missing: it chooses between the host's compiler and the one for BPF");
    }
    let compiler = match find(sh) {
        Some(compiler) => compiler,
        None => install_nightly(sh, progress)?,
    };
    match compiler.kind {
        Kind::Unlinked => progress.step(
            "linking the system's rustc as rustup's toolchain `bpf`",
            cmd!(sh, "rustup toolchain link bpf /usr"),
        )?,
        Kind::Nightly if ask(sh, Kind::Linked, &["-V"]).is_some() => bail!(
            "the build takes rustup's toolchain `bpf` where there is one, and this one cannot compile for BPF. \
             Remove it: rustup toolchain uninstall bpf"
        ),
        Kind::Linked | Kind::Nightly => {}
    }
    Ok(compiler)
}

impl Kind {
    /// The program to call, and what comes before rustc's own arguments.
    pub(crate) fn rustc(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Self::Linked => ("rustup", &["run", "bpf", "rustc"]),
            Self::Unlinked => ("/usr/bin/rustc", &[]),
            Self::Nightly => ("rustup", &["run", "nightly", "rustc"]),
        }
    }
}

impl fmt::Display for Compiler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let toolchain = match self.kind {
            Kind::Linked | Kind::Unlinked => "bpf",
            Kind::Nightly => "nightly",
        };
        write!(f, "toolchain `{toolchain}`, rustc {}, LLVM {}", self.release, self.llvm)
    }
}

fn install_nightly(sh: &Shell, progress: &Progress) -> Result<Compiler> {
    progress
        .step(
            "installing a nightly toolchain with rust-src, as apt has no compiler with a core for BPF",
            cmd!(sh, "rustup toolchain install nightly --profile minimal --component rust-src"),
        )
        .context(
            "there is no compiler for BPF: either Debian's packages rustc-web and libstd-rust-web-dev-bpf are needed, \
             or a nightly toolchain with rust-src",
        )?;
    find(sh).context("the nightly toolchain was installed, and is not usable")
}

fn examine(sh: &Shell, kind: Kind, complete: fn(&Path) -> bool) -> Option<Compiler> {
    let (release, llvm) = parse_version(&ask(sh, kind, &["-vV"])?)?;
    let sysroot = ask(sh, kind, &["--print", "sysroot"])?;
    complete(Path::new(&sysroot)).then_some(Compiler { kind, llvm, release })
}

/// What this rustc answers; none if there is no such rustc. Asking does not make rustup fetch one.
fn ask(sh: &Shell, kind: Kind, question: &[&str]) -> Option<String> {
    let (program, args) = kind.rustc();
    let rustc = cmd!(sh, "{program} {args...} {question...}").env("RUSTUP_AUTO_INSTALL", "0");
    rustc.quiet().ignore_stderr().read().ok()
}

fn has_prebuilt_core(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib").join(TARGET).join("lib").is_dir()
}

fn has_core_sources(sysroot: &Path) -> bool {
    sysroot.join("lib/rustlib/src/rust/library/core/src/lib.rs").is_file()
}

/// Release and LLVM's major version, from what `rustc -vV` says.
fn parse_version(text: &str) -> Option<(String, u32)> {
    let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
    let llvm = value("LLVM version: ")?.split('.').next()?.parse().ok()?;
    Some((value("release: ")?.to_owned(), llvm))
}

#[cfg(test)]
mod tests {
    use super::parse_version;

    #[test]
    fn version_of_rustc_is_read() {
        let text = "rustc 1.96.0 (built from a source tarball)\nbinary: rustc\nrelease: 1.96.0\nLLVM version: 22.1.8";
        assert_eq!(parse_version(text), Some(("1.96.0".to_owned(), 22)));
        assert_eq!(parse_version("release: 1.96.0"), None);
    }
}
