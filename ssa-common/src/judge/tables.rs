//! What a judge asks of tables, and the parts of a rule that it asks about by their place in them.

use super::{
    block::{judge_block, judge_block_among, judge_block_by},
    find::find_later,
    source::{Source, judge_source},
};
use crate::{
    bits::Words,
    rows::{
        BankRow, BlockBankRow, BlockRow, BucketRow, EndpointRow, FLAG_PREVIOUS, PrefixRow, PreviousRow, ServiceRow,
        SliceWord,
    },
    rule::{
        self, Pair,
        epoch::{Clock, Window},
        mac::Message,
    },
    sha256::{self, Block},
    verdict::Reason,
};

/// The tables in force.
pub trait Tables {
    /// The bank in force. Each way through the law asks once: what it reads after that must be of the same bank.
    fn bank(&self) -> Option<&BankRow>;
    /// A slot of the prefix table.
    fn prefix(&self, slot: u32) -> Option<&PrefixRow>;
    /// The previous rule of a slot.
    fn previous(&self, slot: u32) -> Option<&PreviousRow>;
    /// A service's row.
    fn service(&self, index: u32) -> Option<&ServiceRow>;
    /// Who owns a slice, by its place among the slices of both banks.
    fn slice(&self, place: u32) -> SliceWord;
    /// One more than the number of its owner, or 0, where it has no previous owner; else what [`Self::slice`] says.
    #[inline(always)]
    fn owner(&self, place: u32) -> Result<u32, SliceWord> {
        let word = self.slice(place);
        if word.previous() == 0 { Ok(word.owner()) } else { Err(word) }
    }
    /// An endpoint, by its place among the rows of both banks.
    fn endpoint(&self, place: u32) -> Option<&EndpointRow>;

    /// A bank of the block list, 0 or 1; none where there is no such list.
    #[inline(always)]
    fn block_bank(&self, _bank: u32) -> Option<&BlockBankRow> {
        None
    }

    /// A word of the block list's sieve, by its place among those of both banks.
    #[inline(always)]
    fn sieve(&self, _place: u32) -> Option<u64> {
        None
    }

    /// A bucket of the block list, by its place among those of both banks.
    #[inline(always)]
    fn bucket(&self, _place: u32) -> Option<&BucketRow> {
        None
    }

    /// An entry of the block list, by its place among those of both banks.
    #[inline(always)]
    fn block(&self, _place: u32) -> Option<&BlockRow> {
        None
    }

    /// DESIGN §4 step 2, for a frame of the prefix in `slot`.
    #[inline(always)]
    fn source(&self, bank: &BankRow, slot: u32, source: Words) -> Source {
        judge_source(self, bank, slot, source)
    }

    /// DESIGN §4 step 4, where there is a block list: the bank of this number, which is one more than its place.
    #[inline(always)]
    fn is_blocked(&self, bank: u32, source: Words, clock: &impl Clock) -> bool {
        judge_block(self, bank, source, clock)
    }

    /// The same for entries of some lengths: from a place on among those of the bank, up to another.
    #[inline(always)]
    fn is_blocked_among(&self, bank: u32, lengths: [u32; 2], source: Words, clock: &impl Clock) -> bool {
        judge_block_among(self, bank, lengths, source, clock)
    }

    /// The same for entries of one length.
    #[inline(always)]
    fn is_blocked_by(&self, bank: u32, length: u8, source: Words, clock: &impl Clock) -> bool {
        judge_block_by(self, bank, length, source, clock)
    }

    /// The slot of the prefix that an address belongs to, by all prefix lengths of the config but the first.
    #[inline(always)]
    fn find_later(&self, bank: &BankRow, address: Words) -> Option<u32> {
        find_later(self, bank, address)
    }

    /// Counts a frame that conforms, of the service with this row; whether its source prefix is above its share of such
    /// frames. Where nothing is counted, nobody is.
    #[inline(always)]
    fn is_above_share(&self, _service: u32, _source: Words, _clock: &impl Clock) -> bool {
        false
    }

    /// Whether it is time for another event on this CPU. Where none are made, it never is.
    #[inline(always)]
    fn is_event_due(&self) -> bool {
        false
    }

    /// What the fields of one kind of a rule say of a pair.
    #[inline(always)]
    fn part(&self, part: Part, at: At, pair: Pair, clock: &impl Clock) -> Reason {
        judge_part(self, part, at, pair, clock)
    }

    /// Whether a field holds the `mac` of a message, in one of the epochs that are tried.
    #[inline(always)]
    fn holds(&self, message: &Message) -> bool {
        message.holds()
    }

    /// Whether there is room for another suspect of a service, which it then takes; the service by its number, in a bank by
    /// its place. Where nobody keeps count there is.
    #[inline(always)]
    fn has_room(&self, _bank: u32, _service: u32) -> bool {
        true
    }

    /// The first 64 bits of SHA-256 of one padded block.
    #[inline(always)]
    fn sha256(&self, block: &mut Block) -> u64 {
        sha256::first_bits(block)
    }
}

/// Which rule is looked at, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// The prefix.
    pub slot: u32,
    /// Its previous rule and not the current one.
    pub previous: bool,
    /// Which epochs are accepted.
    pub window: Window,
}

/// A part of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// [`rule::fields`], and whether there is such a rule.
    Fields,
    /// [`rule::macs`].
    Macs,
    /// [`rule::pows`].
    Pows,
}

/// What the current rule, or the previous one while it lasts, says of a pair.
#[inline(always)]
pub(super) fn judge_pair(tables: &impl Tables, at: At, row: &PrefixRow, pair: Pair, clock: &impl Clock) -> Reason {
    let has = |part| match part {
        Part::Fields => true,
        Part::Macs => row.rule.macs != 0,
        Part::Pows => row.rule.pows != 0,
    };
    let reason = judge_rule(tables, at, pair, clock, has);
    if reason != Reason::Conform && row.flags & FLAG_PREVIOUS != 0 {
        let previous = judge_rule(tables, At { previous: true, ..at }, pair, clock, |_| true);
        return if previous == Reason::Conform { previous } else { reason };
    }
    reason
}

/// What one rule says of a pair, by the parts it has.
#[inline(always)]
fn judge_rule(tables: &impl Tables, at: At, pair: Pair, clock: &impl Clock, has: impl Fn(Part) -> bool) -> Reason {
    for part in [Part::Fields, Part::Macs, Part::Pows] {
        if has(part) {
            let reason = tables.part(part, at, pair, clock);
            if reason != Reason::Conform {
                return reason;
            }
        }
    }
    Reason::Conform
}

/// What [`Tables::part`] says, wherever it runs.
#[inline(always)]
pub fn judge_part(tables: &(impl Tables + ?Sized), part: Part, at: At, pair: Pair, clock: &impl Clock) -> Reason {
    let row = if at.previous {
        match tables.previous(at.slot) {
            Some(previous) if clock.now() < previous.deadline => &previous.rule,
            _ => return Reason::FieldMismatch,
        }
    } else {
        match tables.prefix(at.slot) {
            Some(row) => &row.rule,
            None => return Reason::FieldMismatch,
        }
    };
    match part {
        Part::Fields if row.reverses == 0 => rule::fields::<false>(row, &pair),
        Part::Fields => rule::fields::<true>(row, &pair),
        Part::Macs => rule::macs(row, &pair, clock, at.window, &|message| tables.holds(message)),
        Part::Pows => rule::pows(row, &pair, clock, at.window, &|block| tables.sha256(block)),
    }
}
