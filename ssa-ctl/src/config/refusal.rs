//! Why something is not done, and what would be right.

use std::fmt;

use ipnet::Ipv6Net;

/// What was asked for cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub message: String,
    /// What would be right.
    pub help: String,
}

impl Refusal {
    /// Of a prefix, written so, that has bits set behind its length.
    pub fn behind(text: &str, prefix: Ipv6Net) -> Self {
        Self { message: format!("`{text}` has bits set behind its prefix"), help: format!("write {}", prefix.trunc()) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}
