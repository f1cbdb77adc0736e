//! 128 bits as two words, in: addresses and masks; out: the same rotated, reversed, compared.
//!
//! BPF has no 128-bit registers and its compiler turns variable `u128` shifts into calls, so the packet path works on
//! pairs of 64-bit words. Bit 0 is the most significant bit of `hi`, as DESIGN numbers the bits of an address.

use bytemuck::{Pod, Zeroable};

/// 128 bits, most significant word first; the value of 16 network-order octets.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Words {
    /// Bits 0 to 63.
    pub hi: u64,
    /// Bits 64 to 127.
    pub lo: u64,
}

impl Words {
    /// Reads 16 octets in network order.
    #[inline(always)]
    pub const fn from_octets(octets: [u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = octets;
        Self { hi: u64::from_be_bytes([a, b, c, d, e, f, g, h]), lo: u64::from_be_bytes([i, j, k, l, m, n, o, p]) }
    }

    /// The words of a 128-bit number.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the upper half is in `hi`")]
    pub const fn from_u128(value: u128) -> Self {
        Self { hi: (value >> 64) as u64, lo: value as u64 }
    }

    /// The same octets as a processor of this host's byte order loads them: no number, but good to mask and to compare.
    #[inline(always)]
    pub const fn loaded(self) -> Self {
        Self { hi: self.hi.to_be(), lo: self.lo.to_be() }
    }

    /// The 128-bit number these words hold.
    pub const fn to_u128(self) -> u128 {
        (self.hi as u128) << 64 | self.lo as u128
    }

    /// Both words masked.
    #[inline(always)]
    pub const fn and(self, mask: Self) -> Self {
        Self { hi: self.hi & mask.hi, lo: self.lo & mask.lo }
    }

    /// The bits in which the two differ.
    #[inline(always)]
    pub const fn xor(self, other: Self) -> Self {
        Self { hi: self.hi ^ other.hi, lo: self.lo ^ other.lo }
    }

    /// True when no bit is set.
    #[inline(always)]
    pub const fn is_zero(self) -> bool {
        self.hi | self.lo == 0
    }

    /// Rotated left by `by` bits, modulo 128.
    #[inline(always)]
    pub const fn rotate_left(self, by: u32) -> Self {
        let (hi, lo) = self.halves_rotated(by);
        Self { hi: hi.rotated(), lo: lo.rotated() }
    }

    /// The two words of a rotation left by `by` bits, modulo 128, each worked out when it is asked for.
    #[inline(always)]
    pub const fn halves_rotated(self, by: u32) -> (Half, Half) {
        // A rule has one amount, so the branch is foreseen: less work than to choose by masks.
        let (a, b) = if by & 64 == 0 { (self.hi, self.lo) } else { (self.lo, self.hi) };
        let by = by & 63;
        (Half { left: a, right: b, by }, Half { left: b, right: a, by })
    }

    /// Bit `i` becomes bit 127 − `i`.
    #[inline(always)]
    pub const fn reverse(self) -> Self {
        Self { hi: self.lo.reverse_bits(), lo: self.hi.reverse_bits() }
    }
}

/// One word of a rotation: where its bits come from.
#[derive(Clone, Copy)]
pub struct Half {
    left: u64,
    right: u64,
    by: u32,
}

impl Half {
    /// The word.
    #[inline(always)]
    pub const fn rotated(self) -> u64 {
        // `>> 1 >> (63 - by)` is `>> (64 - by)`, and right for 0 too.
        self.left << self.by | self.right >> 1 >> (63 - self.by)
    }
}

/// A 128-bit number with ones in the bits `first` to `first + width - 1`, counted from the most significant.
pub const fn mask(first: u8, width: u8) -> u128 {
    match width {
        0 => 0,
        _ => (u128::MAX << (128 - width as u32)) >> first as u32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn words_rotate_and_reverse_as_u128(value: u128, by in 0u32..128) {
            let words = Words::from_u128(value);
            prop_assert_eq!(words.to_u128(), value);
            prop_assert_eq!(words.rotate_left(by).to_u128(), value.rotate_left(by));
            prop_assert_eq!(words.reverse().to_u128(), value.reverse_bits());
            prop_assert_eq!(Words::from_octets(value.to_be_bytes()), words);
        }
    }

    #[test]
    fn masks_cover_exactly_their_bits() {
        for first in 0..=128u8 {
            for width in 0..=128 - first {
                let ones = mask(first, width);
                assert_eq!(ones.count_ones(), u32::from(width));
                assert!(width == 0 || ones.leading_zeros() == u32::from(first));
            }
        }
    }
}
