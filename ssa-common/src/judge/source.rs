//! A source address in; whether it can be, out (DESIGN §4 step 2).

use super::{Tables, find::find};
use crate::{
    bits::Words,
    rows::{BankRow, FLAG_DENY_SOURCE_IN_SERVICE},
};

/// What a source address may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Anything.
    Good,
    /// The source of control traffic and of valid errors.
    OnlyControl,
    /// Nothing.
    Bad,
}

/// What [`Tables::source`] says, wherever it runs.
#[inline(always)]
pub fn judge_source(tables: &(impl Tables + ?Sized), bank: &BankRow, slot: u32, source: Words) -> Source {
    let Words { hi, lo } = source;
    let unspecified_or_loopback = hi == 0 && lo <= 1;
    let multicast = hi >> 56 == 0xff;
    let v4_mapped = hi == 0 && lo >> 32 == 0xffff;
    if unspecified_or_loopback || multicast || v4_mapped {
        return Source::Bad;
    }
    let link_local = hi >> 54 == 0xfe80 >> 6;
    let denies = tables.prefix(slot).is_some_and(|row| row.flags & FLAG_DENY_SOURCE_IN_SERVICE != 0);
    if link_local || denies && find(tables, bank, source).is_some() { Source::OnlyControl } else { Source::Good }
}
