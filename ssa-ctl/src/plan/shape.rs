//! A config in; how large the maps must be for it, out.

use crate::config::Config;
use ssa_common::layout::DOCUMENT_CHUNK;

/// The sizes of the maps, fixed when they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Service numbers, the one outside all services included.
    pub services: u32,
    /// Slots of one bank of the prefix table, a power of two.
    pub prefixes: u32,
    /// Chunks of one bank of the document.
    pub chunks: u32,
}

/// Services there is room for from the start, the one outside all services included.
const SERVICES: u32 = 256;
/// Slots of the prefix table from the start: twice as many as prefixes fit.
const PREFIXES: u32 = 1024;
/// Chunks of the document from the start.
const CHUNKS: u32 = 64;

impl Shape {
    /// The shape for a config whose document has `document` octets: room to grow, and no less than the usual.
    pub fn of(config: &Config, document: usize) -> Self {
        let count = |of: usize| u32::try_from(of).unwrap_or(u32::MAX / 4);
        let prefixes: usize = config.services.iter().map(|service| service.prefixes.len()).sum();
        Self {
            services: (count(config.services.len()) + 1).next_power_of_two().max(SERVICES),
            prefixes: (count(prefixes) * 2).next_power_of_two().max(PREFIXES),
            chunks: count((document + size_of::<u64>()).div_ceil(DOCUMENT_CHUNK)).next_power_of_two().max(CHUNKS),
        }
    }

    /// True if maps of this shape hold what needs `other`.
    pub const fn holds(&self, other: &Self) -> bool {
        self.services >= other.services && self.prefixes >= other.prefixes && self.chunks >= other.chunks
    }
}
