//! SipHash over 64-bit words: a key and words in, a 64-bit number out (Aumasson, Bernstein 2012).
//!
//! The messages of the law are whole words but for the last seven octets, so the caller feeds words and no octet is
//! ever copied to a buffer. Everything inlines: the packet path has no loop over a length.

use crate::bits::Words;

/// SipHash-`C`-`D` in progress.
///
/// It stands in the middle of a round: what of a round the next word does not change is done. After a key that is worth a
/// third of a round, and whoever keeps [`start`] has it for nothing.
#[derive(Clone, Copy)]
pub struct SipHash<const C: usize, const D: usize> {
    v0: u64,
    v1: u64,
    v2: u64,
    v3: u64,
}

/// SipHash-1-3, the law's `H`.
pub type Sip13 = SipHash<1, 3>;
/// SipHash-2-4, the law's `M`.
pub type Sip24 = SipHash<2, 4>;

/// The state that a key of 16 octets gives, in network order as addresses are: for [`SipHash::resume`].
pub const fn start(key: Words) -> [u64; 4] {
    let (k0, k1) = (key.hi.swap_bytes(), key.lo.swap_bytes());
    let (v0, v1) = (k0 ^ 0x736f_6d65_7073_6575, k1 ^ 0x646f_7261_6e64_6f6d);
    let (v2, v3) = (k0 ^ 0x6c79_6765_6e65_7261, k1 ^ 0x7465_6462_7974_6573);
    let SipHash { v0, v1, v2, v3 } = Sip13 { v0, v1, v2, v3 }.begin_round();
    [v0, v1, v2, v3]
}

/// What a message of `length` octets adds to its last block.
pub const fn tail(length: u64) -> u64 {
    length << 56
}

impl<const C: usize, const D: usize> SipHash<C, D> {
    /// Starts with a key.
    pub const fn new(key: Words) -> Self {
        Self::resume(start(key))
    }

    /// Starts with a key's [`start`].
    #[inline(always)]
    pub const fn resume([v0, v1, v2, v3]: [u64; 4]) -> Self {
        Self { v0, v1, v2, v3 }
    }

    /// Takes eight octets, given as the number they are in network order.
    #[inline(always)]
    pub const fn word(self, octets: u64) -> Self {
        self.block(octets.swap_bytes())
    }

    /// Ends with the last 0 to 7 octets of a message, left-aligned in `octets`, and its [`tail`].
    #[inline(always)]
    pub const fn finish(self, octets: u64, tail: u64) -> u64 {
        let mut state = self.block(octets.swap_bytes() | tail);
        state.v2 ^= 0xff;
        let Self { v0, v1, v2, v3 } = state.rounds(D);
        v0 ^ v1 ^ v2 ^ v3
    }

    #[inline(always)]
    const fn block(mut self, word: u64) -> Self {
        self.v3 ^= word;
        self = self.rounds(C);
        self.v0 ^= word;
        self.begin_round()
    }

    /// Rounds of which the first has begun; the last is ended.
    #[inline(always)]
    const fn rounds(mut self, count: usize) -> Self {
        self = self.end_round();
        let mut round = 1;
        while round < count {
            self = self.begin_round().end_round();
            round += 1;
        }
        self
    }

    /// What of a round neither `v2` nor `v3` has a part in.
    #[inline(always)]
    const fn begin_round(self) -> Self {
        let Self { v0, v1, v2, v3 } = self;
        let sum = v0.wrapping_add(v1);
        Self { v0: sum.rotate_left(32), v1: v1.rotate_left(13) ^ sum, v2, v3 }
    }

    #[inline(always)]
    const fn end_round(self) -> Self {
        let Self { mut v0, mut v1, mut v2, mut v3 } = self;
        v2 = v2.wrapping_add(v3);
        v3 = v3.rotate_left(16) ^ v2;
        v2 = v2.wrapping_add(v1);
        v0 = v0.wrapping_add(v3);
        v1 = v1.rotate_left(17) ^ v2;
        v3 = v3.rotate_left(21) ^ v0;
        v2 = v2.rotate_left(32);
        Self { v0, v1, v2, v3 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::hash::Hasher;
    use proptest::prelude::*;
    use siphasher::sip::{SipHasher13, SipHasher24};

    fn ours<const C: usize, const D: usize>(key: [u8; 16], message: &[u8]) -> u64 {
        let mut state = SipHash::<C, D>::new(Words::from_octets(key));
        let mut chunks = message.chunks_exact(8);
        for chunk in &mut chunks {
            state = state.word(u64::from_be_bytes(chunk.try_into().unwrap()));
        }
        let mut last = [0; 8];
        last[..chunks.remainder().len()].copy_from_slice(chunks.remainder());
        state.finish(u64::from_be_bytes(last), tail(message.len() as u64))
    }

    #[test]
    fn the_papers_vector() {
        // Appendix A of the SipHash paper: key 00…0f, message 00…0e.
        let octets: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
        let (key, message) = (octets, &octets[..15]);
        assert_eq!(ours::<2, 4>(key, message), 0xa129_ca61_49be_45e5);
    }

    proptest! {
        #[test]
        fn agrees_with_an_independent_implementation(
            key: [u8; 16], message in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut theirs = SipHasher13::new_with_key(&key);
            theirs.write(&message);
            prop_assert_eq!(ours::<1, 3>(key, &message), theirs.finish());
            let mut theirs = SipHasher24::new_with_key(&key);
            theirs.write(&message);
            prop_assert_eq!(ours::<2, 4>(key, &message), theirs.finish());
        }
    }
}
