//! The address that a program calls and rows in; the address that it is to have instead out.

use crate::{
    bits::Words,
    layout::ANCHOR_ROWS,
    rows::AnchorRow,
    rule::{Pair, write},
};

/// Draws of random bits, at most, until an address is in no part that is taken out of its prefix.
pub const DRAWS: u64 = 8;

/// The place of the anchor that is called. `row` gives the row of a place.
#[inline(always)]
pub fn find<'a>(called: Words, row: impl Fn(u32) -> Option<&'a AnchorRow>) -> Option<u32> {
    if called.is_zero() {
        return None;
    }
    for place in 0..ANCHOR_ROWS {
        let row = row(place)?;
        if row.anchor == called {
            return Some(place);
        }
        if row.anchor.is_zero() {
            return None;
        }
    }
    None
}

/// What an address is written from, and where it is written; in words alone, of which a verifier knows what they are.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct Call {
    /// The place of the anchor's row.
    pub place: u64,
    /// The address that the call comes from.
    pub source: Words,
    /// The address that it goes to: random bits at first.
    pub address: Words,
}

/// Steps that write an address.
pub const STEPS: u32 = 4;

/// The address for a call from `source`. `draw` gives 128 random bits for each number it is asked for, and `step` is
/// [`step`]; a program calls it as a function of its own.
///
/// None where each address that was drawn is in a part that is taken out.
#[inline(always)]
pub fn address(
    place: u32,
    source: Words,
    draw: impl Fn(u64) -> Words,
    step: impl Fn(&mut Call, u32) -> bool,
) -> Option<Words> {
    for number in 0..DRAWS {
        let mut call = Call { place: place.into(), source, address: draw(number) };
        if (0..STEPS).all(|number| step(&mut call, number)) {
            return Some(call.address);
        }
    }
    None
}

/// One of the [`STEPS`], at Unix second `unix`; whether the next may follow.
#[inline(always)]
pub fn step(row: &AnchorRow, call: &mut Call, number: u32, unix: u64) -> bool {
    let pair = Pair { source: call.source, destination: call.address };
    call.address = match number {
        0 => write::bits(row, call.source, call.address),
        1 => write::digest(row, 0, &pair, unix),
        2 => write::digest(row, 1, &pair, unix),
        _ => return !row.excludes(call.address),
    };
    true
}

impl AnchorRow {
    /// Whether the address is in a part that is taken out.
    #[inline(always)]
    fn excludes(&self, address: Words) -> bool {
        for part in &self.excluded {
            if part.mask.is_zero() {
                return false;
            }
            if address.and(part.mask) == part.prefix {
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use bytemuck::Zeroable as _;

    use super::*;
    use crate::{bits::mask, rows::ExcludedRow};

    fn row(anchor: u128) -> AnchorRow {
        AnchorRow { anchor: Words::from_u128(anchor), ..AnchorRow::zeroed() }
    }

    fn found(rows: &[AnchorRow], called: u128) -> Option<u32> {
        find(Words::from_u128(called), |place| rows.get(place as usize))
    }

    #[test]
    fn an_anchor_is_found_by_all_its_bits() {
        let rows = [row(1), row(1 << 64 | 1), row(7), row(0), row(9)];
        assert_eq!(found(&rows, 1), Some(0));
        assert_eq!(found(&rows, 1 << 64 | 1), Some(1));
        assert_eq!(found(&rows, 7), Some(2));
        assert_eq!(found(&rows, 1 << 64), None);
        assert_eq!(found(&rows, 0), None, "no anchor is all zeros");
        assert_eq!(found(&rows, 9), None, "it is behind the last row");
        let row = row(5);
        assert_eq!(find(Words::from_u128(6), |place| (place < ANCHOR_ROWS).then_some(&row)), None);
    }

    #[test]
    fn bits_are_drawn_until_the_address_is_in_no_part_that_is_taken_out() {
        let part = |prefix: u128, length: u8| ExcludedRow {
            prefix: Words::from_u128(prefix),
            mask: Words::from_u128(mask(0, length)),
        };
        let mut row = AnchorRow { random: Words { hi: 0, lo: u64::MAX }, ..AnchorRow::zeroed() };
        row.excluded[0] = part(0, 127);
        row.excluded[1] = part(2, 128);
        let drawn = |draw: fn(u64) -> u64| {
            let words = |number| Words { hi: u64::MAX, lo: draw(number) };
            address(0, Words::default(), words, |call, number| step(&row, call, number, 0)).map(Words::to_u128)
        };
        assert_eq!(drawn(|number| number), Some(3));
        assert_eq!(drawn(|number| number + 9), Some(9));
        assert_eq!(drawn(|number| number % 3), None);
    }
}
