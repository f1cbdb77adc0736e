//! Why there is no connection, in words.

use std::{
    fmt, io,
    net::{Ipv6Addr, SocketAddrV6},
    time::Duration,
};

use crate::SelectError;

/// Why there is no connection. Features add reasons, so that a match needs an arm for those it does not know.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConnectError {
    /// There is no address to connect to.
    Select(SelectError),
    /// The issuer gives no address to connect to.
    #[cfg(feature = "issue")]
    Issue(crate::issue::IssueError),
    /// The kernel has no way there, or no address to send from.
    NoRoute {
        /// Where to.
        to: Ipv6Addr,
        /// What it said.
        error: io::Error,
    },
    /// The connection was refused, or cannot be made.
    Connect {
        /// Where to.
        to: SocketAddrV6,
        /// What the kernel said.
        error: io::Error,
    },
    /// None of several addresses can be connected to. In the order in which they failed.
    All(Vec<Self>),
    /// Nobody answered.
    TimedOut {
        /// How long it was waited.
        longest: Duration,
        /// Who was called and has neither answered nor refused.
        called: Vec<SocketAddrV6>,
    },
}

impl ConnectError {
    /// One error for several.
    pub(super) fn of(mut errors: Vec<Self>) -> Self {
        if errors.len() == 1 { errors.swap_remove(0) } else { Self::All(errors) }
    }
}

impl From<SelectError> for ConnectError {
    fn from(error: SelectError) -> Self {
        Self::Select(error)
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Select(error) => error.fmt(f),
            #[cfg(feature = "issue")]
            Self::Issue(error) => error.fmt(f),
            Self::NoRoute { to, error } => write!(f, "there is no way to {to}: {error}"),
            Self::Connect { to, error } => write!(f, "cannot connect to {to}: {error}"),
            Self::All(errors) => {
                f.write_str("no address can be connected to")?;
                errors.iter().try_for_each(|error| write!(f, "; {error}"))
            }
            Self::TimedOut { longest, called } => {
                write!(f, "no answer within {} s", longest.as_secs_f32())?;
                called.iter().try_for_each(|to| write!(f, ", from {to}"))
            }
        }
    }
}

impl std::error::Error for ConnectError {}
