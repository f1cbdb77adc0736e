//! What the maps are.

use bytemuck::{Pod, Zeroable};

/// What the maps are and whose: written once, before anything is attached.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct MetaRow {
    /// [`VERSION`](crate::layout::VERSION).
    pub version: u32,
    /// CPUs the counters have rows for, without the carried-over one.
    pub cpus: u32,
    /// Service numbers, the one outside all services included.
    pub services: u32,
    /// Slots of one bank of the prefix table, a power of two.
    pub prefixes: u32,
    /// Chunks of one bank of the document.
    pub chunks: u32,
    /// Slices of one bank.
    pub slices: u32,
    /// Counters of slices on each CPU.
    pub slice_cells: u32,
    /// Endpoints of one bank.
    pub endpoints: u32,
    /// Flows that are remembered.
    pub flows: u32,
    /// Rows that count frames by source prefix, on each CPU.
    pub shares: u32,
    /// Slots of one bank of the block list's table.
    pub blocks: u32,
    /// Ticks a second (the kernel's HZ).
    pub hertz: u32,
    /// Cookie of the network namespace that owns the instance.
    pub netns: u64,
    /// A digest of the object that the program was loaded from.
    pub build: u64,
}
