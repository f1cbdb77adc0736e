//! In: the BPF compiler. Out: a bpf-linker that reads what this compiler writes, built against the same LLVM.

use std::ops::RangeInclusive;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use xshell::{Shell, cmd};

use super::compiler::{Compiler, Kind, TARGET};
use crate::progress::Progress;

const VERSION: &str = "0.13.0";
/// The major versions of LLVM that this bpf-linker can be built against.
const LLVM: RangeInclusive<u32> = 21..=23;

const PROBE: &str = r#"
#![no_std]
#[unsafe(no_mangle)]
pub extern "C" fn probe(a: u64) -> u64 { a.swap_bytes() }
"#;

/// The Debian packages that bpf-linker is built from: LLVM, and a library that LLVM's own list of libraries names.
pub(crate) fn packages(llvm: u32) -> [String; 2] {
    [format!("llvm-{llvm}-dev"), "libzstd-dev".to_owned()]
}

/// Does the linker accept what the compiler writes? Asked by linking a function, as `--version` says nothing of LLVM; with
/// debug information, as that is what an older LLVM fails to read.
pub(crate) fn works(sh: &Shell, compiler: &Compiler) -> Result<bool> {
    let dir = sh.create_temp_dir().context("cannot make a folder for the linker's probe")?;
    let [source, bitcode, object] = ["probe.rs", "probe.bc", "probe.o"].map(|name| dir.path().join(name));
    sh.write_file(&source, PROBE)?;

    let (program, args) = compiler.kind.rustc();
    // Without a prebuilt core the host's own must do; the linker takes it all the same.
    let target: &[&str] = if compiler.kind == Kind::Nightly { &[] } else { &["--target", TARGET] };
    let flags = ["--edition", "2024", "--crate-type", "lib", "--emit", "llvm-bc", "-C", "debuginfo=2", "-O"];
    let compile = cmd!(sh, "{program} {args...} {flags...} {target...} -o {bitcode} {source}");
    let link = cmd!(sh, "bpf-linker --target {TARGET} --btf --export probe -o {object} {bitcode}");
    Ok([compile, link].into_iter().all(|cmd| cmd.quiet().ignore_stdout().ignore_stderr().run().is_ok()))
}

/// Builds and installs bpf-linker where none works.
pub(crate) fn ensure(sh: &Shell, progress: &Progress, compiler: &Compiler) -> Result<()> {
    if works(sh, compiler)? {
        return Ok(());
    }
    let llvm = compiler.llvm;
    if !LLVM.contains(&llvm) {
        bail!(
            "bpf-linker {VERSION} can use LLVM {} to {}, and the BPF compiler has LLVM {llvm}: \
             a newer bpf-linker must be named in xtask/src/setup/linker.rs",
            LLVM.start(),
            LLVM.end()
        );
    }

    let feature = format!("llvm-{llvm}");
    let mut install = cmd!(
        sh,
        "cargo install bpf-linker --version {VERSION} --locked --force --no-default-features --features {feature}"
    );
    let debian_prefix = format!("/usr/lib/llvm-{llvm}");
    if Path::new(&debian_prefix).is_dir() {
        install = install.env("LLVM_PREFIX", debian_prefix);
    }
    progress
        .step(&format!("building bpf-linker {VERSION} against LLVM {llvm} (about a minute)"), install)
        .with_context(|| {
            format!(
                "bpf-linker cannot be built: it needs the package registry and LLVM {llvm}'s development files \
                 (LLVM_PREFIX names their folder); without them, `cargo binstall bpf-linker` fetches a built one"
            )
        })?;
    if !works(sh, compiler)? {
        bail!("bpf-linker was installed, and cannot link for {compiler}: is cargo's bin folder on the PATH?");
    }
    Ok(())
}
