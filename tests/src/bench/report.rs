//! Figures in; a whole run with the machine it was made on, as it is written to a file and read from it, out.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};
use ssa_ctl::kernel::object;

use super::{figure::Figure, machine::Machine};

/// Counts up when a file of before is read wrongly.
const FORMAT: u32 = 1;

/// A run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// How to read the rest.
    pub format: u32,
    /// Of this software.
    pub version: String,
    /// A digest of the program: the same in two runs is the same program.
    pub program: String,
    /// When it ended, in Unix seconds.
    pub time: u64,
    /// The machine.
    pub machine: Machine,
    /// Whether it had too few rounds to say anything.
    pub brief: bool,
    /// The sections that failed: what they measure is not here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<String>,
    /// What was measured, in the order of the table.
    pub figures: Vec<Figure>,
}

impl Report {
    /// The figures of a run that ends now, on this machine.
    pub fn new(brief: bool, figures: Vec<Figure>) -> Self {
        Self {
            format: FORMAT,
            version: env!("CARGO_PKG_VERSION").into(),
            program: format!("{:016x}", object::build()),
            time: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs(),
            machine: Machine::this(),
            brief,
            failed: vec![],
            figures,
        }
    }

    /// The figure of this id.
    pub fn figure(&self, id: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.id == id)
    }

    /// Reads a run.
    ///
    /// # Errors
    /// Where it is none, or one in another format.
    pub fn from_json(text: &str) -> Result<Self> {
        let report: Self = serde_json::from_str(text).context("this is no run of the bench")?;
        ensure!(report.format == FORMAT, "a run in format {}, and not {FORMAT}", report.format);
        Ok(report)
    }

    /// One JSON object.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// How many goals there were, and those that were missed: what, how it is, how it should be.
    pub fn goals(&self) -> (usize, Vec<String>) {
        let of_figure = |figure: &Figure| {
            let own = figure.goal.map(|goal| {
                let value = figure.quoted();
                (goal.met(value), format!("{}: {}, {goal}", figure.name, super::number_beside(value, goal)))
            });
            let ratios = figure.ratios.iter().filter_map(|(other, ratio)| {
                let value = super::number_beside(ratio.value, ratio.goal?);
                Some((ratio.met()?, format!("{} against {other}: {value}, {}", figure.name, ratio.wanted()?)))
            });
            own.into_iter().chain(ratios).collect::<Vec<_>>()
        };
        let goals: Vec<_> = self.figures.iter().flat_map(of_figure).collect();
        let all = goals.len();
        (all, goals.into_iter().filter(|(met, _)| !met).map(|(_, words)| words).collect())
    }
}
