//! The rule record of DESIGN §7: what a service publishes beside its prefixes. Text in, a record out, and back.
//!
//! It stands in the parameter [`KEY`] of an SVCB record, and as a TXT record for hosts of DNS that have no SVCB.

mod error;
mod parse;

use std::{fmt, time::Duration};

use ssa_common::rule::Rule;

pub use self::error::RecordError;

/// The SVCB parameter that holds the record (RFC 9460 §14.3.1: for private use).
pub const KEY: u16 = 65400;
/// The label of the name below a service's at which its records are.
pub const LABEL: &str = "_ssa";
/// Seconds by which neighbouring epochs are accepted, if the record does not say.
pub const DEFAULT_SKEW: u32 = 5;
/// The most seconds that it can say.
pub const MOST_SKEW: u32 = 3600;

/// The version in an SVCB parameter.
const VERSION: &str = "1";
/// The version in a TXT record, which tells it from the TXT records of others.
const TXT_VERSION: &str = "ssa1";

/// How a client makes addresses of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What the bits behind a prefix are.
    pub rule: Rule,
    /// The public salt of `hash` and `pow`.
    pub salt: [u8; 16],
    /// Seconds by which the epochs before and after the current one are accepted, at most [`MOST_SKEW`].
    pub skew: u32,
    /// How names of objects become ids.
    pub objects: Objects,
}

/// How names of objects become ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Objects {
    /// The first 128 bits of the name's SHA-256.
    #[default]
    Sha256,
}

impl Record {
    /// A record with this rule, and the rest as it is if it is not said.
    pub const fn new(rule: Rule) -> Self {
        Self { rule, salt: [0; 16], skew: DEFAULT_SKEW, objects: Objects::Sha256 }
    }

    /// Reads the value of the SVCB parameter.
    pub fn parse_value(text: &str) -> Result<Self, RecordError> {
        parse::record(text, VERSION)
    }

    /// Reads a TXT record, whose strings have been put together. [`RecordError::NotOurs`] is somebody else's.
    pub fn parse_txt(text: &str) -> Result<Self, RecordError> {
        parse::record(text, TXT_VERSION)
    }

    /// The text of the TXT record. A string of it has room for 255 octets.
    pub fn to_txt(&self) -> String {
        format!("v={TXT_VERSION}{}", Rest(self))
    }

    /// How long the records of this rule may be kept: half the shortest period, in whole seconds. None: as long as
    /// they say.
    pub fn longest_ttl(&self) -> Option<Duration> {
        let periods = self.rule.fields().iter().filter_map(|field| field.kind.period());
        periods.map(|period| Duration::from_secs(period.seconds() / 2)).min()
    }
}

impl Objects {
    /// The word in a record.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
        }
    }
}

impl fmt::Display for Record {
    /// The value of the SVCB parameter.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v={VERSION}{}", Rest(self))
    }
}

/// What comes after the version: what is not usual, and the rule.
struct Rest<'a>(&'a Record);

impl fmt::Display for Rest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(Record { rule, salt, skew, objects }) = self;
        if *salt != [0; 16] {
            write!(f, " salt={:032x}", u128::from_be_bytes(*salt))?;
        }
        if *skew != DEFAULT_SKEW {
            write!(f, " skew={skew}")?;
        }
        if *objects != Objects::default() {
            write!(f, " obj={}", objects.name())?;
        }
        write!(f, " rule={rule}")
    }
}
