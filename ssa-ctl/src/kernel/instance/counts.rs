//! What an instance has counted and remembers, read; and carried from one to the next.

use ssa_common::rows::{Cell, RefusedRow};

use super::{
    super::{events::Rings, pins::Pins},
    Instance, not_whole,
};
use crate::failure::Failure;

impl Instance {
    /// The rings of events of the instance that is pinned there.
    pub fn rings(pins: &Pins) -> Result<Rings, Failure> {
        Rings::open(pins).map_err(not_whole)
    }

    /// The rings of this instance, which was opened for writing or has just been made.
    pub fn own_rings(&self) -> anyhow::Result<Rings> {
        self.events.rings()
    }

    /// Events that were written since the maps were made.
    pub fn events_written(&self) -> anyhow::Result<u64> {
        self.events.written()
    }

    /// The cells of one service, summed over CPUs and what was carried over.
    pub fn cells(&self, service: u32) -> anyhow::Result<Vec<Cell>> {
        self.counters.cells(service)
    }

    /// The packets of some cells of one service, summed, for each CPU; last what was carried over.
    pub fn packets(&self, service: u32, cells: &[usize]) -> anyhow::Result<Vec<u64>> {
        self.counters.packets(service, cells)
    }

    /// Remembers the flows that an earlier instance does.
    pub fn carry_flows(&mut self, from: &Self) -> anyhow::Result<()> {
        // Of a service that wants none any more nobody asks for them.
        if self.meta.flows == 0 { Ok(()) } else { self.flows.carry(&from.flows) }
    }

    /// Goes on with what an earlier instance had counted of slices, where these are the same.
    pub fn carry_slice_frames(&self, from: &Self) -> anyhow::Result<()> {
        self.slice_counters.carry(&from.slice_counters)
    }

    /// Suspects of a service that could not be marked, and such that found no queue, summed over CPUs.
    pub fn unserved(&self, service: u32) -> anyhow::Result<(u64, u64)> {
        let rows = self.suspects.read(service * self.meta.cpus, self.meta.cpus)?;
        Ok(rows.iter().fold((0, 0), |(unmarked, unqueued), row| (unmarked + row.unmarked, unqueued + row.unqueued)))
    }

    /// Packets that began no flow, as it was too soon for another, summed over CPUs.
    pub fn flows_turned_away(&self) -> anyhow::Result<u64> {
        Ok(self.flow_gates.read(0, self.meta.cpus)?.iter().map(|gate| gate.turned_away).sum())
    }

    /// What the kernel has refused to the program, by CPU.
    pub fn refused(&self) -> anyhow::Result<Vec<RefusedRow>> {
        self.refused.read(0, self.meta.cpus)
    }

    /// Writes what an earlier instance had counted to the carried-over row of a service.
    pub fn carry(&self, service: u32, cells: &[Cell]) -> anyhow::Result<()> {
        self.counters.carry(service, cells)
    }
}
