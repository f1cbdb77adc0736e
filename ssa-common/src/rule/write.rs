//! A row, a source, random bits and the time in; an address that conforms out: the client's side in a program of the kernel.
//!
//! [`Compiled::destination`](super::Compiled::destination) does the same where there is room, and proofs of work too, for
//! which a program has no time. The digests are the same functions.

use super::{Pair, hash, hashed, mac, source};
use crate::{
    bits::Words,
    rows::{AnchorRow, HashedRow},
};

/// The address but for what is computed with a key: constants, bits of the source, and of `random`, which has 128 fresh
/// bits, those where the rule has some.
#[inline(always)]
pub fn bits(row: &AnchorRow, source: Words, random: Words) -> Words {
    let destination = row.template.xor(random.and(row.random));
    // Those bits that are not what the source and the constants want are turned over.
    destination.xor(source::differing::<true>(&row.rule, &Pair { source, destination }))
}

/// The address with the hashed field at `index` in it, if the rule has one there: `hash` fields before the `mac`, which is
/// over all of the address. `unix` is in seconds.
#[inline(always)]
pub fn digest(row: &AnchorRow, index: u8, pair: &Pair, unix: u64) -> Words {
    let Pair { source, destination } = *pair;
    let (rule, [key, ..]) = (&row.rule, &row.rule.ring);
    let Some(field) = hashed(rule, index) else { return destination };
    if index < rule.hashes {
        field.put(destination, hash::digest(field, source))
    } else if index < rule.hashes + rule.macs {
        let epoch = unix.checked_div(field.period).unwrap_or(0);
        field.put(destination, mac::tag(field, key.start, pair, epoch))
    } else {
        destination
    }
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
