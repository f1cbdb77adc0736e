//! The Ethernet header that leads to an endpoint, compared and written.

use ssa_common::parse::IPV6;

use crate::packet::Room;

/// The octets before the type of an Ethernet header without tags, as they are loaded.
#[derive(Clone, Copy)]
pub struct Link {
    /// The first 8.
    pub start: u64,
    /// The next 4.
    pub end: u32,
}

impl Link {
    /// Whether it leads to the hardware address in the first 6 of these octets, as they are loaded.
    #[inline(always)]
    pub const fn leads_to(self, octets: u64) -> bool {
        const OTHERS: u32 = 16;
        (self.start ^ octets).to_le() << OTHERS == 0
    }

    /// Writes the header.
    #[inline(always)]
    pub fn write<const N: usize>(self, front: &Room<N>) {
        front.put::<0, _>(self.start);
        front.put::<8, _>(self.end);
        front.put::<12, _>(IPV6.to_be());
    }
}
