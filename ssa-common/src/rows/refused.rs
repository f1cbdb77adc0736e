//! What the kernel refuses to the program: a closed list in, its row of counters out.

use bytemuck::{Pod, Zeroable};

/// What the program asked the kernel for, and was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u32)]
pub enum Refused {
    /// The way to an endpoint: there is none, or none that a frame may take.
    Way,
    /// Room in front of a frame, to wrap it for its endpoint.
    Wrapping,
    /// To take away what another endpoint has wrapped around a packet.
    Unwrapping,
    /// Room for the error that says to a sender that its packet is too long.
    Answer,
    /// A place for an event: there is no ring.
    Event,
    /// A place for a flow in the map of those that are remembered.
    Flow,
}

impl Refused {
    /// All of them, in the order of their counters.
    pub const ALL: [Self; 6] = [Self::Way, Self::Wrapping, Self::Unwrapping, Self::Answer, Self::Event, Self::Flow];

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Way => "way",
            Self::Wrapping => "wrapping",
            Self::Unwrapping => "unwrapping",
            Self::Answer => "answer",
            Self::Event => "event",
            Self::Flow => "flow",
        }
    }
}

/// How often each was refused on one CPU, in the order of [`Refused::ALL`]. A whole cache line.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct RefusedRow {
    /// One for each, and some to spare.
    pub counts: [u64; 8],
}
