//! What was measured, in one form for the table, the file, the chart and the comparison with an earlier run.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

/// The unit of what a frame costs more than an empty program.
pub const NANOSECONDS_ABOVE: &str = "ns above empty";

/// One figure of a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// The same in every run: `section/what/case`, such as `micro/bit/conforming`.
    pub id: String,
    /// The same for people, such as `bit rule, conforming`.
    pub name: String,
    /// What it counts, such as `ns above empty`, `Mpps`, `ms`, `octets`.
    pub unit: String,
    /// Whether a smaller figure is the better one.
    pub better: Better,
    /// What the rounds gave.
    pub spread: Spread,
    /// How many rounds there were.
    pub rounds: u32,
    /// What it should be, where SPEED says so.
    pub goal: Option<Goal>,
    /// This figure divided by others of the same run, by the name of the other.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ratios: BTreeMap<String, Ratio>,
}

impl Figure {
    /// The one number that goals and ratios are about: of costs the lower quartile, as what disturbs them only adds;
    /// of rates the median.
    pub const fn quoted(&self) -> f64 {
        match self.better {
            Better::Lower => self.spread.p25,
            Better::Higher => self.spread.median,
        }
    }
}

/// A quotient of two figures of one run, and what it should be.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Ratio {
    /// The quotient.
    pub value: f64,
    /// What it should be, where SPEED says so.
    pub goal: Option<Goal>,
    /// How much more this figure is than the other, where no more than [`FLAT`] is as good as the goal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<f64>,
}

/// So many nanoseconds are nothing, whatever part of a small figure they are: where the kernel puts the code of a program
/// matters as much.
pub const FLAT: f64 = 1.0;

impl Ratio {
    /// Whether it is what it should be, where it should be something.
    pub fn met(self) -> Option<bool> {
        self.goal.map(|goal| goal.met(self.value) || self.more.is_some_and(|more| more <= FLAT))
    }

    /// What it should be, for people.
    pub fn wanted(self) -> Option<String> {
        let or = if self.more.is_some() { format!(" or {FLAT} ns more") } else { String::new() };
        self.goal.map(|goal| format!("{goal}{or}"))
    }
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Better {
    /// Less is better: costs, times, memory.
    Lower,
    /// More is better: rates.
    Higher,
}

/// Minimum and quartiles of the rounds.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// A quarter of the rounds gave no more.
    pub p25: f64,
    /// Half of them.
    pub median: f64,
    /// Three quarters.
    pub p75: f64,
    /// The most.
    pub max: f64,
}

impl Spread {
    /// The spread of some rounds, one at least; a single figure is its own quartiles.
    ///
    /// # Panics
    /// Where there are no rounds.
    pub fn of(mut rounds: Vec<f64>) -> Self {
        rounds.sort_by(f64::total_cmp);
        let at = |quarter: usize| rounds[(rounds.len() - 1) * quarter / 4];
        Self { min: at(0), p25: at(1), median: at(2), p75: at(3), max: at(4) }
    }
}

/// A limit that a figure must keep.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

impl Goal {
    /// Whether a figure keeps it.
    pub fn met(self, figure: f64) -> bool {
        match self {
            Self::AtMost(limit) => figure <= limit,
            Self::AtLeast(limit) => figure >= limit,
        }
    }

    /// The limit itself.
    pub const fn limit(self) -> f64 {
        let (Self::AtMost(limit) | Self::AtLeast(limit)) = self;
        limit
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(limit) => write!(f, "≤ {limit}"),
            Self::AtLeast(limit) => write!(f, "≥ {limit}"),
        }
    }
}
