//! A service prefix with its rule, and the rule before.

use bytemuck::{Pod, Zeroable};

use super::{AllowRow, RuleRow, SliceRow};
use crate::bits::Words;

/// A service prefix with its rule: a slot of the two-choice table.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PrefixRow {
    /// The prefix, host bits zero, [`loaded`](Words::loaded).
    pub prefix: Words,
    /// The service's number, which is its place in the counters.
    pub service: u32,
    /// One more than the place of this prefix's mask among the bank's; 0 in an empty slot.
    pub length: u32,
    /// `FLAG_*`.
    pub flags: u32,
    /// The service's first counter cell; worked out where the row is written to its map.
    pub first_cell: u32,
    /// A source prefix is enforced if its hash, 0 to 2^32 − 1, is below this.
    pub enforce: u64,
    /// Where its slices are.
    pub slices: SliceRow,
    /// The first of the service's `allow` list: nearly always all of it.
    pub allow: [AllowRow; 4],
    /// The current rule.
    pub rule: RuleRow,
}

/// A mismatch is suspect (low priority) and not reject.
pub const FLAG_LOW_PRIORITY: u32 = 1;
/// The service has an `allow` list: look at [`ServiceRow`](super::ServiceRow).
pub const FLAG_ALLOW: u32 = 1 << 1;
/// Sources inside any service prefix cannot be.
pub const FLAG_DENY_SOURCE_IN_SERVICE: u32 = 1 << 2;
/// There is a previous rule: look at [`PreviousRow`].
pub const FLAG_PREVIOUS: u32 = 1 << 3;
/// What fails the rule is dropped, whoever sent it: no low priority, no previous rule, nothing that is known, all sources
/// enforced.
pub const FLAG_STRICT: u32 = 1 << 4;
/// Frames that go on are steered or counted by their slice: look at [`SliceRow`].
pub const FLAG_SLICES: u32 = 1 << 5;
/// What fails the rule is asked for a socket of this host.
pub const FLAG_SOCKETS: u32 = 1 << 6;
/// Flows that conform are remembered: look at [`FlowRow`](super::FlowRow).
pub const FLAG_FLOWS: u32 = 1 << 7;
/// A source prefix above its share is suspect: look at [`ShareRow`](super::ShareRow).
pub const FLAG_FAIR: u32 = 1 << 8;
/// Suspects wait for a CPU of their own: look at [`LowRow`](super::LowRow).
pub const FLAG_LOW_CPU: u32 = 1 << 9;
/// Suspects are marked for the host's queues: look at [`LowRow`](super::LowRow).
pub const FLAG_LOW_MARK: u32 = 1 << 10;
/// More suspects than so many are dropped: look at [`LowRow`](super::LowRow).
pub const FLAG_LOW_LIMIT: u32 = 1 << 11;
/// Suspects keep their code point.
pub const FLAG_LOW_PLAIN: u32 = 1 << 12;

/// Low priority is something else than the code point alone.
pub const LOW_OTHERWISE: u32 = FLAG_LOW_CPU | FLAG_LOW_MARK | FLAG_LOW_LIMIT | FLAG_LOW_PLAIN;

impl PrefixRow {
    /// Enforces the rule for sources whose hash, 0 to 2^32 − 1, is below `threshold`.
    pub fn enforce_below(&mut self, threshold: u64) {
        self.enforce = threshold;
        let lenient = FLAG_LOW_PRIORITY | FLAG_PREVIOUS | FLAG_SOCKETS | FLAG_FLOWS;
        let strict = self.flags & lenient == 0 && threshold > u32::MAX.into();
        self.flags = self.flags & !FLAG_STRICT | if strict { FLAG_STRICT } else { 0 };
    }
}

/// The previous rule of a prefix, in the same place as its [`PrefixRow`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PreviousRow {
    /// Unix time in ticks up to which it is accepted.
    pub deadline: u64,
    /// The rule.
    pub rule: RuleRow,
}
