//! What becomes of suspects.

use bytemuck::{Pod, Zeroable};

/// What becomes of suspects: of those of one service, in numbers that the program need not work out.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct LowRow {
    /// Room that a tick adds, on each CPU.
    pub rate: u32,
    /// Room that a frame takes.
    pub cost: u32,
    /// Room that there is at most.
    pub burst: u32,
    /// The CPU that they wait for.
    pub cpu: u32,
    /// Their mark.
    pub mark: u32,
    /// Their priority, which is a class of the host's queues; 0: they keep theirs.
    pub priority: u32,
}

impl LowRow {
    /// The limit of `rate` frames a second for a clock of `hertz` ticks a second: a tenth of a second's at once, and one
    /// frame at least.
    #[expect(clippy::cast_possible_truncation, reason = "compared with the largest before")]
    pub const fn limit(rate: u32, hertz: u32) -> Self {
        let tenth = (rate as u64 * hertz as u64) / 10;
        // A bucket that has nearly a frame takes what a tick adds, too.
        let least = hertz as u64 + rate as u64;
        let burst = if tenth > least { tenth } else { least };
        let burst = if burst > u32::MAX as u64 { u32::MAX } else { burst as u32 };
        Self { rate, cost: hertz, burst, cpu: 0, mark: 0, priority: 0 }
    }
}

/// What the program keeps of a service's suspects on one CPU. A whole cache line: no CPU waits for another.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct SuspectsRow {
    /// Room left in the bucket.
    pub room: u64,
    /// The tick of that.
    pub ticks: u64,
    /// Frames that could not be marked.
    pub unmarked: u64,
    /// Frames that went on without waiting for a CPU: there was no queue.
    pub unqueued: u64,
    /// The rest of a cache line.
    pub reserved: [u64; 4],
}

/// What the filter writes in front of a frame for the program that marks packets.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct MarkRow {
    /// [`MARK_MAGIC`](crate::layout::MARK_MAGIC).
    pub magic: u32,
    /// The mark.
    pub mark: u32,
    /// The priority; 0: the packet keeps its own.
    pub priority: u32,
}
