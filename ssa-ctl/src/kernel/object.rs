//! The program's object and sizes in; a loaded program with its maps, nothing pinned and nothing attached, out.

use std::os::fd::{AsFd, OwnedFd};

use anyhow::{Context as _, bail};
use aya::{
    Ebpf, EbpfLoader, VerifierLogLevel, include_bytes_aligned,
    maps::{Map, MapData},
    programs::{ProgramError, Xdp},
};
use ssa_common::{
    bits::Words,
    layout,
    rows::{BUCKET, OWNERS},
    siphash::Sip13,
};

use super::{counters, events, marks, pins::Pins, version};
use crate::plan::{blocks, shape::Shape};

/// The BPF object, built with this binary.
static OBJECT: &[u8] = include_bytes_aligned!(concat!(env!("OUT_DIR"), "/ssa"));

/// The filter's name, in the object and as a pin.
pub const FILTER: &str = "ssa_filter";
/// The clock probe's name, in the object and as a pin.
pub const PROBE: &str = "ssa_clock";

/// Names of all maps, in the object and as pins.
pub const MAPS: [&str; 28] = [
    layout::ACTIVE,
    layout::PREFIXES,
    layout::PREVIOUS,
    layout::SERVICES,
    layout::CLOCK,
    layout::COUNTERS,
    layout::META,
    layout::DOCUMENT,
    layout::SLICES,
    layout::HANDOVERS,
    layout::SLICE_COUNTERS,
    layout::ENDPOINTS,
    layout::HOPS,
    layout::FLOWS,
    layout::FLOW_GATES,
    layout::SHARES,
    layout::SHARE_KEY,
    layout::BLOCK_BANKS,
    layout::BLOCKED_SIEVE,
    layout::BLOCKED_INDEX,
    layout::BLOCKED,
    layout::BLOCK_TEXTS,
    layout::EVENTS,
    layout::EVENT_GATES,
    layout::EVENT_RATE,
    layout::SUSPECTS,
    layout::REFUSED,
    layout::CPUS,
];

/// A digest of the objects of the filter and of what marks for it: two builds with the same are the same programs.
pub fn build() -> u64 {
    digest(OBJECT) ^ digest(marks::OBJECT).rotate_left(1)
}

/// A digest of octets.
pub(super) fn digest(octets: &[u8]) -> u64 {
    let words = octets.chunks(8).map(|chunk| chunk.iter().fold(0, |word, &octet| word << 8 | u64::from(octet)));
    words.fold(Sip13::new(Words::default()), Sip13::word).finish(0, octets.len() as u64)
}

/// A loaded object.
pub struct Object(Ebpf);

/// Loads the object with maps of its own.
pub fn load(shape: Shape, cpus: u32) -> anyhow::Result<Object> {
    load_with(shape, cpus, None)
}

/// Loads the object over the maps that are pinned.
pub fn load_over(shape: Shape, cpus: u32, pins: &Pins) -> anyhow::Result<Object> {
    load_with(shape, cpus, Some(pins))
}

fn load_with(shape: Shape, cpus: u32, pins: Option<&Pins>) -> anyhow::Result<Object> {
    let mut loader = EbpfLoader::new();
    loader
        .verifier_log_level(VerifierLogLevel::STATS)
        .map_max_entries(layout::PREFIXES, shape.prefixes * 2)
        .map_max_entries(layout::PREVIOUS, shape.prefixes * 2)
        .map_max_entries(layout::SERVICES, shape.services * 2)
        .map_max_entries(layout::COUNTERS, shape.services * counters::per_service(cpus))
        .map_max_entries(layout::DOCUMENT, shape.chunks * 2)
        // No array has no rows.
        .map_max_entries(layout::SLICES, (shape.slices * 2 / OWNERS).max(1))
        .map_max_entries(layout::HANDOVERS, (shape.slices * 2).max(1))
        .map_max_entries(layout::SLICE_COUNTERS, (shape.slice_cells * cpus).max(1))
        .map_max_entries(layout::ENDPOINTS, (shape.endpoints * 2).max(1))
        .map_max_entries(layout::HOPS, (shape.endpoints * 2 * cpus).max(1))
        .map_max_entries(layout::FLOWS, shape.flows.max(1))
        .map_max_entries(layout::FLOW_GATES, cpus)
        .map_max_entries(layout::SHARES, (shape.shares * cpus).max(1))
        .map_max_entries(layout::BLOCKED_SIEVE, blocks::words(shape.blocks) * 2)
        .map_max_entries(layout::BLOCKED_INDEX, shape.blocks * 2 / BUCKET)
        .map_max_entries(layout::BLOCKED, shape.blocks * 2)
        .map_max_entries(layout::BLOCK_TEXTS, blocks::reasons(shape.blocks) * 2)
        .map_max_entries(layout::EVENTS, events::slots(cpus) * cpus)
        .map_max_entries(layout::EVENT_GATES, cpus)
        .map_max_entries(layout::SUSPECTS, shape.services * cpus)
        .map_max_entries(layout::REFUSED, cpus)
        .map_max_entries(layout::CPUS, cpus);
    if let Some(pins) = pins {
        for name in MAPS {
            loader.map_pin_path(name, pins.map(name));
        }
    }
    let mut object = loader.load(OBJECT).context("cannot make the maps")?;
    for name in [PROBE, FILTER] {
        let program: &mut Xdp = program(&mut object, name)?;
        program.load().map_err(rejected).with_context(|| match version::lack(&version::release()) {
            Some(lack) => format!("cannot load the program {name}: {lack}"),
            None => format!("cannot load the program {name}"),
        })?;
    }
    Ok(Object(object))
}

/// A rejection is told by its last lines: the log as a whole is as long as the program.
fn rejected(error: ProgramError) -> anyhow::Error {
    match error {
        ProgramError::LoadError { io_error, verifier_log } => {
            let log = verifier_log.to_string();
            let lines: Vec<_> = log.lines().rev().take(5).collect();
            let last = lines.into_iter().rev().collect::<Vec<_>>().join("; ");
            anyhow::Error::new(io_error).context(format!("the kernel refuses it: {last}"))
        }
        other => other.into(),
    }
}

fn program<'a>(object: &'a mut Ebpf, name: &str) -> anyhow::Result<&'a mut Xdp> {
    let program = object.program_mut(name).with_context(|| format!("the object has no program {name}"))?;
    Ok(program.try_into()?)
}

impl Object {
    /// The filter.
    pub fn filter(&mut self) -> anyhow::Result<&mut Xdp> {
        program(&mut self.0, FILTER)
    }

    /// The clock probe.
    pub fn probe(&mut self) -> anyhow::Result<&mut Xdp> {
        program(&mut self.0, PROBE)
    }

    /// A descriptor of a map.
    pub fn map(&self, name: &str) -> anyhow::Result<OwnedFd> {
        let map = self.0.map(name).with_context(|| format!("the object has no map {name}"))?;
        let data: &MapData = match map {
            Map::Array(data) | Map::LruHashMap(data) | Map::CpuMap(data) => data,
            _ => bail!("the map {name} is of another kind"),
        };
        Ok(data.fd().as_fd().try_clone_to_owned()?)
    }
}
