//! An address in; the service prefix it belongs to, by a two-choice table, out.

use super::Tables;
use crate::{
    bits::Words,
    rows::{BankRow, PrefixRow},
};

/// The prefix an address belongs to.
pub(super) struct Found<'a> {
    pub(super) bank: &'a BankRow,
    pub(super) row: &'a PrefixRow,
    pub(super) slot: u32,
}

/// The prefix that `address` belongs to: a look for each prefix length of the config, two places each.
///
/// Nearly every config has one prefix length: the others are looked for elsewhere.
#[inline(always)]
pub(super) fn find<'a>(tables: &'a (impl Tables + ?Sized), bank: &'a BankRow, address: Words) -> Option<Found<'a>> {
    match find_first(tables, bank, address) {
        None if bank.lengths > 1 => {
            let slot = tables.find_later(bank, address)?;
            Some(Found { bank, row: tables.prefix(slot)?, slot })
        }
        found => found,
    }
}

/// The same by the first prefix length alone.
#[inline(always)]
pub(super) fn find_first<'a>(
    tables: &'a (impl Tables + ?Sized),
    bank: &'a BankRow,
    address: Words,
) -> Option<Found<'a>> {
    look(tables, bank, address, 0, bank.masks[0])
}

/// A look at the places of `address` under one mask.
#[inline(always)]
fn look<'a>(
    tables: &'a (impl Tables + ?Sized),
    bank: &'a BankRow,
    address: Words,
    length: u32,
    mask: Words,
) -> Option<Found<'a>> {
    let key = address.and(mask);
    let at = |place: u32| {
        let slot = bank.first_prefix.wrapping_add(place);
        let row = tables.prefix(slot)?;
        (row.prefix == key && row.length == length + 1).then_some(Found { bank, row, slot })
    };
    match at(first_place(bank, key)) {
        // Of a few hundred prefixes none is in another's way, and a frame to no service needs one look.
        None if bank.single == 0 => at(second_place(bank, key)),
        found => found,
    }
}

/// What [`Tables::find_later`] says, wherever it runs.
#[inline(always)]
pub fn find_later(tables: &(impl Tables + ?Sized), bank: &BankRow, address: Words) -> Option<u32> {
    for (length, mask) in (0..).zip(&bank.masks).skip(1) {
        if length >= bank.lengths {
            break;
        }
        if let Some(found) = look(tables, bank, address, length, *mask) {
            return Some(found.slot);
        }
    }
    None
}

/// The two places of a key in a bank's prefix table.
pub fn places(bank: &BankRow, key: Words) -> [u32; 2] {
    [first_place(bank, key), second_place(bank, key)]
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the table has fewer than 2^32 slots")]
const fn first_place(bank: &BankRow, key: Words) -> u32 {
    (mixed(bank, key) >> bank.shift) as u32
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the table has fewer than 2^32 slots")]
const fn second_place(bank: &BankRow, key: Words) -> u32 {
    (mixed(bank, key).wrapping_mul(bank.seeds[1]) >> bank.shift) as u32
}

#[inline(always)]
const fn mixed(bank: &BankRow, key: Words) -> u64 {
    key.hi.wrapping_mul(bank.seeds[0]) ^ key.lo.wrapping_mul(bank.seeds[1])
}
