//! The flows that the program remembers; carried from one instance to the next.

use std::os::fd::OwnedFd;

use anyhow::Context as _;
use aya::maps::{HashMap, Map, MapData};
use ssa_common::{
    layout::{FLOW_COARSE, FLOWS},
    rows::{FlowGateRow, FlowKey, FlowRow, TICK_PARTS},
};

/// The quickest that new flows can fill the whole map, in seconds: a flow that sends more often than that stays.
pub const TURNOVER: u32 = 10;
/// Octets of kernel memory that a flow takes: its own, the kernel's for each element, and its bucket.
const ELEMENT: u64 = (size_of::<FlowKey>() + size_of::<FlowRow>()) as u64 + 48 + 16;

/// The map of flows.
pub struct Flows {
    map: HashMap<MapData, [u8; size_of::<FlowKey>()], [u8; size_of::<FlowRow>()]>,
    entries: u32,
}

impl Flows {
    /// Takes the map by its descriptor, with room for so many flows.
    pub fn new(descriptor: OwnedFd, entries: u32) -> anyhow::Result<Self> {
        let named = || format!("the map {FLOWS} is no map of flows");
        let map = MapData::from_fd(descriptor).with_context(named)?;
        Ok(Self { map: HashMap::try_from(Map::LruHashMap(map)).with_context(named)?, entries: entries.max(1) })
    }

    /// Octets of kernel memory that it takes.
    pub const fn octets(&self) -> u64 {
        self.entries as u64 * ELEMENT
    }

    /// Remembers what another map does. What comes to that meanwhile may be missing: it comes again.
    pub fn carry(&mut self, from: &Self) -> anyhow::Result<()> {
        // Where the map changes under its reader, the kernel may begin again: there is an end all the same.
        for (key, row) in from.map.iter().take(from.entries as usize * 2).flatten() {
            self.map.insert(key, row, 0).with_context(|| format!("cannot write the map {FLOWS}"))?;
        }
        Ok(())
    }
}

/// How often each of so many CPUs may remember another flow, for a map of so many flows.
pub fn gates(flows: u32, cpus: u32, hertz: u32) -> Vec<FlowGateRow> {
    let (turnover, flows) = (u64::from(TURNOVER * hertz) * TICK_PARTS, u64::from(flows.max(1)));
    let interval = (turnover * u64::from(cpus)).div_ceil(flows);
    // As many at once as come within a moment.
    let tolerance = (FLOW_COARSE * TICK_PARTS).saturating_sub(interval);
    vec![FlowGateRow { interval, tolerance, ..FlowGateRow::default() }; cpus as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_not_filled_sooner_than_it_turns_over() {
        for (flows, cpus, hertz) in [(65_536, 2, 250), (1 << 22, 1, 100), (65_536, 128, 1000), (1024, 512, 1000)] {
            let rows = gates(flows, cpus, hertz);
            let turnover = u64::from(TURNOVER * hertz) * TICK_PARTS;
            let within = turnover / rows[0].interval * u64::from(cpus);
            assert!(within <= flows.into() && within * 2 > flows.into(), "{within} {flows} {cpus} {hertz}");
            assert_eq!(rows.len(), cpus as usize);
        }
    }
}
