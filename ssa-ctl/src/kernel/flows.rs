//! The flows that the program remembers; carried from one instance to the next.

use std::os::fd::OwnedFd;

use anyhow::Context as _;
use aya::maps::{HashMap, Map, MapData};
use ssa_common::{
    layout::{FLOW_COARSE, FLOWS},
    rows::{FlowGateRow, FlowKey, FlowRow},
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

/// How many flows each of so many CPUs may remember anew, for a map of so many flows.
pub fn gates(flows: u32, cpus: u32, hertz: u32) -> Vec<FlowGateRow> {
    let most = u64::from(flows) * FLOW_COARSE / u64::from(TURNOVER * hertz * cpus).max(1);
    let row = FlowGateRow { most: u32::try_from(most).unwrap_or(u32::MAX).max(1), ..FlowGateRow::default() };
    vec![row; cpus as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_is_not_filled_sooner_than_it_turns_over() {
        for (flows, cpus, hertz) in [(65_536, 2, 250), (1 << 22, 1, 100), (65_536, 128, 1000)] {
            let rows = gates(flows, cpus, hertz);
            let a_second = u64::from(rows[0].most) * u64::from(hertz) / FLOW_COARSE * u64::from(cpus);
            assert!(a_second * u64::from(TURNOVER) <= flows.into(), "{flows} {cpus} {hertz}");
            assert!(a_second * u64::from(TURNOVER) * 2 > flows.into(), "{flows} {cpus} {hertz}");
            assert_eq!(rows.len(), cpus as usize);
        }
    }
}
