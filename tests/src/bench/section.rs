//! The name of a section in; its figures out. A new section has a line in the enum and in each `match`.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum;

use super::{
    Context, control,
    figure::Figure,
    goodput, memory, micro,
    peer::{self, CHRT, ETHTOOL, IP, NFT, NSENTER, Peer, TC, UNSHARE, XDP_FILTER},
    wire,
};

/// A part of the bench.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Section {
    /// The program alone, through `BPF_PROG_TEST_RUN`
    Micro,
    /// Frames dropped on a wire between two namespaces
    Wire,
    /// Commands as processes, and what they do to maps
    Control,
    /// What a flood leaves of a TCP service, and of what leaves by a narrow way
    Goodput,
    /// What the filter takes in the kernel, and `ssa-ctl apply` for itself
    Memory,
}

impl Section {
    /// All of them, in the order of the table.
    pub fn all() -> &'static [Self] {
        Self::value_variants()
    }

    /// For people, and as the command takes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Micro => "micro",
            Self::Wire => "wire",
            Self::Control => "control",
            Self::Goodput => "goodput",
            Self::Memory => "memory",
        }
    }

    /// Whether all that these sections need is there.
    ///
    /// # Errors
    /// Where a program is not installed, or there is no `ssa-ctl`.
    pub fn require(sections: &[Self], context: &Context) -> Result<()> {
        let peers: BTreeSet<Peer> = sections.iter().flat_map(|section| section.peers()).copied().collect();
        peer::require(peers)?;
        let ours = sections.iter().all(|section| *section == Self::Micro) || peer::is_there(&context.ssa_ctl);
        ensure!(ours, "{} cannot be run, which is to be measured", context.ssa_ctl.display());
        Ok(())
    }

    const fn peers(self) -> &'static [Peer] {
        match self {
            Self::Micro => &[IP, NSENTER, UNSHARE, XDP_FILTER],
            Self::Wire => &[IP, NSENTER, UNSHARE, CHRT, ETHTOOL, TC, NFT, XDP_FILTER],
            Self::Control | Self::Memory => &[IP, NSENTER],
            Self::Goodput => &[IP, NSENTER, UNSHARE, CHRT, ETHTOOL, TC],
        }
    }

    /// Measures it.
    ///
    /// # Errors
    /// Where something could not be measured, or what was measured is not what should be.
    pub fn run(self, context: &Context) -> Result<Vec<Figure>> {
        let figures = match self {
            Self::Micro => micro::run(context),
            Self::Wire => wire::run(context),
            Self::Control => control::run(context),
            Self::Goodput => goodput::run(context),
            Self::Memory => memory::run(context),
        };
        figures.with_context(|| format!("section {}", self.name()))
    }
}
