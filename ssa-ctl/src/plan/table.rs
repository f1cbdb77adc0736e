//! Prefixes in; a two-choice table in which each stands in one of its two places, out.
//!
//! The same prefixes in the same order always make the same table, so that equal configs are equal rows.

use std::mem;

use ssa_common::{
    judge::places,
    rows::{BankRow, PrefixRow},
};

/// Pairs of multipliers that are tried for one by which no prefix needs its second place.
const HOPES: u64 = 256;
/// Evictions after which a pair of multipliers is given up.
const PATIENCE: u32 = 500;
/// Pairs of multipliers that are tried. A half-full table takes one or two.
const ATTEMPTS: u64 = 1000;

/// Places `rows` in `slots` slots, a power of two, and notes in `bank` how they are found; for each row its slot.
///
/// None where no pair of multipliers places all: more than half of the slots are wanted.
pub fn build(bank: &mut BankRow, rows: &[PrefixRow], slots: u32) -> Option<Vec<u32>> {
    bank.shift = 64 - slots.trailing_zeros().max(1);
    let mut try_all = |attempts, single, place: fn(&BankRow, &[PrefixRow], u32) -> Option<Vec<u32>>| {
        bank.once = u32::from(single && bank.lengths <= 1);
        (0..attempts).find_map(|attempt| {
            bank.seeds = [0, 1].map(|which| multiplier(attempt * 2 + which));
            place(bank, rows, slots)
        })
    };
    try_all(HOPES, true, place_first).or_else(|| try_all(ATTEMPTS, false, place))
}

/// Each row in its first place, if those are all different.
fn place_first(bank: &BankRow, rows: &[PrefixRow], slots: u32) -> Option<Vec<u32>> {
    let mut taken = vec![false; slots as usize];
    rows.iter()
        .map(|row| places(bank, row.prefix)[0])
        .map(|to| (!mem::replace(&mut taken[to as usize], true)).then_some(to))
        .collect()
}

fn place(bank: &BankRow, rows: &[PrefixRow], slots: u32) -> Option<Vec<u32>> {
    let mut table: Vec<Option<usize>> = vec![None; slots as usize];
    let mut at = vec![0; rows.len()];
    for first in 0..rows.len() {
        let mut row = first;
        let mut to = places(bank, rows[row].prefix)[0];
        for eviction in 0.. {
            if eviction == PATIENCE {
                return None;
            }
            let [one, other] = places(bank, rows[row].prefix);
            if table[one as usize].is_none() {
                to = one;
            } else if table[other as usize].is_none() {
                to = other;
            }
            at[row] = to;
            match table[to as usize].replace(row) {
                None => break,
                Some(evicted) => {
                    let [one, other] = places(bank, rows[evicted].prefix);
                    to = if to == one { other } else { one };
                    row = evicted;
                }
            }
        }
    }
    Some(at)
}

/// The `index`th of a fixed row of odd numbers that look random (splitmix64).
fn multiplier(index: u64) -> u64 {
    let mut bits = (index + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (bits ^ bits >> 31) | 1
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use bytemuck::Zeroable;
    use proptest::prelude::*;
    use ssa_common::bits::Words;

    use super::*;

    /// Builds and checks a table; whether one look is enough.
    fn check(prefixes: &[u128]) -> bool {
        let rows: Vec<_> = prefixes
            .iter()
            .map(|&prefix| PrefixRow { prefix: Words::from_u128(prefix).loaded(), ..PrefixRow::zeroed() })
            .collect();
        let slots = u32::try_from(prefixes.len() * 2).unwrap().next_power_of_two().max(2);
        let mut bank = BankRow::zeroed();
        let at = build(&mut bank, &rows, slots).unwrap();
        assert_eq!(at.iter().collect::<BTreeSet<_>>().len(), rows.len(), "one slot each");
        for (row, at) in rows.iter().zip(&at) {
            let places = places(&bank, row.prefix);
            assert!(places.contains(at) && *at < slots);
            assert!(bank.once == 0 || places[0] == *at, "one look finds it");
        }
        bank.once != 0
    }

    #[test]
    fn neighbours_and_thousands_find_a_place() {
        for count in [0, 1, 2, 3, 128, 4096] {
            check(&(0..count).map(|index: u128| 0x2001_0db8 << 96 | index << 64).collect::<Vec<_>>());
            check(&(0..count).map(|index: u128| 0x2001_0db8 << 96 | index << 8).collect::<Vec<_>>());
        }
    }

    #[test]
    fn one_look_is_enough_for_few_prefixes_of_one_length() {
        let rows = |count| {
            let prefix = |index| Words { hi: multiplier(index), lo: 0 };
            (0..count).map(|index| PrefixRow { prefix: prefix(index), ..PrefixRow::zeroed() }).collect::<Vec<_>>()
        };
        let once = |lengths, count| {
            let mut bank = BankRow { lengths, ..BankRow::zeroed() };
            build(&mut bank, &rows(count), 1024).unwrap();
            bank.once != 0
        };
        assert!(once(0, 0) && once(1, 1) && once(1, 100));
        assert!(!once(2, 100), "a prefix of another length may be there");
        assert!(!once(1, 512), "some stand in their second place");
    }

    proptest! {
        #[test]
        fn any_prefixes_find_a_place(prefixes: BTreeSet<u128>) {
            check(&prefixes.into_iter().collect::<Vec<_>>());
        }
    }
}
