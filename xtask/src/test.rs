//! In: the rings that are wanted, and arguments for the tests. Out: what cargo test says of them.

use std::env;
use std::ffi::OsString;

use anyhow::{Context as _, Result, bail};
use clap::ValueEnum;
use xshell::{Shell, cmd};

use crate::setup;
use crate::setup::programs::ADMIN_DIRS;

/// What to test.
#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// The rings; without any, all of them and the unit and documentation tests
    #[arg(value_enum)]
    rings: Vec<Ring>,
    /// Passed on to the tests, as in `-- --nocapture vlan`
    #[arg(last = true)]
    args: Vec<OsString>,
}

/// A test binary of the package ssa-tests.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ring {
    /// The law, on the host
    Law,
    /// The loaded program, through `BPF_PROG_TEST_RUN`
    Run,
    /// Namespaces and veth pairs
    Net,
    /// The commands of ssa-ctl
    Cli,
}

/// Makes the machine ready, then tests.
pub(crate) fn run(sh: &Shell, args: &Args) -> Result<()> {
    refuse_without_root(&args.rings)?;
    setup::run(sh, &setup::Args::default())?;
    cargo_test(sh, args)
}

/// Tests, on a machine that is ready.
fn cargo_test(sh: &Shell, args: &Args) -> Result<()> {
    let mut what: Vec<&str> = Vec::new();
    if args.rings.is_empty() {
        what.extend(["--workspace", "--exclude", "ssa-ebpf"]);
    } else {
        what.extend(["--package", "ssa-tests"]);
        for ring in &args.rings {
            what.extend(["--test", ring.name()]);
        }
    }
    let passed_on = &args.args;
    cmd!(sh, "cargo test --no-fail-fast {what...} -- {passed_on...}")
        .env("PATH", path()?)
        .run()
        .context("tests failed, or could not be built")
}

/// Where the programs are that tests run.
pub(crate) fn path() -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    let all = env::split_paths(&path).chain(ADMIN_DIRS.iter().map(Into::into));
    env::join_paths(all).context("the PATH cannot be extended")
}

/// A ring that cannot run is an error: skipped, it would look like a pass.
pub(crate) fn refuse_without_root(rings: &[Ring]) -> Result<()> {
    let needs_root = rings.is_empty() || rings.iter().any(|ring| *ring != Ring::Law);
    if needs_root && !rustix::process::geteuid().is_root() {
        bail!(
            "the rings run, net and cli load programs and make namespaces, for which they must be root. Run\n\n    \
             sudo env \"PATH=$PATH\" \"HOME=$HOME\" cargo xtask test\n\n\
             or, as you are, the law alone: cargo xtask test law"
        );
    }
    Ok(())
}

impl Ring {
    fn name(self) -> &'static str {
        match self {
            Self::Law => "law",
            Self::Run => "run",
            Self::Net => "net",
            Self::Cli => "cli",
        }
    }
}
