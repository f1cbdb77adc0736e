//! What the endpoint host's maps hold: calls that go to a socket.

use bytemuck::{Pod, Zeroable};

use crate::bits::Words;

/// Calls that go to a socket: to these addresses, by this protocol, to this port.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct LookupRow {
    /// The first address.
    pub first: Words,
    /// The last address.
    pub last: Words,
    /// The address that the socket is bound to; for the controller alone.
    pub to: Words,
    /// The socket's place among the sockets.
    pub socket: u32,
    /// The port that is called.
    pub port: u16,
    /// The port that the socket is bound to; for the controller alone.
    pub to_port: u16,
    /// IP protocol number; 0 behind the last row.
    pub protocol: u8,
    /// Explicit padding.
    pub reserved: [u8; 7],
}

/// What the endpoint host's maps are: written once, before the program is attached.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct LookupMetaRow {
    /// [`LOOKUP_VERSION`](crate::layout::LOOKUP_VERSION).
    pub version: u32,
    /// How many rows are in use.
    pub rows: u32,
    /// A digest of the object that the program was loaded from.
    pub build: u64,
}
