//! `hash(P)`: the first bits of SipHash-1-3 over the first P bits of the source, with a public key.

use super::{Pair, hashed};
use crate::{
    bits::Words,
    rows::{HashedRow, RuleRow},
    siphash::{Sip13, SipHash},
};

/// True if every `hash` field of the destination holds its digest.
#[inline(always)]
pub fn conform(row: &RuleRow, pair: &Pair) -> bool {
    for index in 0..row.hashes.min(2) {
        if let Some(field) = hashed(row, index)
            && !field.holds(pair.destination, digest(field, pair.source))
        {
            return false;
        }
    }
    true
}

/// True if the first `hash` field of the destination holds its digest.
#[inline(always)]
pub fn first(row: &RuleRow, pair: &Pair) -> bool {
    let [field, _] = &row.hashed;
    field.holds(pair.destination, digest(field, pair.source))
}

/// `H` of the source, as a 64-bit number.
#[inline(always)]
pub fn digest(field: &HashedRow, source: Words) -> u64 {
    finish(Sip13::resume(field.start), source.and(field.source_mask), field.source_octets.into(), field.tail)
}

/// Takes the source word of 7, 8 or 16 octets as the end of a message with this [`tail`](crate::siphash::tail).
#[inline(always)]
pub(super) fn finish<const C: usize, const D: usize>(state: SipHash<C, D>, word: Words, octets: u64, tail: u64) -> u64 {
    match octets {
        7 => state.finish(word.hi, tail),
        8 => state.word(word.hi).finish(0, tail),
        _ => state.word(word.hi).word(word.lo).finish(0, tail),
    }
}
