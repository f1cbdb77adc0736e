//! `mac(P, key, period)`: the first bits of SipHash-2-4 over the destination, the epoch and the source, with a secret key.

use core::hint::black_box;

use super::{
    Pair,
    epoch::{self, Clock, Epochs, MAX_EPOCHS, Window},
    hash,
    keyid::{self, MAX_TRIED},
};
use crate::{
    bits::Words,
    rows::{HashedRow, RuleRow},
    siphash::Sip24,
    verdict::Reason,
};

/// Judges a rule of [`SHAPE_MAC`](crate::rows::SHAPE_MAC) by the newest key and the current epoch; none where another
/// might accept what these do not.
#[inline(always)]
pub fn first(row: &RuleRow, pair: &Pair, clock: &impl Clock) -> Option<Reason> {
    let ([field, _], [key, ..]) = (&row.hashed, &row.ring);
    let (current, count) = match epoch::accepted(row, field, clock, Window::Now) {
        Epochs::Try { current, count, .. } => (current, count),
        Epochs::Settled(true) => return Some(Reason::Conform),
        Epochs::Settled(false) => return Some(Reason::MacMismatch),
    };
    if field.holds(pair.destination, tag(field, key.start, pair, current)) {
        return Some(Reason::Conform);
    }
    if row.keys > 1 || count > 1 { None } else { Some(Reason::MacMismatch) }
}

/// True if the field holds the tag of a key that is tried, in an epoch that is accepted. `holds` is [`Message::holds`].
#[inline(always)]
pub(super) fn conforms(
    row: &RuleRow,
    field: &HashedRow,
    pair: &Pair,
    clock: &impl Clock,
    window: Window,
    holds: &impl Fn(&Message) -> bool,
) -> bool {
    const { assert!(MAX_TRIED == 2) };
    let (newest, count) = match epoch::accepted(row, field, clock, window) {
        Epochs::Try { newest, count, .. } => (newest, count),
        Epochs::Settled(accept) => return accept,
    };
    let keys = keyid::candidates(row, pair.destination);
    let mut message = Message { epochs: count, ..Message::new(field, [0; 4], pair, newest) };
    for (tried, key) in [(0, keys.first), (1, keys.second)] {
        if tried >= keys.count {
            break;
        }
        let Some(key) = row.ring.get(key as usize) else { break };
        message.start = key.start;
        if holds(&message) {
            return true;
        }
    }
    false
}

/// `M` of the pair in `epoch`, as a 64-bit number. The destination's bits in the field itself do not matter.
#[inline(always)]
pub fn tag(field: &HashedRow, start: [u64; 4], pair: &Pair, epoch: u64) -> u64 {
    Message::new(field, start, pair, epoch).tag(epoch)
}

/// What `M` is computed over and compared with, in words alone: of smaller parts on the stack the verifier would know
/// nothing.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Message {
    start: [u64; 4],
    suffix: Words,
    source: Words,
    /// The newest epoch that is tried, and how many are.
    epoch: u64,
    epochs: u64,
    period: u64,
    tail: u64,
    suffix_octets: u64,
    source_octets: u64,
    /// What is in the field, and by how much it is shifted to be compared.
    found: u64,
    shift: u64,
}

impl Message {
    #[inline(always)]
    fn new(field: &HashedRow, start: [u64; 4], pair: &Pair, epoch: u64) -> Self {
        Self {
            start,
            suffix: pair.destination.and(field.others),
            source: pair.source.and(field.source_mask),
            epoch,
            epochs: 1,
            period: field.period,
            tail: field.tail,
            suffix_octets: field.suffix_octets.into(),
            source_octets: field.source_octets.into(),
            found: field.found(pair.destination),
            shift: field.shift.into(),
        }
    }

    /// Whether the field holds `M` in one of the epochs that are tried.
    #[inline(always)]
    pub fn holds(&self) -> bool {
        for back in 0..MAX_EPOCHS {
            // Two bounds, of which the compiler must make no single one: it would count that down, and an older verifier
            // sees no end of such a loop.
            if black_box(back) >= self.epochs {
                break;
            }
            if (self.found ^ self.tag(self.epoch.wrapping_sub(back))) >> (self.shift & 63) == 0 {
                return true;
            }
        }
        false
    }

    /// `M` in an epoch, as a 64-bit number.
    #[inline(always)]
    fn tag(&self, epoch: u64) -> u64 {
        let mut state = Sip24::resume(self.start);
        if self.suffix_octets == 16 {
            state = state.word(self.suffix.hi);
        }
        state = state.word(self.suffix.lo);
        if self.period != 0 {
            state = state.word(epoch);
        }
        hash::finish(state, self.source, self.source_octets, self.tail)
    }
}
