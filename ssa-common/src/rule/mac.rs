//! `mac(P, key, period)`: the first bits of SipHash-2-4 over the destination, the epoch and the source, with a secret key.

use super::{
    Pair,
    epoch::{self, Clock, Epochs, MAX_EPOCHS, Window},
    hash,
    keyid::Candidates,
};
use crate::{
    bits::Words,
    rows::{HashedRow, RuleRow},
    siphash::Sip24,
};

/// True if the field holds the tag of a key that is tried, in an epoch that is accepted.
#[inline(always)]
pub fn conforms(
    row: &RuleRow,
    field: &HashedRow,
    keys: Candidates,
    pair: &Pair,
    clock: &impl Clock,
    window: Window,
) -> bool {
    let (newest, count) = match epoch::accepted(row, field, clock, window) {
        Epochs::Try { newest, count } => (newest, count),
        Epochs::Settled(accept) => return accept,
    };
    for place in keys.places() {
        let Some(key) = row.ring.get(place) else { break };
        for back in 0..MAX_EPOCHS {
            if back >= count {
                break;
            }
            if field.holds(pair.destination, tag(field, key.key, pair, newest.wrapping_sub(back))) {
                return true;
            }
        }
    }
    false
}

/// `M` of the pair in `epoch`, as a 64-bit number. The destination's bits in the field itself do not matter.
#[inline(always)]
pub fn tag(field: &HashedRow, key: Words, pair: &Pair, epoch: u64) -> u64 {
    let suffix = pair.destination.and(field.others);
    let mut state = Sip24::new(key);
    let mut octets = u64::from(field.suffix_octets);
    if field.suffix_octets == 16 {
        state = state.word(suffix.hi);
    }
    state = state.word(suffix.lo);
    if field.period != 0 {
        state = state.word(epoch);
        octets += 8;
    }
    hash::finish(state, field, pair.source, octets)
}
