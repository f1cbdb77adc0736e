//! The address that a program calls and rows in; the address that it is to have instead out.

use crate::{bits::Words, layout::ANCHOR_ROWS, rows::AnchorRow, rule::write};

/// Draws of random bits, at most, until an address is in no part that is taken out of its prefix.
pub const DRAWS: u64 = 8;

/// The row of the anchor that is called. `row` gives the row of a place.
#[inline(always)]
pub fn find<'a>(called: Words, row: impl Fn(u32) -> Option<&'a AnchorRow>) -> Option<&'a AnchorRow> {
    if called.is_zero() {
        return None;
    }
    for place in 0..ANCHOR_ROWS {
        let row = row(place)?;
        if row.anchor == called {
            return Some(row);
        }
        if row.anchor.is_zero() {
            return None;
        }
    }
    None
}

/// The address for a call from `source` at Unix second `unix`. `draw` gives 128 random bits for each number it is asked for.
///
/// None where each that was drawn is in a part that is taken out.
#[inline(always)]
pub fn address(row: &AnchorRow, source: Words, unix: u64, draw: impl Fn(u64) -> Words) -> Option<Words> {
    for number in 0..DRAWS {
        let address = write::destination(row, source, draw(number), unix);
        if !row.excludes(address) {
            return Some(address);
        }
    }
    None
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

    fn found(rows: &[AnchorRow], called: u128) -> Option<usize> {
        let row = find(Words::from_u128(called), |place| rows.get(place as usize))?;
        rows.iter().position(|other| std::ptr::eq(row, other))
    }

    extern crate std;

    #[test]
    fn an_anchor_is_found_by_all_its_bits() {
        let rows = [row(1), row(1 << 64 | 1), row(7), row(0), row(9)];
        assert_eq!(found(&rows, 1), Some(0));
        assert_eq!(found(&rows, 1 << 64 | 1), Some(1));
        assert_eq!(found(&rows, 7), Some(2));
        assert_eq!(found(&rows, 1 << 64), None);
        assert_eq!(found(&rows, 0), None, "no anchor is all zeros");
        assert_eq!(found(&rows, 9), None, "it is behind the last row");
        let full = [row(5); ANCHOR_ROWS as usize];
        assert_eq!(found(&full, 6), None);
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
            address(&row, Words::default(), 0, words).map(Words::to_u128)
        };
        assert_eq!(drawn(|number| number), Some(3));
        assert_eq!(drawn(|number| number + 9), Some(9));
        assert_eq!(drawn(|number| number % 3), None);
    }
}
