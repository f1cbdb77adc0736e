//! A source address in; whether it is blocked, by a two-choice table for each prefix length, out (DESIGN §4 step 4).
//!
//! Before the tables stands a sieve of bits, which tells nearly every source with which no entry begins. A look for one length is a look at two buckets. Their slots hold bits of the hash, so that nearly no entry is read but
//! one that says yes.

use core::hint::black_box;

use super::Tables;
use crate::{
    bits::Words,
    layout::BLOCK_LENGTHS,
    rows::{BLOCK_ENTRY_BITS, BlockBankRow, SIEVED},
    rule::epoch::Clock,
};

/// Entries that a slot can name.
const ENTRIES: u32 = (1 << BLOCK_ENTRY_BITS) - 1;

/// What [`Tables::is_blocked`] says, wherever it runs.
#[inline(always)]
pub fn judge_block(tables: &(impl Tables + ?Sized), number: u32, source: Words, clock: &impl Clock) -> bool {
    let Some(bank) = tables.block_bank(number.wrapping_sub(1)) else { return false };
    let [long, middle, short] = SIEVED;
    let [first, second, last] = bank.ends;
    let among = |bits, from, to| {
        from < to && is_sieved(tables, bank, source, bits) && tables.is_blocked_among(number, [from, to], source, clock)
    };
    among(long, 0, first) || among(middle, first, second) || among(short, second, last)
}

/// Whether an entry may begin with the source's first bits: one look instead of one for each length.
#[inline(always)]
fn is_sieved(tables: &(impl Tables + ?Sized), bank: &BlockBankRow, source: Words, bits: u8) -> bool {
    let bit = sieve_bit(bank, source, bits);
    let word = tables.sieve(bank.first_word.wrapping_add(bit >> 6));
    word.is_some_and(|word| word >> (bit & 63) & 1 != 0)
}

/// Which bit of the sieve stands for an address's first bits, of which there are 1 to 63.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a sieve has fewer than 2^32 bits")]
pub const fn sieve_bit(bank: &BlockBankRow, address: Words, bits: u8) -> u32 {
    let [seed, ..] = bank.seeds;
    // The bits below are free: so the same bits of another kind are another number.
    let first = (address.hi >> (64 - bits)) << (64 - bits) | bits as u64;
    (first.wrapping_mul(seed) >> bank.sieve_shift) as u32
}

/// What [`Tables::is_blocked_among`] says, wherever it runs.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "counted to no more than BLOCK_LENGTHS")]
pub fn judge_block_among(
    tables: &(impl Tables + ?Sized),
    number: u32,
    [from, to]: [u32; 2],
    source: Words,
    clock: &impl Clock,
) -> bool {
    let Some(bank) = tables.block_bank(number.wrapping_sub(1)) else { return false };
    let mut looks = 0;
    // Of a word's width: older verifiers know no halves that lie on the stack.
    while looks < u64::from(BLOCK_LENGTHS) {
        let index = from.wrapping_add(looks as u32);
        if index >= to {
            break;
        }
        let length = bank.lengths[(index & 127) as usize];
        if tables.is_blocked_by(number, length, source, clock) {
            return true;
        }
        // Counted up: older verifiers lose track of a count that the compiler turns round.
        looks = black_box(looks + 1);
    }
    false
}

/// What [`Tables::is_blocked_by`] says, wherever it runs.
#[inline(always)]
pub fn judge_block_by(
    tables: &(impl Tables + ?Sized),
    number: u32,
    length: u8,
    source: Words,
    clock: &impl Clock,
) -> bool {
    let Some(bank) = tables.block_bank(number.wrapping_sub(1)) else { return false };
    let prefix = blocked_prefix(source, length);
    let hashed = Hashed::of(bank, prefix, length);
    for place in [hashed.first, hashed.second] {
        let Some(bucket) = tables.bucket(bank.first_bucket.wrapping_add(place)) else { return false };
        for slot in bucket {
            let entry = (slot ^ hashed.slot).wrapping_sub(1);
            if entry < ENTRIES
                && let Some(block) = tables.block(bank.first_entry.wrapping_add(entry))
                && block.prefix == prefix
                && block.length == length
                && clock.ticks() < block.deadline
            {
                return true;
            }
        }
    }
    false
}

/// The first bits of an address, as many as are said, at least one.
#[inline(always)]
pub const fn blocked_prefix(address: Words, length: u8) -> Words {
    // A shift by all bits is one by none; where that is wrong, another value is chosen.
    let left = u64::MAX << (length.wrapping_neg() & 63);
    let (hi, lo) = if length > 64 { (u64::MAX, left) } else { (left, 0) };
    address.and(Words { hi, lo })
}

/// Where a prefix may be in a bank's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hashed {
    /// A bucket, counted from the bank's first.
    pub first: u32,
    /// Another.
    pub second: u32,
    /// What its slot holds besides the entry.
    pub slot: u32,
}

impl Hashed {
    /// Of a prefix with this length.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "there are fewer than 2^32 buckets, and a slot has 32 bits")]
    pub const fn of(bank: &BlockBankRow, prefix: Words, length: u8) -> Self {
        let [a, b, c] = bank.seeds;
        let sum = prefix.hi.wrapping_mul(a).wrapping_add(prefix.lo.wrapping_mul(b));
        let sum = sum.wrapping_add(c.wrapping_mul(length as u64));
        // The sum's upper bits depend on all bits of the prefix: they are brought down, and spread again.
        let hash = (sum ^ sum >> 32).wrapping_mul(c);
        let other = (hash ^ hash >> 32).wrapping_mul(a);
        let slot = (hash >> 15) as u32 & !ENTRIES;
        Self { first: (hash >> bank.shift) as u32, second: (other >> bank.shift) as u32, slot }
    }
}
