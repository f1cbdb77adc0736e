//! Salt, keys and object ids: what goes into a digest and what comes out as a field key or an id.

use alloc::string::String;
use core::fmt;

use sha2::{Digest, Sha256};

use super::place::{Placed, PlacedField};
use crate::bits::Words;

/// What the hashed fields of a service are worked out with.
#[derive(Clone, Debug, Default)]
pub struct Secrets<'a> {
    /// The service's public salt; zero if it has none.
    pub salt: [u8; 16],
    /// The ring of the rule's `mac`, in any order.
    pub ring: &'a [Key],
}

/// A key of a ring.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its number. The newest key has the highest.
    pub number: u32,
    /// The secret.
    pub secret: [u8; 16],
}

/// Shows the number alone: a secret never reaches a log.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("number", &self.number).finish_non_exhaustive()
    }
}

/// The field key: the first 16 octets of SHA-256 over what DESIGN §3 lists.
pub(super) fn field_key(placed: &Placed, field: &PlacedField, secret: [u8; 16]) -> Words {
    let (Some(letter), Some(source_bits)) = (field.kind.letter(), field.kind.source_bits()) else {
        return Words::default();
    };
    let digest = Sha256::new()
        .chain_update(b"ssa1")
        .chain_update([letter, field.first, field.width, source_bits])
        .chain_update(placed.prefix.to_be_bytes())
        .chain_update([placed.length])
        .chain_update(secret)
        .finalize();
    Words::from_u128(first_bits(&digest))
}

/// The id of an object: `0x` and hexadecimal digits are taken as they are (32 of them), a number is a block address, any
/// other text is a name.
///
/// # Errors
/// Where the text begins with `0x` and is not an id.
pub fn object_id(text: &str) -> Result<u128, String> {
    if let Some(digits) = text.strip_prefix("0x") {
        let good = digits.len() == 32 && digits.bytes().all(|octet| octet.is_ascii_hexdigit());
        return u128::from_str_radix(digits, 16).ok().filter(|_| good).ok_or_else(|| {
            alloc::format!("`{text}` is not an object id: write 0x and 32 hexadecimal digits, a number, or a name")
        });
    }
    let number = !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_digit());
    match text.parse() {
        Ok(number_value) if number => Ok(number_value),
        _ => Ok(first_bits(&Sha256::digest(text))),
    }
}

fn first_bits(digest: &[u8]) -> u128 {
    digest.iter().take(16).fold(0, |bits, &octet| bits << 8 | u128::from(octet))
}
