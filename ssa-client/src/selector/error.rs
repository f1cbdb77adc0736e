//! Why a service has no address for somebody, in words.

use std::fmt;

use ipnet::Ipv6Net;
use ssa_common::rule::{AddressError, RuleError};

/// Why there is no address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectError {
    /// The service has no prefix, or all of each is excluded.
    NoPrefix,
    /// The rule does not fit a prefix.
    Unfit {
        /// The prefix.
        prefix: Ipv6Net,
        /// What does not fit, at least one.
        errors: Vec<RuleError>,
    },
    /// The rule has a `mac`, and there is no key for it.
    NoKey {
        /// The name of its ring.
        ring: String,
    },
    /// Two keys have one number.
    KeyTwice {
        /// The number.
        number: u32,
    },
    /// What is wanted lacks something.
    Address(AddressError),
    /// Where the rule leads, addresses are excluded.
    Excluded,
}

impl From<AddressError> for SelectError {
    fn from(error: AddressError) -> Self {
        Self::Address(error)
    }
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPrefix => f.write_str("the service has no IPv6 prefix of which anything is left"),
            Self::Unfit { prefix, errors } => {
                write!(f, "the rule does not fit {prefix}")?;
                errors.iter().try_for_each(|error| write!(f, ": {error}"))
            }
            Self::NoKey { ring } => write!(f, "the rule has a mac, and there is no key of the ring {ring}"),
            Self::KeyTwice { number } => write!(f, "two keys have the number {number}"),
            Self::Address(error) => error.fmt(f),
            Self::Excluded => f.write_str("the service has taken out the addresses that its rule leads to"),
        }
    }
}

impl std::error::Error for SelectError {}
