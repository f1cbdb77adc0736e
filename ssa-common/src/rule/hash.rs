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

/// `H` of the source, as a 64-bit number.
#[inline(always)]
pub fn digest(field: &HashedRow, source: Words) -> u64 {
    finish(Sip13::new(field.key), field, source, 0)
}

/// Takes the source word as the end of a message that had `before` octets so far.
#[inline(always)]
pub(super) fn finish<const C: usize, const D: usize>(
    state: SipHash<C, D>,
    field: &HashedRow,
    source: Words,
    before: u64,
) -> u64 {
    let source = source.and(field.source_mask);
    let length = before + u64::from(field.source_octets);
    match field.source_octets {
        7 => state.finish(source.hi, length),
        8 => state.word(source.hi).finish(0, length),
        _ => state.word(source.hi).word(source.lo).finish(0, length),
    }
}
