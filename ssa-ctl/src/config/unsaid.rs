//! Values of a config in; whether they need not be said, and the words for those that are, out.

use serde::{Serialize, Serializer};

use super::{
    model::{DEFAULT_HANDOVER, DEFAULT_SKEW},
    words::Seconds,
};

pub(super) fn default_skew() -> u32 {
    DEFAULT_SKEW
}

pub(super) fn default_handover() -> u32 {
    DEFAULT_HANDOVER
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references to fields")]
pub(super) fn is_default_handover(seconds: &u32) -> bool {
    *seconds == DEFAULT_HANDOVER
}

pub(super) fn one() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references to fields")]
pub(super) fn is_one(weight: &u32) -> bool {
    *weight == 1
}

pub(super) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

pub(super) fn as_text<S: Serializer>(value: &impl std::fmt::Display, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references to fields")]
pub(super) fn as_seconds<S: Serializer>(value: &u32, serializer: S) -> Result<S::Ok, S::Error> {
    Seconds(*value).serialize(serializer)
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde hands out references to fields")]
pub(super) fn as_duration<S: Serializer>(value: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(Seconds).serialize(serializer)
}

#[expect(clippy::ref_option, reason = "serde hands out references to fields")]
pub(super) fn as_hexadecimal<S: Serializer>(value: &Option<[u8; 16]>, serializer: S) -> Result<S::Ok, S::Error> {
    value.map(|octets| format!("{:032x}", u128::from_be_bytes(octets))).serialize(serializer)
}
