//! A number of services in; how long commands take that look at them and change them, out.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

use super::{Context, Figure, figure};
use crate::bench::site::{Site, text};

/// What a command that changes nothing may take, in milliseconds.
const GOAL: f64 = 20.0;

/// The commands, with what `changed` is in their answers.
const COMMANDS: [(&str, Option<bool>, Option<f64>); 4] = [
    ("apply-changed", Some(true), None),
    ("apply-unchanged", Some(false), Some(GOAL)),
    ("status", None, Some(GOAL)),
    ("stats", None, Some(GOAL)),
];

pub(super) fn run(context: &Context, services: usize) -> Result<Vec<Figure>> {
    let site = Site::new(context)?;
    let files = [site.file("one.toml", &text(services, 48))?, site.file("other.toml", &text(services, 56))?];
    let (rounds, loads) = (context.rounds(15), context.rounds(9));
    let steps = u64::from(loads) + u64::from(rounds) * COMMANDS.len() as u64;
    let phase = context.phase(&format!("control: {rounds} rounds with {services} services"), steps);

    let mut first = Vec::new();
    for _ in 0..loads {
        site.said(&["down"])?;
        let (took, said) = timed(&site, &["apply", &files[0]])?;
        ensure!(said["generation"] == 1, "the first apply found something: {said}");
        first.push(took);
        phase.step()?;
    }
    let mut took = [const { Vec::new() }; COMMANDS.len()];
    for round in 0..rounds as usize {
        let file = &files[(round + 1) % 2];
        for ((name, changed, _), took) in COMMANDS.iter().zip(&mut took) {
            let arguments = if changed.is_some() { vec!["apply", file] } else { vec![*name] };
            let (milliseconds, said) = timed(&site, &arguments)?;
            let as_it_should = said["changed"].as_bool() == *changed;
            ensure!(as_it_should, "{name}: {said}");
            took.push(milliseconds);
            phase.step()?;
        }
    }
    let plural = if services == 1 { "" } else { "s" };
    let of = |name: &str, took, goal| {
        let (id, name) = (format!("{name}/{services}"), name.replace('-', ", "));
        figure(&id, format!("{name}, {services} service{plural}"), "ms", took, goal)
    };
    let others = COMMANDS.iter().zip(took).map(|((name, _, goal), took)| of(name, took, *goal));
    Ok([of("apply-first", first, None)].into_iter().chain(others).collect())
}

/// Milliseconds that a run of `ssa-ctl` takes, from start to exit, and what it prints.
pub(super) fn timed(site: &Site, arguments: &[&str]) -> Result<(f64, Value)> {
    let (output, took) = site.enter(|| {
        let begin = Instant::now();
        (site.command(arguments).output(), begin.elapsed())
    })?;
    let output = output.context("cannot run ssa-ctl")?;
    let said = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "ssa-ctl {} ended with {}: {said}", arguments.join(" "), output.status);
    Ok((took.as_secs_f64() * 1e3, serde_json::from_str(&said).context("ssa-ctl does not write JSON")?))
}
