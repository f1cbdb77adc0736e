//! Who sends more than its share.

use bytemuck::{Pod, Zeroable};

/// Which share of a service's frames a source prefix may have.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct FairRow {
    /// The bits of a source's upper word that are its prefix.
    pub mask: u64,
    /// The share, of 2^16.
    pub share: u32,
    /// Frames in a window up to which nobody is above the share.
    pub above: u32,
    /// The logarithm of a window's ticks.
    pub window: u32,
    /// [`ShareRow`]s of each CPU; 0 where there are none.
    pub rows: u32,
}

/// Frames of some source prefixes of a service, or of all, on one CPU: in a window of ticks, and in the one before.
///
/// For each CPU there are [`SHARE_COLUMNS`](crate::layout::SHARE_COLUMNS) rows, twice, in which a source prefix has a place
/// each by a keyed hash; then a row of all frames, and one for each service's number, of all its frames.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct ShareRow {
    /// The window's number; its lower bits.
    pub window: u32,
    /// Frames in it.
    pub frames: u32,
    /// Frames in the window before.
    pub before: u32,
    /// Explicit padding.
    pub reserved: u32,
}
