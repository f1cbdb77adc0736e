//! Who has blocked a source: as a word, and as a number in a row.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Who has blocked a source. What one has put on the list, another neither replaces nor takes away by the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A person.
    Operator,
    /// What looks for attacks on this host.
    Detector,
    /// What brings the cluster's list to this host.
    Agent,
}

impl Origin {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 3] = [Self::Operator, Self::Detector, Self::Agent];

    /// The name in text, JSON and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::Detector => "detector",
            Self::Agent => "agent",
        }
    }

    /// The number in a row.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Of a row's number; what is not known is the operator's.
    pub fn of(number: u8) -> Self {
        Self::ALL.get(usize::from(number)).copied().unwrap_or(Self::Operator)
    }
}
