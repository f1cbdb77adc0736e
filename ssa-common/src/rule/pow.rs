//! `pow(P, zeros, period)`: a nonce such that SHA-256 over everything begins with zero bits.

use super::{
    Pair,
    epoch::{self, Clock, Epochs, MAX_EPOCHS, Window},
    hashed,
};
use crate::{
    rows::{HashedRow, RuleRow},
    sha256,
};

/// True if every `pow` field of the destination holds a proof for an epoch that is accepted.
#[inline(always)]
pub fn conform(row: &RuleRow, pair: &Pair, clock: &impl Clock, window: Window) -> bool {
    let first = row.hashes + row.macs;
    for index in 0..2 {
        if index < first || index >= first + row.pows {
            continue;
        }
        if let Some(field) = hashed(row, index)
            && !conforms(row, field, pair, clock, window)
        {
            return false;
        }
    }
    true
}

#[inline(always)]
fn conforms(row: &RuleRow, field: &HashedRow, pair: &Pair, clock: &impl Clock, window: Window) -> bool {
    let (newest, count) = match epoch::accepted(row, field, clock, window) {
        Epochs::Try { newest, count } => (newest, count),
        Epochs::Settled(accept) => return accept,
    };
    for back in 0..MAX_EPOCHS {
        if back >= count {
            break;
        }
        if proves(field, digest(field, pair, newest.wrapping_sub(back))) {
            return true;
        }
    }
    false
}

/// True if `digest` begins with the zero bits that the field wants.
#[inline(always)]
pub fn proves(field: &HashedRow, digest: u64) -> bool {
    digest >> (64 - field.zeros) == 0
}

/// The first 64 bits of `D` of the pair in `epoch`.
// Some 4,000 instructions: one copy, wherever it is called from.
#[inline(never)]
pub fn digest(field: &HashedRow, pair: &Pair, epoch: u64) -> u64 {
    let mut block = [0; 16];
    let source = pair.source.hi & field.source_mask.hi;
    put(&mut block, 0, field.key.hi);
    put(&mut block, 2, field.key.lo);
    put(&mut block, 4, pair.destination.hi);
    put(&mut block, 6, pair.destination.lo);
    // What remains is the epoch, the source word of 7 or 8 octets, and the padding's first bit behind it.
    let end = 0x80 << 56;
    let (last, behind) = if field.source_octets == 7 { (source | 0x80, 0) } else { (source, end) };
    let mut octets = 32 + u64::from(field.source_octets);
    if field.period == 0 {
        put(&mut block, 8, last);
        put(&mut block, 10, behind);
    } else {
        put(&mut block, 8, epoch);
        put(&mut block, 10, last);
        put(&mut block, 12, behind);
        octets += 8;
    }
    put(&mut block, 14, octets * 8);
    let [first, second, ..] = sha256::digest(&mut block);
    u64::from(first) << 32 | u64::from(second)
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the upper half goes to the word before")]
fn put(block: &mut sha256::Block, at: usize, octets: u64) {
    block[at] = (octets >> 32) as u32;
    block[at + 1] = octets as u32;
}
