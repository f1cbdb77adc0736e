//! What the tables say of a source, or of a destination.

use ssa_common::{
    bits::Words,
    judge::{self, Source, judge_block, judge_block_among, judge_block_by, judge_source},
    rows::BankRow,
};

use crate::{clock::Jiffies, maps::Kernel, shares};

/// [`judge_source`]. Which bank is in force may change meanwhile, and is not asked again.
#[inline(always)]
pub fn source(bank: &BankRow, slot: u32, source: Words) -> Source {
    match ssa_source(bank.place, slot, source.hi, source.lo) {
        GOOD => Source::Good,
        ONLY_CONTROL => Source::OnlyControl,
        _ => Source::Bad,
    }
}

const GOOD: u32 = 0;
const ONLY_CONTROL: u32 = 1;
const BAD: u32 = 2;

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_source(bank: u32, slot: u32, hi: u64, lo: u64) -> u32 {
    let Some(bank) = Kernel::bank_of(bank.into()) else { return BAD };
    match judge_source(&Kernel, bank, slot, Words { hi, lo }) {
        Source::Good => GOOD,
        Source::OnlyControl => ONLY_CONTROL,
        Source::Bad => BAD,
    }
}

/// [`judge::find_later`].
#[inline(always)]
pub fn find_later(bank: &BankRow, address: Words) -> Option<u32> {
    match ssa_find(bank.place, address.hi, address.lo) {
        0 => None,
        slot => Some(slot - 1),
    }
}

/// One more than the slot, or 0.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_find(bank: u32, hi: u64, lo: u64) -> u32 {
    let slot = Kernel::bank_of(bank.into()).and_then(|bank| judge::find_later(&Kernel, bank, Words { hi, lo }));
    slot.map_or(0, |slot| slot.wrapping_add(1))
}

/// [`judge_block`].
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ssa_blocked(bank: u32, hi: u64, lo: u64) -> u32 {
    u32::from(judge_block(&Kernel, bank, Words { hi, lo }, &Jiffies))
}

/// [`judge_block_among`].
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ssa_blocked_among(bank: u32, lengths: u64, hi: u64, lo: u64) -> u32 {
    let lengths = [(lengths >> 32) as u32, lengths as u32];
    u32::from(judge_block_among(&Kernel, bank, lengths, Words { hi, lo }, &Jiffies))
}

/// [`judge_block_by`].
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ssa_blocked_by(bank: u32, length: u32, hi: u64, lo: u64) -> u32 {
    u32::from(judge_block_by(&Kernel, bank, length as u8, Words { hi, lo }, &Jiffies))
}

/// Whether a source prefix of a service is above its share of the frames that conform.
#[inline(always)]
pub fn is_above_share(service: u32, source: Words) -> bool {
    ssa_share(service, source.hi) != 0
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_share(service: u32, source: u64) -> u32 {
    u32::from(shares::is_above(service, source) == Some(true))
}
