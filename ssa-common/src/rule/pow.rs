//! `pow(P, zeros, period)`: a nonce such that SHA-256 over everything begins with zero bits.

use super::{
    Pair,
    epoch::{self, Clock, Epochs, MAX_EPOCHS, Window},
    hashed,
};
use crate::{
    rows::{HashedRow, RuleRow},
    sha256::Block,
};

/// True if every `pow` field of the destination holds a proof for an epoch that is accepted. `sha256`
/// is [`first_bits`](crate::sha256::first_bits).
#[inline(always)]
pub(super) fn conform(
    row: &RuleRow,
    pair: &Pair,
    clock: &impl Clock,
    window: Window,
    sha256: &impl Fn(&mut Block) -> u64,
) -> bool {
    let first = row.hashes + row.macs;
    for index in 0..2 {
        if index >= first
            && index < first + row.pows
            && let Some(field) = hashed(row, index)
            && !conforms(row, field, pair, clock, window, sha256)
        {
            return false;
        }
    }
    true
}

#[inline(always)]
fn conforms(
    row: &RuleRow,
    field: &HashedRow,
    pair: &Pair,
    clock: &impl Clock,
    window: Window,
    sha256: &impl Fn(&mut Block) -> u64,
) -> bool {
    let (newest, count) = match epoch::accepted(row, field, clock, window) {
        Epochs::Try { newest, count, .. } => (newest, count),
        Epochs::Settled(accept) => return accept,
    };
    for back in 0..MAX_EPOCHS {
        if back >= count {
            break;
        }
        if proves(field, sha256(&mut block(field, pair, newest.wrapping_sub(back)))) {
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

/// What `D` of the pair in `epoch` is SHA-256 of.
#[inline(always)]
pub fn block(field: &HashedRow, pair: &Pair, epoch: u64) -> Block {
    let source = pair.source.hi & field.source_mask.hi;
    // What remains is the epoch, the source word of 7 or 8 octets, and the padding's first bit behind it.
    let end = 0x80 << 56;
    let (last, behind) = if field.source_octets == 7 { (source | 0x80, 0) } else { (source, end) };
    let octets = 32 + u64::from(field.source_octets);
    let (tail, octets) =
        if field.period == 0 { ([last, behind, 0], octets) } else { ([epoch, last, behind], octets + 8) };
    let (key, to) = (field.key, pair.destination);
    [key.hi, key.lo, to.hi, to.lo, tail[0], tail[1], tail[2], octets * 8]
}
