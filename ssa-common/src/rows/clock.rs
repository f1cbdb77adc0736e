//! The wall clock, and how finely ticks are cut.

use bytemuck::{Pod, Zeroable};

/// The wall clock, as the program can know it. Written in words that each change in one store.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct ClockRow {
    /// Added to jiffies gives Unix time in ticks.
    pub offset: u64,
    /// Jiffies at which `offset` was last published.
    pub published: u64,
}

/// Into how many parts a tick is cut, so that several events fit one.
pub const TICK_PARTS: u64 = 1 << 12;
