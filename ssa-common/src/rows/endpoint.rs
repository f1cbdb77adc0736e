//! An endpoint, and the way there.

use bytemuck::{Pod, Zeroable};

use crate::bits::Words;

/// An endpoint, in the order of the endpoints' addresses.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct EndpointRow {
    /// Its address.
    pub address: Words,
    /// The address of this host, where it is an endpoint: the source of what is sent to this one.
    pub source: Words,
    /// The way to it as the controller found it, for where the kernel's routes may not be asked.
    pub hop: HopRow,
}

impl EndpointRow {
    /// A way to this endpoint, with the addresses that frames are wrapped with for it.
    #[must_use]
    pub const fn by(&self, way: HopRow) -> HopRow {
        HopRow { source: self.source.loaded(), destination: self.address.loaded(), ..way }
    }
}

/// A way to an endpoint, and between which addresses: one cache line has all that a frame sent there needs.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct HopRow {
    /// The first 8 octets of the Ethernet header, as they are loaded.
    pub link: u64,
    /// The next 4.
    pub link_end: u32,
    /// The interface to leave by; 0: there is no way.
    pub interface: u32,
    /// The longest packet that may be sent.
    pub mtu: u32,
    /// The tick at which the last packet was refused for its length; its lower bits.
    pub refused: u32,
    /// The tick up to which this is believed.
    pub until: u64,
    /// The address of this host to wrap with, [`loaded`](Words::loaded); zeros: it has none.
    pub source: Words,
    /// The endpoint's address, [`loaded`](Words::loaded).
    pub destination: Words,
}

impl HopRow {
    /// The same way for packets no longer than by a way that was found before, if that is by the same interface: of a
    /// route's own MTU the kernel tells a program only if it is locked, and the controller sees each.
    #[must_use]
    pub const fn within(self, found: &Self) -> Self {
        let is_longer = found.interface == self.interface && found.mtu < self.mtu;
        Self { mtu: if is_longer { found.mtu } else { self.mtu }, ..self }
    }
}
