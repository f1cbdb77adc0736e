//! Link headers: the one that leads to an endpoint, compared and written; the one that a frame has, moved within it.

use ssa_common::parse::{ETHERNET, Frame as _, IPV6, MAX_TAGS, TAG};

use crate::packet::{Packet, Room};

/// Octets of a link header with all the tags that are looked through.
pub const MAX_LINK: u32 = ETHERNET + MAX_TAGS * TAG;

/// Copies a link header of so many octets to another place of its frame: its last octets first if that is behind it, so that
/// nothing is read that was written.
#[inline(always)]
pub fn copy(packet: &Packet<true>, octets: u32, from: u32, to: u32) -> Option<()> {
    for step in 0..MAX_LINK / 2 {
        let place = 2 * if to > from { MAX_LINK / 2 - 1 - step } else { step };
        if place < octets {
            let pair = packet.read::<u16>(from.wrapping_add(place))?;
            packet.write(to.wrapping_add(place), pair);
        }
    }
    Some(())
}

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
