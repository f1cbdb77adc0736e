//! `src` and `const`: bits that are copied from the source or given by the rule, compared all at once.

use super::Pair;
use crate::{
    bits::Words,
    rows::{BitsRow, RuleRow},
};

/// The bits of all `const` and `src` fields in which the destination is not what the rule says.
///
/// `REVERSES`: fields may reverse the source. To reverse is ten times the work of the rest, and a compiler does it ahead
/// of knowing whether it must.
#[inline(always)]
pub fn differing<const REVERSES: bool>(row: &RuleRow, pair: &Pair) -> Words {
    // Constants and the ones that `inv` adds are taken off first: what is left must be the copied bits, or zero.
    let left = pair.destination.xor(row.constant);
    let mut wrong = left.and(row.constant_mask);
    let [first, others @ ..] = &row.bits;
    if row.sources > 0 {
        wrong = wrong.or(compare::<REVERSES>(first, pair.source, left));
    }
    // Most rules copy from one place: what they need stays in registers.
    if row.sources > 1 {
        for (index, field) in (1..).zip(others) {
            if index >= row.sources {
                break;
            }
            wrong = wrong.or(compare::<REVERSES>(field, pair.source, left));
        }
    }
    wrong
}

#[inline(always)]
fn compare<const REVERSES: bool>(field: &BitsRow, source: Words, left: Words) -> Words {
    let source = if REVERSES && field.reverse != 0 { source.reverse() } else { source };
    let (upper, lower) = source.halves_rotated(field.rotate);
    // Of a /64 or longer only the lower word counts.
    let hi = if field.mask.hi == 0 { 0 } else { (upper.rotated() ^ left.hi) & field.mask.hi };
    Words { hi, lo: (lower.rotated() ^ left.lo) & field.mask.lo }
}

#[cfg(feature = "rule")]
pub(super) use write::{compile, value};

#[cfg(feature = "rule")]
mod write {
    use crate::{
        bits::{Words, mask},
        rows::BitsRow,
    };

    /// The `width` bits of `from` beginning at `offset`, as a number: what `src` and `object` write.
    pub(crate) fn value(from: u128, offset: u8, width: u8, reverse: bool, invert: bool) -> u128 {
        if width == 0 {
            return 0;
        }
        let end = 128 - u32::from(width);
        let bits = from << offset >> end;
        let bits = if reverse { bits.reverse_bits() >> end } else { bits };
        if invert { bits ^ (u128::MAX >> end) } else { bits }
    }

    /// The row that compares a field of `width` bits from bit `first` on with the source bits from `offset` on.
    pub(crate) fn compile(first: u8, width: u8, offset: u8, reverse: bool) -> BitsRow {
        // Reversed, bit i stands at 127 − i: the field's bits then begin at 128 − offset − width.
        let offset = if reverse { 128 - i32::from(offset) - i32::from(width) } else { i32::from(offset) };
        let rotate = (offset - i32::from(first)).rem_euclid(128);
        BitsRow {
            mask: Words::from_u128(mask(first, width)),
            limit: 0,
            rotate: rotate.unsigned_abs(),
            reverse: u32::from(reverse),
        }
    }
}
