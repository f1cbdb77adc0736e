//! A config in; how large the maps must be for it, out.

use ssa_common::layout::{DOCUMENT_CHUNK, SHARE_COLUMNS};

use super::{blocks, slices};
use crate::config::{Config, Established};

/// The sizes of the maps, fixed when they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Service numbers, the one outside all services included.
    pub services: u32,
    /// Slots of one bank of the prefix table, a power of two.
    pub prefixes: u32,
    /// Chunks of one bank of the document.
    pub chunks: u32,
    /// Slices of one bank.
    pub slices: u32,
    /// Counters of slices on each CPU: one for each slice, or none.
    pub slice_cells: u32,
    /// Endpoints of one bank.
    pub endpoints: u32,
    /// Flows that are remembered, or none.
    pub flows: u32,
    /// Rows that count frames by source prefix, on each CPU, or none.
    pub shares: u32,
    /// Slots of one bank of the block list's table, a power of two.
    pub blocks: u32,
}

/// Services there is room for from the start, the one outside all services included.
const SERVICES: u32 = 256;
/// Slots of the prefix table from the start: twice as many as prefixes fit.
const PREFIXES: u32 = 1024;
/// Chunks of the document from the start.
const CHUNKS: u32 = 64;
/// Slices there is room for from the start, where there are any.
const SLICES: u32 = 1 << 16;
/// Endpoints there is room for from the start, where there are any.
const ENDPOINTS: u32 = 64;

impl Shape {
    /// The shape for a config whose document has `document` octets: room to grow, and no less than the usual.
    pub fn of(config: &Config, document: usize) -> Self {
        let count = |of: usize| u32::try_from(of).unwrap_or(u32::MAX / 4);
        let room = |needed: u32, usual: u32| if needed == 0 { 0 } else { needed.next_power_of_two().max(usual) };
        let slices = room(slices::needed(config), SLICES);
        let counted = config.services.iter().any(|service| service.slice_counters);
        let services = (count(config.services.len()) + 1).next_power_of_two().max(SERVICES);
        let remembers = config.services.iter().any(|service| service.established == Some(Established::Flows));
        let shares = config.services.iter().any(|service| service.fair.is_some());
        let prefixes: usize = config.services.iter().map(|service| service.prefixes.len()).sum();
        Self {
            prefixes: (count(prefixes) * 2).next_power_of_two().max(PREFIXES),
            chunks: count((document + size_of::<u64>()).div_ceil(DOCUMENT_CHUNK)).next_power_of_two().max(CHUNKS),
            services,
            slices,
            flows: if remembers { config.host.flows } else { 0 },
            shares: if shares { SHARE_COLUMNS * 2 + 1 + services } else { 0 },
            slice_cells: if counted { slices } else { 0 },
            endpoints: room(count(config.endpoints.len()), ENDPOINTS),
            blocks: blocks::slots(&[]),
        }
    }

    /// True if maps of this shape hold what needs `other`.
    pub const fn holds(&self, other: &Self) -> bool {
        self.services >= other.services
            && self.prefixes >= other.prefixes
            && self.chunks >= other.chunks
            && self.slices >= other.slices
            && self.slice_cells >= other.slice_cells
            && self.endpoints >= other.endpoints
            && self.flows >= other.flows
            && self.shares >= other.shares
            && self.blocks >= other.blocks
    }
}
