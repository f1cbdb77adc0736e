//! The kernel's tick counter as the law's clock. Jiffies are a plain load, where a clock helper costs more than a `mac`.

use aya_ebpf::helpers::generated::{bpf_jiffies64, bpf_ktime_get_ns};
use ssa_common::{rows::ClockRow, rule::epoch::Clock};

use crate::maps::CLOCK;

/// Ticks since boot, and the offset the controller published.
pub struct Jiffies;

impl Clock for Jiffies {
    #[inline(always)]
    fn published(&self) -> ClockRow {
        CLOCK.get_ptr(0).map_or(ClockRow { offset: 0, published: 0 }, |row| {
            // SAFETY: the map owns the row for as long as the program runs. The controller may store to it meanwhile, so
            // the loads are volatile; each word stands for itself.
            unsafe {
                ClockRow {
                    offset: (&raw const (*row).offset).read_volatile(),
                    published: (&raw const (*row).published).read_volatile(),
                }
            }
        })
    }

    #[inline(always)]
    fn ticks(&self) -> u64 {
        // SAFETY: no arguments; the verifier inlines it to a load.
        unsafe { bpf_jiffies64() }
    }
}

impl Jiffies {
    /// Jiffies and monotonic nanoseconds at one moment.
    pub fn reading() -> [u64; 2] {
        // SAFETY: no arguments.
        unsafe { [bpf_jiffies64(), bpf_ktime_get_ns()] }
    }
}
