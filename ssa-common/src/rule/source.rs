//! `src` and `const`: bits that are copied from the source or given by the rule, compared all at once.

use super::Pair;
use crate::{
    bits::{Half, Words},
    rows::RuleRow,
};

/// The bits of all `const` and `src` fields in which the destination is not what the rule says.
///
/// `REVERSES`: fields may reverse the source. To reverse is ten times the work of the rest, and a compiler does it ahead
/// of knowing whether it must.
#[inline(always)]
pub fn differing<const REVERSES: bool>(row: &RuleRow, pair: &Pair) -> Words {
    let mut wanted = row.constant;
    for (index, field) in (0..).zip(&row.bits) {
        if index >= row.sources {
            break;
        }
        let source = if REVERSES && field.reverse != 0 { pair.source.reverse() } else { pair.source };
        wanted = wanted.xor(source.rotate_left(field.rotate).and(field.mask));
    }
    pair.destination.xor(wanted).and(row.checked)
}

/// True if no bit differs, by a rule whose copied bits, if any, all need the rotation of the first field.
#[inline(always)]
pub fn copied(row: &RuleRow, pair: &Pair) -> bool {
    let RuleRow { checked, constant, bits: [field, ..], .. } = row;
    let (upper, lower) = pair.source.halves_rotated(field.rotate);
    let differ = |half: Half, mask, constant, destination, checked| {
        (half.rotated() & mask ^ constant ^ destination) & checked != 0
    };
    // Of a /64 or longer only the lower word is checked.
    !(differ(lower, field.mask.lo, constant.lo, pair.destination.lo, checked.lo)
        || checked.hi != 0 && differ(upper, field.mask.hi, constant.hi, pair.destination.hi, checked.hi))
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
