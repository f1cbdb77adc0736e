//! Frames that are kept as events, and how many.

use bytemuck::{Pod, Zeroable};

use crate::layout::HEAD;

/// A frame that was not plainly good, as it came in: a slot of a ring that each CPU has for itself, and that keeps the newest.
///
/// Who reads it copies it, and then works out the sum: what was copied while it was written has another.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct EventRow {
    /// [`EventRow::sum`].
    pub check: u64,
    /// One more than how many events the CPU had written before.
    pub ticket: u64,
    /// Nanoseconds since boot, suspended ones included.
    pub time: u64,
    /// The generation in force.
    pub generation: u64,
    /// Octets of the frame.
    pub octets: u32,
    /// How many of them `head` has.
    pub captured: u32,
    /// The interface that it came in by.
    pub interface: u32,
    /// The receive queue of that.
    pub queue: u32,
    /// The service's number; 0 outside any service.
    pub service: u32,
    /// [`Verdict::cell`](crate::verdict::Verdict::cell).
    pub cell: u32,
    /// The first octets of the frame. Behind those that were captured stands anything.
    pub head: [u8; HEAD],
}

impl EventRow {
    /// Words behind the first.
    const WORDS: usize = size_of::<Self>() / size_of::<u64>() - 1;

    /// The sum of all words but the first. On machines that order stores as they like, it is what tells whole events from
    /// those that are half of one and half of another: the program has no barrier to write a ticket behind.
    #[inline(always)]
    pub fn sum(&self) -> u64 {
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let [words]: &[[u64; Self::WORDS + 1]; 1] = bytemuck::cast_ref(self);
        let (mut sum, mut index) = (0u64, 1);
        while index <= Self::WORDS {
            sum = (sum ^ words[index]).wrapping_mul(SPREAD);
            index += 1;
        }
        sum
    }
}

/// What a CPU has written, and from when on it may write again.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct EventGateRow {
    /// The time, in [`TICK_PARTS`](super::TICK_PARTS)s of a tick since boot, from which on another event may be written.
    pub next: u64,
    /// Events that were written.
    pub written: u64,
}

/// How often events may be written, on each CPU by itself.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct EventRateRow {
    /// Time that each event takes of those after it, in [`TICK_PARTS`](super::TICK_PARTS)s of a tick.
    pub interval: u64,
    /// How much of the time to come may be taken already.
    pub tolerance: u64,
    /// Slots of each CPU's ring less one: its bits.
    pub mask: u64,
}
