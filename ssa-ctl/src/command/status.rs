//! `status`: what is loaded and attached, its versions, clock and memory, out.

use std::path::Path;

use anyhow::Context as _;
use aya::programs::ProgramInfo;
use serde_json::json;
use ssa_common::layout;

use crate::{
    change::{InForce, link_states, ticks},
    context::Context,
    failure::{Exit, Outcome},
    kernel::{
        attach::{Link, word},
        clock::now,
        netlink::Host,
        object,
    },
};

/// Show what is loaded and attached
///
/// Interfaces with mode, program and link; layout version, generation, clock, memory. Exit code 4 where nothing is
/// loaded.
#[derive(clap::Args)]
pub struct Args {}

/// Shows the state of the instance.
pub fn run(context: &mut Context<'_>, _: &Args) -> Outcome {
    let in_force = InForce::read(context)?;
    let InForce { pins, instance, running, config } = &in_force;
    let filter = info(&pins.filter())?;
    let ticks = ticks(pins)?;
    let clock = instance.clock()?;
    let (error, age) = (ticks.error(clock, now(context.now)), ticks.age(clock));
    let max_age = config.services.iter().filter_map(|service| service.max_age).min();
    let stale = max_age.is_some_and(|max_age| age > u64::from(max_age));

    let host = Host::ask()?;
    let mut interfaces = Vec::new();
    for state in link_states(pins, &host)? {
        let link = Link::open(pins, &state.name)?.context("a link went away meanwhile")?;
        // The pin may have a name that the interface had before.
        let found = host.interfaces.iter().find(|interface| interface.index == state.interface);
        interfaces.push(json!({
            "name": found.map_or(&state.name, |interface| &interface.name),
            "attached": state.interface != 0,
            "current": state.current,
            "mode": state.mode.map(word),
            "program_id": link.program,
            "link_id": link.id,
        }));
    }
    // What the config wants and nobody attached, or somebody took away, is a difference worth seeing.
    for name in &config.host.interfaces {
        if !interfaces.iter().any(|interface| interface["name"] == **name) {
            interfaces
                .push(json!({ "name": name, "attached": false, "current": false, "mode": null, "program_id": null, "link_id": null }));
        }
    }
    let endpoint = in_force.host();
    let (maps, programs) = (instance.octets(), octets(&filter) + octets(&info(&pins.probe())?));
    let program = if instance.meta.build == object::build() { "current" } else { "another build" };
    if context.json {
        context.object(&json!({
            "pin_root": pins.root(),
            "interfaces": interfaces,
            "program": { "id": filter.id(), "name": object::FILTER, "build": program },
            "layout_version": layout::VERSION,
            "generation": running.generation,
            "services": config.services.len(),
            "endpoint": endpoint,
            "clock": { "error_seconds": error, "age_seconds": age, "stale": stale },
            "memory": { "maps_bytes": maps, "programs_bytes": programs, "bytes": maps + programs },
        }))?;
        return Ok(Exit::Done);
    }
    let out = &mut *context.out;
    writeln!(out, "pins        {}", pins.root().display())?;
    writeln!(out, "program     {} {} ({program}), layout version {}", object::FILTER, filter.id(), layout::VERSION)?;
    writeln!(out, "config      generation {}, {} services", running.generation, config.services.len())?;
    if let Some(endpoint) = endpoint {
        writeln!(out, "endpoint    {endpoint} is this host")?;
    }
    let stale = if stale { ", STALE: run apply" } else { "" };
    writeln!(out, "clock       {error:+.3} s off, published {age} s ago{stale}")?;
    let [all, maps, programs] = [maps + programs, maps, programs].map(mebibytes);
    writeln!(out, "memory      {all:.1} MiB: {maps:.1} in maps, {programs:.1} in programs")?;
    if interfaces.is_empty() {
        writeln!(out, "interfaces  none")?;
        return Ok(Exit::Done);
    }
    let text =
        |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), Into::into).replace("null", "-");
    let rows = interfaces.iter().map(|interface| {
        let attached = match (&interface["attached"], &interface["current"]) {
            (serde_json::Value::Bool(true), serde_json::Value::Bool(true)) => "attached",
            (serde_json::Value::Bool(true), _) => "NOT THE PINNED PROGRAM",
            _ => "NOT ATTACHED",
        };
        let [mode, program, link] = ["mode", "program_id", "link_id"].map(|key| text(&interface[key]));
        [text(&interface["name"]), attached.into(), mode, program, link]
    });
    let rows: Vec<_> = rows.collect();
    context.table(["INTERFACE", "STATE", "MODE", "PROGRAM", "LINK"], rows)?;
    Ok(Exit::Done)
}

fn info(pin: &Path) -> anyhow::Result<ProgramInfo> {
    ProgramInfo::from_pin(pin).with_context(|| format!("cannot open the pin {}", pin.display()))
}

/// Octets of kernel memory that a program takes: its instructions as the verifier left them, and the machine's.
fn octets(program: &ProgramInfo) -> u64 {
    u64::from(program.size_translated().unwrap_or(0)) + u64::from(program.size_jitted())
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mebibytes(octets: u64) -> f64 {
    octets as f64 / f64::from(1 << 20)
}
