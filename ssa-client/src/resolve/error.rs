//! Why no service was found, in words.

use std::fmt;

use hickory_resolver::{net::NetError, proto::rr::Name};
use ssa_common::quote::{Escaped, Quoted};

use super::name::shown;
use crate::{
    apl::{AplError, Unusable},
    record::RecordError,
};

/// Prefixes that are not used of which an error tells.
const MOST_TOLD: usize = 4;

/// Why there is no service.
#[derive(Debug)]
pub enum ResolveError {
    /// The system says no name servers.
    System(Cause),
    /// This is no name of a service.
    Name {
        /// What was given.
        name: String,
        /// What is wrong with it.
        error: String,
    },
    /// DNS does not answer, or its signatures are wrong.
    Dns {
        /// Whose records were asked for.
        name: String,
        /// Their type.
        kind: String,
        /// What happened.
        error: Cause,
    },
    /// There is no rule record at the name.
    NoService {
        /// The name.
        name: String,
    },
    /// There is a rule, and no IPv6 prefix to it: the service is not offered.
    NoPrefix {
        /// The name.
        name: String,
        /// Prefixes that it has, and no service can have.
        unused: Vec<Unusable>,
    },
    /// There are records which are not understood. They must not be followed by half.
    Refused {
        /// Where they are.
        name: String,
        /// Why.
        refused: Refused,
    },
    /// Records are not signed, and have to be.
    NotAuthenticated {
        /// Where they are.
        name: String,
        /// Their type.
        kind: String,
    },
}

/// What happened to a question, without what a terminal would take for more than text: it may name names of others.
#[derive(Debug)]
pub struct Cause(Box<NetError>);

/// What is not understood of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// A rule record.
    Record(RecordError),
    /// A list of prefixes.
    List(AplError),
    /// An SVCB record needs a parameter with this number, of which we know nothing or which it has not.
    Mandatory(u16),
    /// Two TXT records have different rules.
    Ambiguous,
    /// Names lead to names without end.
    Circle,
}

impl ResolveError {
    pub(super) fn system(error: NetError) -> Self {
        Self::System(error.into())
    }

    pub(super) fn refused(name: &Name, refused: Refused) -> Self {
        Self::Refused { name: shown(name), refused }
    }
}

impl From<NetError> for Cause {
    fn from(error: NetError) -> Self {
        Self(Box::new(error))
    }
}

impl From<RecordError> for Refused {
    fn from(error: RecordError) -> Self {
        Self::Record(error)
    }
}

impl From<AplError> for Refused {
    fn from(error: AplError) -> Self {
        Self::List(error)
    }
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(_) => f.write_str("this system names no DNS servers"),
            Self::Name { name, error } => write!(f, "`{}` is not a DNS name of a service: {error}", Quoted(name)),
            Self::Dns { name, kind, .. } => write!(f, "DNS has no answer for {name} {kind}"),
            Self::NoService { name } => write!(f, "{} has no rule record", Escaped(name)),
            Self::NoPrefix { name, unused } => {
                write!(f, "{} has a rule and no IPv6 prefix: it is not offered", Escaped(name))?;
                unused.iter().take(MOST_TOLD).try_for_each(|unused| write!(f, "; {unused}"))
            }
            Self::Refused { name, .. } => write!(f, "the records of {name} are not understood"),
            Self::NotAuthenticated { name, kind } => write!(f, "the records {name} {kind} are not signed"),
        }
    }
}

impl std::error::Error for ResolveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::System(error) | Self::Dns { error, .. } => Some(error),
            Self::Refused { refused, .. } => Some(refused),
            _ => None,
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Escaped(&self.0.to_string()).fmt(f)
    }
}

impl std::error::Error for Cause {}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(error) => error.fmt(f),
            Self::List(error) => error.fmt(f),
            Self::Mandatory(key) => write!(f, "an SVCB record needs its parameter key{key}, which nobody here knows"),
            Self::Ambiguous => f.write_str("there are TXT records with different rules"),
            Self::Circle => f.write_str("too many SVCB records lead from name to name"),
        }
    }
}

impl std::error::Error for Refused {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Record(error) => error.source(),
            Self::List(error) => error.source(),
            Self::Mandatory(_) | Self::Ambiguous | Self::Circle => None,
        }
    }
}
