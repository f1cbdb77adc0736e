//! Which flows are remembered.

use bytemuck::{Pod, Zeroable};

use crate::bits::Words;

/// A flow that follows the rule, or did.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct FlowKey {
    /// The client's address.
    pub remote: Words,
    /// The address it uses.
    pub local: Words,
    /// The client's port.
    pub remote_port: u16,
    /// The port it uses.
    pub local_port: u16,
    /// IP protocol number.
    pub protocol: u8,
    /// Explicit padding.
    pub reserved: [u8; 3],
}

/// What is remembered of a flow.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct FlowRow {
    /// The tick of its last frame, to [`FLOW_COARSE`](crate::layout::FLOW_COARSE) ticks.
    pub seen: u64,
    /// Its service's [`tag`](super::ServiceRow::tag).
    pub tag: u64,
}

/// How often one CPU remembers another flow.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct FlowGateRow {
    /// The time, in [`TICK_PARTS`](super::TICK_PARTS) of a tick since boot, from which on another flow may be remembered.
    pub next: u64,
    /// Time that each flow takes of those after it, in the same.
    pub interval: u64,
    /// How much of the time to come may be taken already.
    pub tolerance: u64,
    /// Packets that began no flow, as it was too soon for another.
    pub turned_away: u64,
}
