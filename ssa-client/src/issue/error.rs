//! Why an issuer has given no address, in words.

use std::{fmt, io, net::Ipv6Addr, time::Duration};

/// Why there is no address from an issuer.
#[derive(Debug)]
pub enum IssueError {
    /// It cannot be called by this URL.
    Url {
        /// The URL.
        url: String,
        /// What would be right.
        why: &'static str,
    },
    /// There is no certificate to believe it by.
    Roots(&'static str),
    /// It cannot be reached, or is not who it should be.
    Reach {
        /// The host, and its port.
        issuer: String,
        /// What happened.
        error: io::Error,
    },
    /// What it says is no HTTP.
    Http(hyper::Error),
    /// It has not answered.
    TimedOut {
        /// The host, and its port.
        issuer: String,
        /// How long it was waited.
        longest: Duration,
    },
    /// It gives none, and says why.
    Refused {
        /// The status of its answer.
        status: u16,
        /// What it says, cut where it is long.
        message: String,
        /// Seconds after which it wants to be asked again.
        retry_after: Option<u32>,
    },
    /// Its answer is no JSON, or no answer.
    Json(serde_json::Error),
    /// Its answer is not one to that question.
    Answer(String),
    /// The address that it gives is none by the rule.
    Address {
        /// The address, which nobody calls.
        address: Ipv6Addr,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl fmt::Display for IssueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url { url, why } => write!(f, "`{url}` is no issuer's URL: {why}"),
            Self::Roots(why) => write!(f, "the issuer cannot be believed: {why}"),
            Self::Reach { issuer, error } => write!(f, "the issuer {issuer} cannot be asked: {error}"),
            Self::Http(error) => write!(f, "the issuer does not speak HTTP: {error}"),
            Self::TimedOut { issuer, longest } => {
                write!(f, "the issuer {issuer} has not answered within {} s", longest.as_secs_f32())
            }
            Self::Refused { status, message, retry_after } => {
                write!(f, "the issuer gives no address ({status}): {message}")?;
                retry_after.map_or(Ok(()), |seconds| write!(f, "; it may be asked again in {seconds} s"))
            }
            Self::Json(error) => write!(f, "the issuer's answer cannot be used: {error}"),
            Self::Answer(why) => write!(f, "the issuer's answer cannot be used: {why}"),
            Self::Address { address, why } => write!(f, "the issuer gives {address}, {why}"),
        }
    }
}

impl std::error::Error for IssueError {}
