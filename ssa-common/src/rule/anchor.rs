//! A compiled rule and what is called under an anchor in; the row by which a program of the kernel computes addresses out.

use core::fmt;

use bytemuck::Zeroable as _;

use super::{
    address::{AddressError, replica},
    compile::Compiled,
    model::Kind,
};
use crate::{
    bits::{Words, mask},
    layout::{EXCLUDED, KEYS},
    rows::{AnchorRow, ExcludedRow, KeyRow, RuleRow},
};

/// What the calls of an anchor are for, and where they come from.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The address that programs call.
    pub anchor: u128,
    /// The address that calls come from whose socket has none.
    pub source: u128,
    /// The object, where the rule has an `object` field.
    pub object: Option<u128>,
    /// The replica, counted from 0.
    pub replica: u32,
    /// Prefix and length of each part of the prefix in which no address is used.
    pub excluded: &'a [(u128, u8)],
}

/// Why a program cannot compute the addresses of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnchorError {
    /// What is wanted lacks something, or the ring does.
    Address(AddressError),
    /// The rule has a `pow` field.
    Work,
    /// More parts are taken out of the prefix than a row has room for.
    Excluded {
        /// How many.
        parts: usize,
    },
}

impl fmt::Display for AnchorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => error.fmt(f),
            Self::Work => {
                f.write_str("the rule asks for a proof of work, and a program of the kernel has no time for one")
            }
            Self::Excluded { parts } => {
                write!(f, "{parts} parts are taken out of the prefix, and there is room for {EXCLUDED}")
            }
        }
    }
}

impl core::error::Error for AnchorError {}

impl RuleRow {
    /// Whether the rule computes addresses from the source.
    pub const fn asks_for_source(&self) -> bool {
        self.sources != 0 || self.hashes != 0 || self.macs != 0 || self.pows != 0
    }
}

impl Compiled {
    /// The row by which a program computes the addresses of calls to an anchor.
    ///
    /// # Errors
    /// Where a program cannot, or lacks what the rule needs.
    pub fn anchor(&self, wanted: &Wanted<'_>) -> Result<AnchorRow, AnchorError> {
        let newest = self.newest().copied();
        let mut rule = self.row;
        rule.keys = rule.keys.min(1);
        rule.ring = [KeyRow::zeroed(); KEYS];
        rule.ring[0] = newest.unwrap_or(KeyRow::zeroed());
        let (mut template, mut random) = (self.placed.prefix, 0);
        for field in self.placed.fields.iter().filter(|field| field.width > 0) {
            match &field.kind {
                Kind::Any => random |= mask(field.first, field.width),
                Kind::KeyId => {
                    let key = newest.ok_or(AnchorError::Address(AddressError::NoKey))?;
                    field.write(&mut template, key.number.into());
                }
                Kind::Mac { .. } if newest.is_none() => return Err(AnchorError::Address(AddressError::NoKey)),
                Kind::Pow { .. } => return Err(AnchorError::Work),
                Kind::Object(from) => {
                    let value = from.of_object(field.width, wanted.object).map_err(AnchorError::Address)?;
                    field.write(&mut template, value);
                }
                Kind::Replica { count } => {
                    let value = replica(wanted.replica, *count).map_err(AnchorError::Address)?;
                    field.write(&mut template, value);
                }
                Kind::Const(_) | Kind::Src(_) | Kind::Hash { .. } | Kind::Mac { .. } => {}
            }
        }
        let source = if rule.asks_for_source() { wanted.source } else { 0 };
        let mut row = AnchorRow {
            anchor: Words::from_u128(wanted.anchor),
            source: Words::from_u128(source),
            template: Words::from_u128(template),
            random: Words::from_u128(random),
            rule,
            ..AnchorRow::zeroed()
        };
        if wanted.excluded.len() > EXCLUDED {
            return Err(AnchorError::Excluded { parts: wanted.excluded.len() });
        }
        for (to, (prefix, length)) in row.excluded.iter_mut().zip(wanted.excluded) {
            let bits = mask(0, *length);
            *to = ExcludedRow { prefix: Words::from_u128(prefix & bits), mask: Words::from_u128(bits) };
        }
        Ok(row)
    }
}
