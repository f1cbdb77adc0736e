//! Why a record is not followed.

use std::fmt;

use ssa_common::{quote::Quoted, rule::RuleError};

/// Why a record is not followed. One that is not understood is refused whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// It does not begin with a version of ours.
    NotOurs,
    /// It has a version that is not known here.
    Version(String),
    /// It has a key that must be understood, and is not.
    Unknown(String),
    /// It has a key twice.
    Twice(&'static str),
    /// A key has a value that it cannot have.
    Value {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// What would be right.
        help: &'static str,
    },
    /// It has a semicolon, which some servers take for the begin of a comment.
    Semicolon,
    /// It has no rule.
    NoRule,
    /// Its rule is none.
    Rule(RuleError),
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs => f.write_str("this is no rule record: one begins with v=1, or as TXT with v=ssa1"),
            Self::Version(version) => {
                let version = Quoted(version);
                write!(f, "the rule record has the version `{version}`, which is not known here: 1 is, as TXT ssa1")
            }
            Self::Unknown(key) => {
                let key = Quoted(key);
                write!(f, "the rule record has the key `{key}`, which must be understood and is not known here")
            }
            Self::Twice(key) => write!(f, "the rule record has the key `{key}` twice"),
            Self::Value { key, value, help } => {
                write!(f, "the rule record has `{}` for `{key}`: {help}", Quoted(value))
            }
            Self::Semicolon => f.write_str("the rule record has a semicolon, which no part of one needs"),
            Self::NoRule => {
                f.write_str("the rule record has no rule: it ends with rule=, as in rule=hash(48):14 any:*")
            }
            Self::Rule(_) => f.write_str("the rule record has a rule that is not understood"),
        }
    }
}

impl std::error::Error for RecordError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Rule(error) => Some(error),
            _ => None,
        }
    }
}
