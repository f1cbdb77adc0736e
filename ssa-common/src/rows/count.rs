//! What was counted.

use bytemuck::{Pod, Zeroable};

/// Packets and octets of one verdict, on one CPU.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Cell {
    /// Frames.
    pub packets: u64,
    /// Octets of the frames, Ethernet header included.
    pub bytes: u64,
}
