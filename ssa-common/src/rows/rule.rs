//! A rule as it is checked.

use bytemuck::{Pod, Zeroable};

use crate::{
    bits::Words,
    layout::{FIELDS, HASHED, KEYS},
};

/// A rule compiled for one prefix.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct RuleRow {
    /// The bits that are constants or copied from the source.
    pub checked: Words,
    /// What the constant bits must be, and what is added to copied source bits.
    pub constant: Words,
    /// How many of `bits` compare source bits; they come first.
    pub sources: u8,
    /// How many of `bits` are replica numbers; they follow.
    pub replicas: u8,
    /// 1 if `keyid` is in use.
    pub keyids: u8,
    /// How many of `hashed` are `hash`; they come first.
    pub hashes: u8,
    /// 1 if a `mac` follows them.
    pub macs: u8,
    /// How many of `hashed` are `pow`; they come last.
    pub pows: u8,
    /// Keys of the ring in use.
    pub keys: u8,
    /// What a stale clock does: `STALE_*`.
    pub stale: u8,
    /// 1 if one of `bits` reverses the source.
    pub reverses: u8,
    /// Which kinds of fields there are, for the common way: `SHAPE_*`.
    pub shape: u8,
    /// Explicit padding.
    pub reserved: [u8; 6],
    /// Ticks after which an offset that nobody refreshed is stale; 0: never.
    pub max_age: u64,
    /// Fields that compare bits.
    pub bits: [BitsRow; FIELDS],
    /// The `keyid` field: `mask` holds the ones of its width, right-aligned.
    pub keyid: BitsRow,
    /// Fields that compute a digest.
    pub hashed: [HashedRow; HASHED],
    /// The ring, newest first.
    pub ring: [KeyRow; KEYS],
}

/// The common way may judge by this rule: it has no other checks than those below. A row that nobody filled may not.
pub const SHAPE_COMMON: u8 = 1;
/// Constants, and source bits that one rotation puts in place.
pub const SHAPE_BITS: u8 = 1 << 1;
/// One `hash`.
pub const SHAPE_HASH: u8 = 1 << 2;
/// A `mac` by one key at least, without `hash` and `keyid`.
pub const SHAPE_MAC: u8 = 1 << 3;
/// Keep the last offset.
pub const STALE_LAST: u8 = 0;
/// Accept every epoch's field unseen.
pub const STALE_OPEN: u8 = 1;
/// Accept no epoch.
pub const STALE_CLOSED: u8 = 2;

/// A field that compares bits.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct BitsRow {
    /// Which bits count, after the rotation.
    pub mask: Words,
    /// `replica`: the first number that is too large.
    pub limit: u64,
    /// Bits to rotate left by.
    pub rotate: u32,
    /// 1: reverse before the rotation.
    pub reverse: u32,
}

/// A field that computes a digest.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct HashedRow {
    /// `hash`: [`start`](crate::siphash::start) of the field key. The ring has those of a `mac`.
    pub start: [u64; 4],
    /// `pow`: the field key.
    pub key: Words,
    /// The first P source bits.
    pub source_mask: Words,
    /// All bits but the field's own.
    pub others: Words,
    /// `hash`, `mac`: [`tail`](crate::siphash::tail) of the message.
    pub tail: u64,
    /// Ticks in an epoch; 0 without period.
    pub period: u64,
    /// Ticks by which neighbouring epochs are accepted.
    pub skew: u64,
    /// Bits to rotate the destination left by, so that the field comes first, and [`ONE_WORD`].
    pub rotate: u32,
    /// Octets of the source word: 7, 8 or 16.
    pub source_octets: u8,
    /// Octets of the suffix word: 8 or 16.
    pub suffix_octets: u8,
    /// 64 minus the field's width.
    pub shift: u8,
    /// `pow`: zero bits wanted.
    pub zeros: u8,
}

/// The field does not cross from one word of the destination to the other, so that the other need not be looked at.
pub const ONE_WORD: u32 = 128;

/// A key of the ring, worked out for one field of one prefix.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct KeyRow {
    /// [`start`](crate::siphash::start) of the field key.
    pub start: [u64; 4],
    /// The key's number.
    pub number: u64,
}
