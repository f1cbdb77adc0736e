//! The name of a section in; its figures out. A new section has a line in the enum and one in `run`.

use anyhow::{Context as _, Result};
use clap::ValueEnum;

use super::{Context, control, figure::Figure, goodput, memory, micro, wire};

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Section {
    /// The program alone, through `BPF_PROG_TEST_RUN`
    Micro,
    /// Frames dropped on a wire between two namespaces
    Wire,
    /// Commands as processes, and what they do to maps
    Control,
    /// What a flood leaves of a TCP service
    Goodput,
    /// What the filter takes in the kernel, and `ssa-ctl apply` for itself
    Memory,
}

impl Section {
    /// All of them, in the order of the table.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// Measures it.
    ///
    /// # Errors
    /// Where something could not be measured, or what was measured is not what should be.
    pub fn run(self, context: &Context) -> Result<Vec<Figure>> {
        match self {
            Self::Micro => micro::run(context).context("section micro"),
            Self::Wire => wire::run(context).context("section wire"),
            Self::Control => control::run(context).context("section control"),
            Self::Goodput => goodput::run(context).context("section goodput"),
            Self::Memory => memory::run(context).context("section memory"),
        }
    }
}
