//! A row, a source, random bits and the time in; an address that conforms out: the client's side in a program of the kernel.
//!
//! [`Compiled::destination`](super::Compiled::destination) does the same where there is room, and proofs of work too, for
//! which a program has no time. The digests are the same functions.

use super::{Pair, hash, hashed, mac, source};
use crate::{
    bits::Words,
    rows::{AnchorRow, HashedRow},
};

/// The address that a call from `source` is to have at Unix second `unix`; `random` has 128 fresh bits.
#[inline(always)]
pub fn destination(row: &AnchorRow, source: Words, random: Words, unix: u64) -> Words {
    let rule = &row.rule;
    let start = row.template.xor(random.and(row.random));
    // Those bits that are not what the source and the constants want are turned over.
    let mut destination = start.xor(source::differing::<true>(rule, &Pair { source, destination: start }));
    for index in 0..rule.hashes.min(2) {
        if let Some(field) = hashed(rule, index) {
            destination = field.put(destination, hash::digest(field, source));
        }
    }
    if rule.macs != 0
        && let Some(field) = hashed(rule, rule.hashes)
    {
        let epoch = if field.period == 0 { 0 } else { unix / field.period };
        let [key, ..] = &rule.ring;
        let tag = mac::tag(field, key.start, &Pair { source, destination }, epoch);
        destination = field.put(destination, tag);
    }
    destination
}

impl HashedRow {
    /// The destination with the first bits of `digest` in this field.
    #[inline(always)]
    fn put(&self, destination: Words, digest: u64) -> Words {
        let shift = self.shift & 63;
        let first = Words { hi: digest >> shift << shift, lo: 0 };
        destination.and(self.others).xor(first.rotate_left(128 - (self.rotate & 127)))
    }
}
