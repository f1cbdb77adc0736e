//! An address in; the service prefix it belongs to, by a two-choice table, out.
//!
//! Addresses, masks and keys are [`loaded`](Words::loaded) here: the order of their octets does not matter.

use core::hint::black_box;

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

/// What the common way can say of an address.
pub(super) enum Sight<'a> {
    /// Its prefix.
    Found(Found<'a>),
    /// There is none.
    Nothing,
    /// It needs [`find`].
    Unknown,
}

/// A look by the first prefix length alone; `address` is loaded.
#[inline(always)]
pub(super) fn glance<'a>(tables: &'a (impl Tables + ?Sized), bank: &'a BankRow, address: Words) -> Sight<'a> {
    let key = address.and(bank.masks[0]);
    if let Some(found) = look_at(tables, bank, key, 0, first_place(bank, key)) {
        return Sight::Found(found);
    }
    if bank.once != 0 {
        return Sight::Nothing;
    }
    // As if nothing had been read of the bank: what only these frames need is not kept for the others.
    let again = black_box(bank);
    match look_at(tables, bank, key, 0, second_place(again, key)) {
        Some(found) => Sight::Found(found),
        None if again.lengths > 1 => Sight::Unknown,
        None => Sight::Nothing,
    }
}

/// The prefix that `address` belongs to: a look for each prefix length of the config, two places each.
///
/// Nearly every config has one prefix length: the others are looked for elsewhere.
#[inline(always)]
pub(super) fn find<'a>(tables: &'a (impl Tables + ?Sized), bank: &'a BankRow, address: Words) -> Option<Found<'a>> {
    match look(tables, bank, address.loaded(), 0, bank.masks[0]) {
        None if bank.lengths > 1 => {
            let slot = tables.find_later(bank, address)?;
            Some(Found { bank, row: tables.prefix(slot)?, slot })
        }
        found => found,
    }
}

/// A look at both places of `address`, which is loaded, under one mask.
#[inline(always)]
fn look<'a>(
    tables: &'a (impl Tables + ?Sized),
    bank: &'a BankRow,
    address: Words,
    length: u32,
    mask: Words,
) -> Option<Found<'a>> {
    let key = address.and(mask);
    let at = |place| look_at(tables, bank, key, length, place);
    at(first_place(bank, key)).or_else(|| at(second_place(bank, key)))
}

/// A look at one place.
#[inline(always)]
fn look_at<'a>(
    tables: &'a (impl Tables + ?Sized),
    bank: &'a BankRow,
    key: Words,
    length: u32,
    place: u32,
) -> Option<Found<'a>> {
    let slot = bank.first_prefix.wrapping_add(place);
    let row = tables.prefix(slot)?;
    (row.prefix == key && row.length == length + 1).then_some(Found { bank, row, slot })
}

/// What [`Tables::find_later`] says, wherever it runs.
#[inline(always)]
pub fn find_later(tables: &(impl Tables + ?Sized), bank: &BankRow, address: Words) -> Option<u32> {
    for (length, mask) in (0..).zip(&bank.masks).skip(1) {
        if length >= bank.lengths {
            break;
        }
        if let Some(found) = look(tables, bank, address.loaded(), length, *mask) {
            return Some(found.slot);
        }
    }
    None
}

/// The two places of a key, [`loaded`](Words::loaded), in a bank's prefix table.
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
