//! In: a machine with rustup. Out: one that builds the BPF program and runs the tests, each step told before it is
//! taken; or an error that says what to do by hand. Where nothing is missing, nothing is done.

mod apt;
mod bpffs;
mod ci_tools;
mod compiler;
mod linker;
pub(crate) mod programs;

use anyhow::{Result, bail};
use xshell::Shell;

use self::apt::Apt;
use self::compiler::{Compiler, Kind};
use self::programs::Program;
use crate::progress::Progress;

/// What to make ready.
#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Also what only `cargo xtask ci` needs: rustfmt, clippy, cargo-deny
    #[arg(long)]
    pub(crate) ci: bool,
}

/// Installs what is missing.
pub(crate) fn run(sh: &Shell, args: &Args) -> Result<()> {
    let progress = Progress::start(sh, "setup")?;

    let missing = programs::missing();
    let compiler = compiler::find(sh);
    let builds = match &compiler {
        Some(compiler) => linker::works(sh, compiler)?,
        None => false,
    };
    if !builds || !missing.is_empty() {
        install_packages(sh, &progress, &missing, compiler.as_ref(), builds)?;
    }
    let compiler = compiler::ensure(sh, &progress)?;
    linker::ensure(sh, &progress, &compiler)?;
    bpffs::ensure(sh, &progress)?;
    if args.ci {
        ci_tools::ensure(sh, &progress)?;
    }

    progress.say(&format!("ready: {compiler}"));
    Ok(())
}

/// One call of apt for all that is missing, so that a person without root has one command to copy.
fn install_packages(
    sh: &Shell,
    progress: &Progress,
    missing: &[&Program],
    compiler: Option<&Compiler>,
    builds: bool,
) -> Result<()> {
    let Some(apt) = Apt::find(sh, progress) else {
        if missing.is_empty() {
            return Ok(());
        }
        let programs = programs::explain(missing);
        let nightly = match compiler {
            None => "  and a compiler: rustup toolchain install nightly --component rust-src\n",
            Some(_) => "",
        };
        bail!(
            "there is no apt-get here to install what is missing; needed are\n{programs}{nightly}and then this command again"
        );
    };
    let mut packages: Vec<String> = missing.iter().map(|program| program.package.to_owned()).collect();
    if !builds {
        packages.extend(build_packages(&apt, compiler)?);
    }
    apt.install(&packages)
}

/// What compiler and linker come from. Debian's compiler is taken where it can be had, as it needs no nightly.
fn build_packages(apt: &Apt<'_>, compiler: Option<&Compiler>) -> Result<Vec<String>> {
    if let Some(compiler) = compiler
        && compiler.kind != Kind::Nightly
    {
        return Ok(linker::packages(compiler.llvm).to_vec());
    }
    let debian = if compiler.is_some() && !apt.is_root() { None } else { apt.llvm_of_compiler()? };
    Ok(match (debian, compiler) {
        (Some(llvm), _) => compiler::PACKAGES.map(str::to_owned).into_iter().chain(linker::packages(llvm)).collect(),
        (None, Some(nightly)) => {
            linker::packages(nightly.llvm).into_iter().filter(|package| apt.knows(package)).collect()
        }
        (None, None) => Vec::new(),
    })
}
