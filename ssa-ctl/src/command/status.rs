//! `status`: what is loaded and attached, its versions, clock and memory, out.

use std::collections::BTreeMap;

use serde_json::{Map, json};
use ssa_common::layout;

use super::settings;
use crate::{
    change::InForce,
    context::Context,
    failure::{Exit, Outcome},
    kernel::{attach::word, netlink::Host, object},
    observe::{
        reading::blocked,
        refused,
        state::{Attached, State},
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
    let state = State::read(&in_force, &Host::ask()?, context.now)?;
    let State { interfaces, program, clock_error, clock_age, is_stale, events, maps, programs, .. } = &state;
    let InForce { pins, running, config, .. } = &in_force;
    let endpoint = in_force.host();
    let blocks: u64 = blocked(&in_force.instance, pins)?.values().sum();
    let build = if state.is_current { "current" } else { "another build" };
    if context.json {
        let settings =
            config.services.iter().filter_map(|service| Some((service.name.clone(), settings::json(service)?)));
        context.object(&json!({
            "pin_root": pins.root(),
            "interfaces": interfaces.iter().map(json).collect::<Vec<_>>(),
            "program": { "id": program, "name": object::FILTER, "build": build },
            "layout_version": layout::VERSION,
            "generation": running.generation,
            "services": config.services.len(),
            "settings": settings.collect::<Map<_, _>>(),
            "blocks": blocks,
            "marked": state.marked.iter().cloned().collect::<BTreeMap<_, _>>(),
            "endpoint": endpoint,
            "clock": { "error_seconds": clock_error, "age_seconds": clock_age, "stale": is_stale },
            "events": { "rate": config.host.events, "written": events },
            "flows": state.flows.map(|(most, away)| json!({ "most": most, "turned_away": away })),
            "diagnostics": state.diagnostics.json(),
            "memory": { "maps_bytes": maps, "programs_bytes": programs, "bytes": maps + programs },
        }))?;
        return Ok(Exit::Done);
    }
    let out = &mut *context.out;
    writeln!(out, "pins        {}", pins.root().display())?;
    writeln!(out, "program     {} {program} ({build}), layout version {}", object::FILTER, layout::VERSION)?;
    let services = match config.services.len() {
        1 => "1 service".to_owned(),
        count => format!("{count} services"),
    };
    writeln!(out, "config      generation {}, {services}", running.generation)?;
    for service in &config.services {
        if let Some(words) = settings::words(service) {
            writeln!(out, "service     {}: {words}", service.name)?;
        }
    }
    if blocks > 0 {
        writeln!(out, "blocked     {blocks} source prefix{}", if blocks == 1 { "" } else { "es" })?;
    }
    for (interface, is_marked) in &state.marked {
        let marked = if *is_marked { "are marked" } else { "are NOT MARKED: run apply" };
        writeln!(out, "suspects    on {interface} {marked}")?;
    }
    if let Some(endpoint) = endpoint {
        writeln!(out, "endpoint    {endpoint} is this host")?;
    }
    let stale = if *is_stale { ", STALE: run apply" } else { "" };
    writeln!(out, "clock       {clock_error:+.3} s off, published {clock_age} s ago{stale}")?;
    match config.host.events {
        0 => writeln!(out, "events      none are kept")?,
        rate => writeln!(out, "events      {rate} a second at most, {events} so far")?,
    }
    if let Some((most, away)) = state.flows {
        writeln!(out, "flows       {most} are remembered at most, {away} packets were turned away")?;
    }
    for (what, count) in state.diagnostics.seen() {
        writeln!(out, "refused     {}: {count}", refused::words(what).0)?;
    }
    let [all, maps, programs] = [maps + programs, *maps, *programs].map(mebibytes);
    writeln!(out, "memory      {all:.1} MiB: {maps:.1} in maps, {programs:.1} in programs")?;
    if interfaces.is_empty() {
        writeln!(out, "interfaces  none")?;
        return Ok(Exit::Done);
    }
    let rows = interfaces.iter().map(|interface| {
        let attached = match (interface.is_attached, interface.is_current) {
            (true, true) => "attached",
            (true, false) => "NOT THE PINNED PROGRAM",
            (false, _) => "NOT ATTACHED",
        };
        let none = || "-".to_owned();
        let [program, link] = [interface.link.map(|(program, _)| program), interface.link.map(|(_, link)| link)];
        let [program, link] = [program, link].map(|id| id.map_or_else(none, |id| id.to_string()));
        let mode = interface.mode.map_or_else(none, |mode| word(mode).into());
        [interface.name.clone(), attached.into(), mode, program, link]
    });
    context.table(["INTERFACE", "STATE", "MODE", "PROGRAM", "LINK"], rows)?;
    Ok(Exit::Done)
}

fn json(Attached { name, is_attached, is_current, mode, link }: &Attached) -> serde_json::Value {
    json!({
        "name": name,
        "attached": is_attached,
        "current": is_current,
        "mode": mode.map(word),
        "program_id": link.map(|(program, _)| program),
        "link_id": link.map(|(_, link)| link),
    })
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mebibytes(octets: u64) -> f64 {
    octets as f64 / f64::from(1 << 20)
}
