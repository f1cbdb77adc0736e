//! A rule as its text says it, before it meets a prefix.

use alloc::{string::String, vec::Vec};
use core::ops::Range;

/// A rule: fields, most significant first. Made by parsing its text.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(super) fields: Vec<Field>,
}

/// Rules are equal when they say the same; where a field stood in its text does not count.
impl PartialEq for Rule {
    fn eq(&self, other: &Self) -> bool {
        let said = |rule: &Self| rule.fields.iter().map(|f| (f.kind.clone(), f.width)).collect::<Vec<_>>();
        said(self) == said(other)
    }
}

impl Eq for Rule {}

/// One field of a rule.
#[derive(Clone, Debug)]
pub struct Field {
    /// What it holds.
    pub kind: Kind,
    /// How many bits.
    pub width: Width,
    /// Where it stands in the rule's text, in octets.
    pub span: Range<usize>,
}

/// How many bits a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Width {
    /// 1 to 112.
    Bits(u8),
    /// What the other fields leave of the suffix, zero included.
    Rest,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Random bits.
    Any,
    /// A number.
    Const(u128),
    /// Bits of the source address.
    Src(Copied),
    /// Bits of the object id.
    Object(Copied),
    /// A digest of the first bits of the source.
    Hash {
        /// P, 1 to 128.
        source_bits: u8,
    },
    /// A keyed digest of everything.
    Mac {
        /// P, 1 to 128.
        source_bits: u8,
        /// The ring's name.
        key: String,
        /// Length of an epoch, if it has epochs.
        period: Option<Period>,
    },
    /// A nonce.
    Pow {
        /// P, 1 to 64.
        source_bits: u8,
        /// Z, 1 to 40.
        zeros: u8,
        /// Length of an epoch, if it has epochs.
        period: Option<Period>,
    },
    /// The replica wanted.
    Replica {
        /// K: how many there are, 1 to 2^32 − 1.
        count: u32,
    },
    /// The number of the key of the `mac`.
    KeyId,
}

/// Bits copied from an address or an object id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Copied {
    /// O: the first bit copied, 0 to 127.
    pub offset: u8,
    /// In reverse order.
    pub reverse: bool,
    /// Each bit inverted.
    pub invert: bool,
}

/// Length of an epoch in seconds, at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period(pub(super) u32);

impl Period {
    /// Seconds.
    pub const fn seconds(self) -> u64 {
        self.0 as u64
    }
}

impl Rule {
    /// The fields, most significant first.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The rule as far as one can follow it who has no key: what a key makes is `any`.
    #[must_use]
    pub fn without_keys(&self) -> Self {
        let mut rule = self.clone();
        for field in &mut rule.fields {
            if matches!(field.kind, Kind::Mac { .. } | Kind::KeyId) {
                field.kind = Kind::Any;
            }
        }
        rule
    }

    /// The `mac` field, if there is one.
    pub fn mac(&self) -> Option<&Field> {
        self.fields.iter().find(|field| matches!(field.kind, Kind::Mac { .. }))
    }

    /// The name of the key ring that the rule needs.
    pub fn key(&self) -> Option<&str> {
        self.fields.iter().find_map(|field| match &field.kind {
            Kind::Mac { key, .. } => Some(key.as_str()),
            _ => None,
        })
    }
}

impl Kind {
    /// The kind's name in the rule format.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Any => "any",
            Self::Const(_) => "const",
            Self::Src(_) => "src",
            Self::Object(_) => "object",
            Self::Hash { .. } => "hash",
            Self::Mac { .. } => "mac",
            Self::Pow { .. } => "pow",
            Self::Replica { .. } => "replica",
            Self::KeyId => "keyid",
        }
    }

    /// The letter of a hashed kind in its field key.
    pub(super) const fn letter(&self) -> Option<u8> {
        match self {
            Self::Hash { .. } => Some(b'h'),
            Self::Mac { .. } => Some(b'm'),
            Self::Pow { .. } => Some(b'p'),
            _ => None,
        }
    }

    /// P of a hashed kind.
    pub const fn source_bits(&self) -> Option<u8> {
        match self {
            Self::Hash { source_bits } | Self::Mac { source_bits, .. } | Self::Pow { source_bits, .. } => {
                Some(*source_bits)
            }
            _ => None,
        }
    }

    /// The period of a kind that has epochs.
    pub const fn period(&self) -> Option<Period> {
        match self {
            Self::Mac { period, .. } | Self::Pow { period, .. } => *period,
            _ => None,
        }
    }
}
