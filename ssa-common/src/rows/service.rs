//! What a service has beside its prefixes, which only some of its frames need.

use bytemuck::{Pod, Zeroable};

use super::{FairRow, LowRow};
use crate::layout::ALLOWED;

/// What only some frames of a service need.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct ServiceRow {
    /// UTF-8, zero-filled; empty in an unused row.
    pub name: [u8; 64],
    /// How many of `allow` are in use.
    pub allowed: u32,
    /// The service's number.
    pub number: u32,
    /// Which share of its frames a source prefix may have.
    pub fair: FairRow,
    /// Ticks for which a flow is remembered that sends nothing: of TCP, and of UDP.
    pub idle: [u64; 2],
    /// Tells its flows from those of others that had its number.
    pub tag: u64,
    /// The protocols the service takes.
    pub allow: [AllowRow; ALLOWED],
    /// What low priority is, beyond a code point.
    pub low: LowRow,
}

/// One protocol a service takes; zeros are none.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct AllowRow {
    /// The destination port, if `any_port` is 0.
    pub port: u16,
    /// IP protocol number.
    pub protocol: u8,
    /// 1: whatever the port.
    pub any_port: u8,
}
