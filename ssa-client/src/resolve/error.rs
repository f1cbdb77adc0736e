//! Why no service was found, in words.

use std::fmt;

use hickory_resolver::{net::NetError, proto::rr::Name};

use crate::{apl::AplError, record::RecordError};

/// Why there is no service.
#[derive(Debug)]
pub enum ResolveError {
    /// The system says no name servers.
    System(Box<NetError>),
    /// This is no name.
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
        error: Box<NetError>,
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
        Self::System(Box::new(error))
    }

    pub(super) fn refused(name: &Name, refused: Refused) -> Self {
        Self::Refused { name: name.to_utf8(), refused }
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
            Self::Name { name, error } => write!(f, "`{name}` is not a DNS name: {error}"),
            Self::Dns { name, kind, .. } => write!(f, "DNS has no answer for {name} {kind}"),
            Self::NoService { name } => write!(f, "{name} has no rule record"),
            Self::NoPrefix { name } => write!(f, "{name} has a rule and no IPv6 prefix: it is not offered"),
            Self::Refused { name, .. } => write!(f, "the records of {name} are not understood"),
            Self::NotAuthenticated { name, kind } => write!(f, "the records {name} {kind} are not signed"),
        }
    }
}

impl std::error::Error for ResolveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::System(error) | Self::Dns { error, .. } => Some(error.as_ref()),
            Self::Refused { refused, .. } => Some(refused),
            _ => None,
        }
    }
}

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
