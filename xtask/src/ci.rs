//! In: the checkout. Out: every check run, whatever the others say, and a table of what failed.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use xshell::{Shell, cmd};

use crate::{setup, test, tidy};

/// A check has a name and a way to fail.
type Check = (&'static str, fn(&Shell) -> Result<()>);

const CHECKS: &[Check] = &[
    ("setup", |sh| setup::run(sh, &setup::Args { ci: true })),
    ("test", |sh| test::run(sh, &test::Args::default())),
    ("fmt", |sh| Ok(cmd!(sh, "cargo fmt --all --check").run()?)),
    ("clippy (host)", clippy_host),
    ("clippy (BPF)", clippy_bpf),
    ("tidy", tidy::run),
    // The advisories are left out: their database is not to be had offline.
    ("deny", |sh| Ok(cmd!(sh, "cargo deny check --hide-inclusion-graph bans licenses sources").run()?)),
];

/// Runs all checks; fails if one did.
pub(crate) fn run(sh: &Shell) -> Result<()> {
    let mut outcomes = Vec::new();
    for (name, check) in CHECKS {
        println!("\n=== {name}");
        let begun = Instant::now();
        let result = check(sh);
        if let Err(error) = &result {
            println!("{name}: {error:#}");
        }
        outcomes.push((*name, result.is_ok(), begun.elapsed()));
    }

    print!("\n{}", table(&outcomes));
    let failed: Vec<_> = outcomes.iter().filter(|(_, ok, _)| !ok).map(|(name, ..)| *name).collect();
    if !failed.is_empty() {
        bail!("failed: {}", failed.join(", "));
    }
    Ok(())
}

fn clippy_host(sh: &Shell) -> Result<()> {
    cmd!(sh, "cargo clippy --workspace --exclude ssa-ebpf --all-targets -- -D warnings").run()?;
    Ok(())
}

/// Apart, as features of the host's crates would reach the BPF crate; on the host, as no BPF compiler brings clippy.
fn clippy_bpf(sh: &Shell) -> Result<()> {
    cmd!(sh, "cargo clippy --package ssa-ebpf -- -D warnings -C panic=abort").run()?;
    Ok(())
}

fn table(outcomes: &[(&str, bool, Duration)]) -> String {
    let row = |(name, ok, took): &(&str, bool, Duration)| {
        format!("{name:<14} {:<6} {:>5.1} s\n", if *ok { "ok" } else { "FAILED" }, took.as_secs_f64())
    };
    outcomes.iter().map(row).collect()
}
