//! The rule: a compiled row, an address pair and the time in; the reason out. Each field kind has a file of its own.
//!
//! A kind's file holds what the filter checks and, with the feature `rule`, what the client writes.

#[cfg(feature = "rule")]
mod address;
#[cfg(feature = "rule")]
mod anchor;
#[cfg(feature = "rule")]
mod arguments;
#[cfg(feature = "rule")]
mod compile;
pub mod epoch;
#[cfg(feature = "rule")]
mod explain;
pub mod hash;
pub mod keyid;
pub mod mac;
#[cfg(feature = "rule")]
mod model;
#[cfg(feature = "rule")]
mod place;
pub mod pow;
#[cfg(feature = "rule")]
mod print;
pub mod replica;
#[cfg(feature = "rule")]
mod secret;
pub mod source;
#[cfg(feature = "rule")]
mod text;
#[cfg(feature = "rule")]
mod warn;
pub mod write;

#[cfg(feature = "rule")]
pub use self::{
    address::{AddressError, Request},
    anchor::{AnchorError, Wanted},
    compile::{Compiled, Timing},
    explain::FieldReport,
    model::{Field, Kind, Period, Rule, Width},
    place::{Placed, PlacedField},
    secret::{Key, Secrets, object_id},
    text::RuleError,
    warn::{Warning, WarningContext},
};

use crate::{
    bits::Words,
    layout::HASHED,
    rows::{HashedRow, ONE_WORD, RuleRow},
    sha256::{self, Block},
    verdict::Reason,
};
use epoch::{Clock, Window};
use mac::Message;

/// The two addresses a rule relates.
#[derive(Clone, Copy, Debug)]
pub struct Pair {
    /// The client's address.
    pub source: Words,
    /// The address it used.
    pub destination: Words,
}

/// Judges an address pair: [`Reason::Conform`], or what failed first in the order of DESIGN §3.
#[inline(always)]
pub fn check(row: &RuleRow, pair: &Pair, clock: &impl Clock, window: Window) -> Reason {
    match fields::<true>(row, pair) {
        Reason::Conform => {}
        reason => return reason,
    }
    match macs(row, pair, clock, window, &Message::holds) {
        Reason::Conform => pows(row, pair, clock, window, &sha256::first_bits),
        reason => reason,
    }
}

/// The fields that need neither the time nor a choice of keys. `REVERSES`: of rules that reverse the source, too.
#[inline(always)]
pub fn fields<const REVERSES: bool>(row: &RuleRow, pair: &Pair) -> Reason {
    if !source::differing::<REVERSES>(row, pair).is_zero() {
        return Reason::FieldMismatch;
    }
    if row.replicas != 0 && !replica::in_range(row, pair.destination) {
        return Reason::ReplicaRange;
    }
    if row.keyids != 0 && keyid::candidates(row, pair.destination).is_empty() {
        return Reason::UnknownKey;
    }
    if row.hashes != 0 && !hash::conform(row, pair) {
        return Reason::FieldMismatch;
    }
    Reason::Conform
}

/// The `mac`, by every key that is tried and every epoch that is accepted. `holds` is [`Message::holds`].
#[inline(always)]
pub fn macs(
    row: &RuleRow,
    pair: &Pair,
    clock: &impl Clock,
    window: Window,
    holds: &impl Fn(&Message) -> bool,
) -> Reason {
    match hashed(row, row.hashes) {
        Some(field) if row.macs != 0 && !mac::conforms(row, field, pair, clock, window, holds) => Reason::MacMismatch,
        _ => Reason::Conform,
    }
}

/// The proofs of work. `sha256` is [`sha256::first_bits`].
#[inline(always)]
pub fn pows(
    row: &RuleRow,
    pair: &Pair,
    clock: &impl Clock,
    window: Window,
    sha256: &impl Fn(&mut Block) -> u64,
) -> Reason {
    if row.pows != 0 && !pow::conform(row, pair, clock, window, sha256) { Reason::PowMissing } else { Reason::Conform }
}

/// The hashed field at `index`: `hash`, `mac`, `pow` stand in this order.
#[inline(always)]
fn hashed(row: &RuleRow, index: u8) -> Option<&HashedRow> {
    // Two arms and no variable index: the verifier then knows where it points.
    const { assert!(HASHED == 2) };
    match index {
        0 => Some(&row.hashed[0]),
        1 => Some(&row.hashed[1]),
        _ => None,
    }
}

impl HashedRow {
    /// The destination's bits from the field on, first bit first.
    #[inline(always)]
    fn found(&self, destination: Words) -> u64 {
        if self.rotate & ONE_WORD == 0 {
            return destination.rotate_left(self.rotate).hi;
        }
        (if self.rotate & 64 == 0 { destination.hi } else { destination.lo }) << (self.rotate & 63)
    }

    /// True if the field holds the first bits of `digest`.
    #[inline(always)]
    fn holds(&self, destination: Words, digest: u64) -> bool {
        (self.found(destination) ^ digest) >> self.shift == 0
    }
}
