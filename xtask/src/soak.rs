//! In: names of tests, or none. Out: the tests that last minutes, run at their whole sizes.

use std::ffi::OsString;

use anyhow::{Context as _, Result};
use xshell::{Shell, cmd};

use crate::{setup, test};

/// The tests that have two sizes. The other one is what `cargo xtask test` runs.
const TESTS: [&str; 5] = ["content::", "forced::", "handover::", "moves::", "rotations::"];

/// What to test.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Parts of the names of tests; without any, all that have a whole size
    tests: Vec<OsString>,
}

/// Makes the machine ready, then tests, one after the other.
pub(crate) fn run(sh: &Shell, args: &Args) -> Result<()> {
    test::refuse_without_root(&[test::Ring::Net])?;
    setup::run(sh, &setup::Args::default())?;
    let tests = if args.tests.is_empty() { TESTS.map(OsString::from).to_vec() } else { args.tests.clone() };
    // The tests would build it themselves, without a word.
    cmd!(sh, "cargo build --package ssa-ctl").run().context("ssa-ctl cannot be built")?;
    cmd!(sh, "cargo test --package ssa-tests --test net -- --nocapture --test-threads 1 {tests...}")
        .env("PATH", test::path()?)
        .env("SSA_SOAK", "1")
        .run()
        .context("tests failed, or could not be built")
}
