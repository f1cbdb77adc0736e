//! Which bank is in force, and how prefixes are found in it.

use bytemuck::{Pod, Zeroable};

use crate::{bits::Words, layout::LENGTHS};

/// One bank of the config: how prefixes are found in it. Version and magic tell a filled bank from an unset one.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct BankRow {
    /// [`BANK_MAGIC`](crate::layout::BANK_MAGIC), or 0 in a bank nobody filled.
    pub magic: u32,
    /// How many of `masks` are in use.
    pub lengths: u32,
    /// Multipliers of the two-choice table, odd.
    pub seeds: [u64; 2],
    /// 64 minus the logarithm of the table's slots.
    pub shift: u32,
    /// First slot of this bank.
    pub first_prefix: u32,
    /// First service row of this bank.
    pub first_service: u32,
    /// First slice of this bank.
    pub first_slice: u32,
    /// First endpoint row of this bank.
    pub first_endpoint: u32,
    /// How many endpoints there are.
    pub endpoints: u32,
    /// One more than the number of the endpoint that this host is; 0: none.
    pub host: u32,
    /// The bank's own place, 0 to 3.
    pub place: u32,
    /// Hop rows of each endpoint, one for each CPU.
    pub hops: u32,
    /// 1 if one look says all: there is one prefix length, and every prefix stands in the first of its two places.
    pub once: u32,
    /// One more than the bank of the block list that is in force; 0: nothing is blocked.
    pub blocks: u32,
    /// Events a second that are kept on the whole host, at most; 0: none.
    pub events: u32,
    /// Counts up with every change.
    pub generation: u64,
    /// The masks of the prefix lengths, in the order the config has them, [`loaded`](Words::loaded).
    pub masks: [Words; LENGTHS],
}

/// What is in force. One look finds the word and the bank it names.
///
/// It is rewritten whole, twice: first with another row for a bank that is not in force, then with its number. No word that
/// a program may read changes in the first, and a single one in the second.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct ActiveRow {
    /// The bank in force, 0 to 3: its lower bit says which copy of the config, the upper one which copy of the slices.
    pub number: u64,
    /// All banks.
    pub banks: [BankRow; 4],
}

impl ActiveRow {
    /// The place of the bank in force.
    pub const fn place(&self) -> usize {
        (self.number & 3) as usize
    }

    /// The bank in force.
    pub const fn in_force(&self) -> &BankRow {
        &self.banks[self.place()]
    }
}
