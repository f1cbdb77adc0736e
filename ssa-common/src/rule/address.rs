//! The client's side: a compiled rule, a source and what is wanted in; the destination to use out.

use core::{fmt, ops::ControlFlow};

use super::{
    Pair,
    compile::Compiled,
    hash, mac,
    model::{Copied, Kind},
    place::PlacedField,
    pow, source,
};
use crate::{
    bits::{Words, mask},
    rows::HashedRow,
    sha256,
};

/// What a client wants an address for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request {
    /// The address it sends from.
    pub source: u128,
    /// The id of the object it wants, if the rule has an `object` field.
    pub object: Option<u128>,
    /// The replica it wants, counted from 0.
    pub replica: u32,
    /// Unix seconds.
    pub time: u64,
}

/// Why there is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// The rule has an `object` field and the request no object.
    NoObject,
    /// The rule has a `mac` field and the ring no key.
    NoKey,
    /// The replica wanted is not below the rule's count.
    NoReplica {
        /// Replicas there are.
        count: u32,
    },
    /// The caller gave up the search for a proof of work.
    Cancelled,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoObject => f.write_str("the rule has an object field: say which object is wanted"),
            Self::NoKey => f.write_str("the rule has a mac field and its key ring holds no key"),
            Self::NoReplica { count } => write!(f, "the rule has replicas 0 to {}", count - 1),
            Self::Cancelled => f.write_str("the search for a proof of work was given up"),
        }
    }
}

impl core::error::Error for AddressError {}

impl Compiled {
    /// The destination for `request`.
    ///
    /// `random` gives 64 fresh random bits at each call. `progress` is told every 4,096 attempts how many attempts the
    /// search for a proof of work has taken, and may end it.
    ///
    /// # Errors
    /// Where the request or the ring lacks what the rule needs, or `progress` gave up.
    pub fn destination(
        &self,
        request: &Request,
        random: &mut dyn FnMut() -> u64,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<u128, AddressError> {
        let drawn = self.draw(request, random)?;
        self.prove(request, drawn, random, progress)
    }

    /// The destination for `request` as it stands before its `mac` and `pow` are worked out, whose bits are zero.
    ///
    /// # Errors
    /// Where the request or the ring lacks what the other fields need.
    pub fn draw(&self, request: &Request, random: &mut dyn FnMut() -> u64) -> Result<u128, AddressError> {
        let source = Words::from_u128(request.source);
        let mut destination = self.placed.prefix;
        for field in &self.placed.fields {
            let value = match &field.kind {
                Kind::Any => (u128::from(random()) << 64) | u128::from(random()),
                Kind::Const(value) => *value,
                Kind::Src(from) => source::value(request.source, from.offset, field.width, from.reverse, from.invert),
                Kind::Object(from) => from.of_object(field.width, request.object)?,
                Kind::Replica { count } => replica(request.replica, *count)?,
                Kind::KeyId => self.newest().ok_or(AddressError::NoKey)?.number.into(),
                Kind::Hash { .. } => {
                    self.hashed(field).map_or(0, |row| u128::from(hash::digest(row, source)) >> row.shift)
                }
                Kind::Mac { .. } | Kind::Pow { .. } => 0,
            };
            field.write(&mut destination, value);
        }
        Ok(destination)
    }

    /// Draws nonces, computes the `mac` over them, and is done when every proof holds: at once where none is wanted.
    ///
    /// `random` and `progress` are those of [`destination`](Self::destination). Several searches may begin with what was
    /// drawn once, each with random bits of its own.
    ///
    /// # Errors
    /// Where the ring has no key for a `mac`, or `progress` gave up.
    pub fn prove(
        &self,
        request: &Request,
        mut destination: u128,
        random: &mut dyn FnMut() -> u64,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<u128, AddressError> {
        let pair =
            |destination| Pair { source: Words::from_u128(request.source), destination: Words::from_u128(destination) };
        let epoch = |row: &HashedRow| request.time.checked_div(row.period).unwrap_or(0);
        for attempt in 1u64.. {
            for field in self.fields_of(b'p') {
                field.write(&mut destination, random().into());
            }
            for field in self.fields_of(b'm') {
                let (Some(row), Some(key)) = (self.hashed(field), self.newest()) else {
                    return Err(AddressError::NoKey);
                };
                let tag = mac::tag(row, key.start, &pair(destination), epoch(row));
                field.write(&mut destination, u128::from(tag) >> row.shift);
            }
            let proven = self
                .fields_of(b'p')
                .filter_map(|field| self.hashed(field))
                .all(|row| pow::proves(row, sha256::first_bits(&mut pow::block(row, &pair(destination), epoch(row)))));
            if proven {
                return Ok(destination);
            }
            if attempt.is_multiple_of(4096) && progress(attempt).is_break() {
                break;
            }
        }
        Err(AddressError::Cancelled)
    }

    fn fields_of(&self, letter: u8) -> impl Iterator<Item = &PlacedField> {
        self.placed.fields.iter().filter(move |field| field.width > 0 && field.kind.letter() == Some(letter))
    }

    /// The row of a hashed field: `hash`, `mac`, `pow` stand in this order.
    pub(super) fn hashed(&self, field: &PlacedField) -> Option<&HashedRow> {
        let mut in_order = self.fields_of(b'h').chain(self.fields_of(b'm')).chain(self.fields_of(b'p'));
        self.row.hashed.get(in_order.position(|other| other.first == field.first)?)
    }

    pub(super) fn newest(&self) -> Option<&crate::rows::KeyRow> {
        self.row.ring[..usize::from(self.row.keys)].first()
    }
}

impl Copied {
    /// The bits of the object that is wanted, for a field of this width.
    pub(super) fn of_object(self, width: u8, object: Option<u128>) -> Result<u128, AddressError> {
        let object = object.ok_or(AddressError::NoObject)?;
        Ok(source::value(object, self.offset, width, self.reverse, self.invert))
    }
}

/// The replica that is wanted, if there are so many.
pub(super) fn replica(wanted: u32, count: u32) -> Result<u128, AddressError> {
    if wanted < count { Ok(wanted.into()) } else { Err(AddressError::NoReplica { count }) }
}

impl PlacedField {
    /// Writes the low bits of `value` into this field of `address`.
    pub(super) fn write(&self, address: &mut u128, value: u128) {
        let bits = mask(self.first, self.width);
        let shift = 128 - u32::from(self.first) - u32::from(self.width);
        *address = (*address & !bits) | (value.checked_shl(shift).unwrap_or(0) & bits);
    }

    /// This field's bits of `address`, as a number.
    pub(super) fn read(&self, address: u128) -> u128 {
        let shift = 128 - u32::from(self.first) - u32::from(self.width);
        (address & mask(self.first, self.width)).checked_shr(shift).unwrap_or(0)
    }
}
