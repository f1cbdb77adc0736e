//! `replica(K)`: the number of the replica wanted, 0 to K − 1.

use crate::{bits::Words, rows::RuleRow};

/// True if every `replica` field of the destination is below its limit.
#[inline(always)]
pub fn in_range(row: &RuleRow, destination: Words) -> bool {
    for (index, field) in row.bits.iter().enumerate() {
        if index < usize::from(row.sources) {
            continue;
        }
        if index >= usize::from(row.sources) + usize::from(row.replicas) {
            break;
        }
        let number = destination.rotate_left(field.rotate).and(field.mask);
        if number.hi != 0 || number.lo >= field.limit {
            return false;
        }
    }
    true
}

#[cfg(feature = "rule")]
pub(super) use write::compile;

#[cfg(feature = "rule")]
mod write {
    use crate::{
        bits::{Words, mask},
        rows::BitsRow,
    };

    /// The row that compares a field of `width` bits from bit `first` on with `count`. A `keyid` is found alike.
    pub(crate) fn compile(first: u8, width: u8, count: u64) -> BitsRow {
        BitsRow {
            mask: Words::from_u128(mask(128 - width, width)),
            limit: count,
            rotate: (u32::from(first) + u32::from(width)) % 128,
            reverse: 0,
        }
    }
}
