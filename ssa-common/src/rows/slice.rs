//! Where the slices of a prefix are, and how their frames go on.

use bytemuck::{Pod, Zeroable};

use crate::bits::Words;

/// How an address of a prefix tells its slice, and what is done with it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct SliceRow {
    /// The first slice of the service, counted from the bank's first.
    pub first: u32,
    /// The ones of a slice's number, right-aligned.
    pub mask: u32,
    /// Counters of slices on each CPU, or 0 where the service's are not counted.
    pub cells: u32,
    /// Bits by which the address's upper word is shifted left, to meet the lower word.
    pub up: u8,
    /// Bits by which its last word with a bit of the slice's number is shifted right.
    pub down: u8,
    /// 1: that is the upper word.
    pub upper: u8,
    /// How a frame goes to another endpoint: `STEER_*`.
    pub steer: u8,
}

/// By the kernel's routes.
pub const STEER_ROUTE: u8 = 0;
/// As it is, to the endpoint's hardware address.
pub const STEER_L2: u8 = 1;
/// In an IPv6 packet of its own.
pub const STEER_IP6IP6: u8 = 2;

impl SliceRow {
    /// For slices of `bits` bits, at most 31, behind a prefix of `length`; the two are at most 128.
    pub const fn behind(length: u8, bits: u8) -> Self {
        let end = length + bits;
        // What comes from the upper word meets the lower one, or falls off where all is in the lower.
        let up = if end > 64 && length < 64 { end - 64 } else { 63 };
        let (upper, down) = if end <= 64 { (1, 64 - end) } else { (0, 128 - end) };
        Self { first: 0, mask: (1 << bits) - 1, cells: 0, up, down: down & 63, upper, steer: STEER_ROUTE }
    }

    /// The number of an address's slice.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the mask leaves 20 bits")]
    pub const fn number(&self, address: Words) -> u32 {
        let Words { hi, lo } = address;
        let bits = if self.upper != 0 { hi >> (self.down & 63) } else { hi << (self.up & 63) | lo >> (self.down & 63) };
        bits as u32 & self.mask
    }
}
