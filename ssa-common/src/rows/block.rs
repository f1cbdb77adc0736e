//! The rows of the block list: two banks of their own, changed without the config.

use bytemuck::{Pod, Zeroable};

use crate::{bits::Words, layout::BLOCK_TEXT};

/// One bank of the block list: how a source is found in it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct BlockBankRow {
    /// Counts up with every change of the list.
    pub generation: u64,
    /// Multipliers of the two-choice table, odd; drawn anew for each list, so that nobody can know which sources collide.
    pub seeds: [u64; 3],
    /// 64 minus the logarithm of the table's buckets.
    pub shift: u32,
    /// 64 minus the logarithm of the sieve's bits.
    pub sieve_shift: u32,
    /// First word of this bank's sieve.
    pub first_word: u32,
    /// First bucket of this bank.
    pub first_bucket: u32,
    /// First entry of this bank.
    pub first_entry: u32,
    /// First reason text of this bank.
    pub first_text: u32,
    /// How many entries there are.
    pub entries: u32,
    /// How many reason texts there are.
    pub texts: u32,
    /// Where the lengths of each of [`SIEVED`] end among `lengths`; they begin where those before end.
    pub ends: [u32; SIEVED.len()],
    /// Explicit padding.
    pub reserved: u32,
    /// The prefix lengths of the entries, by [`SIEVED`], then those of most entries first.
    pub lengths: [u8; 128],
}

/// By how many first bits a blocked prefix is in the sieve: by the most that it has.
pub const SIEVED: [u8; 3] = [48, 32, 16];

/// Bits of the sieve for each slot of the table.
pub const SIEVE_BITS: u32 = 16;

/// A bucket of the table: slots of [`BlockRow`]s. One look for all of them, and most say at once that it is none of them.
pub type BucketRow = [u32; BUCKET as usize];

/// Slots of a bucket.
pub const BUCKET: u32 = 4;

/// The bits of a slot that hold one more than an entry's number; 0: the slot is empty. Those above are bits of the hash.
pub const BLOCK_ENTRY_BITS: u32 = 17;

/// A source prefix that is blocked.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct BlockRow {
    /// The prefix, host bits zero.
    pub prefix: Words,
    /// The tick, since boot, at which it is blocked no more.
    pub deadline: u64,
    /// When it was put there, in Unix seconds; for the controller alone.
    pub added: u32,
    /// Its length.
    pub length: u8,
    /// Who has put it there; for the controller alone.
    pub origin: u8,
    /// One more than the place of the reason's text; 0: there is none. For the controller alone.
    pub text: u16,
}

/// A reason, UTF-8, zero-filled. No program reads it.
pub type BlockTextRow = [u8; BLOCK_TEXT];
