//! A moment and a pace in; the next moment at which something may be done, out. What is asked is one load and one comparison.

/// The moment from which on it may be done again, where it is done now, which is at `next` or later.
///
/// Each time takes `interval` of what is to come, of which `tolerance` may be taken in advance, and what nobody took is lost
/// but for as much.
#[inline(always)]
pub const fn after(next: u64, now: u64, interval: u64, tolerance: u64) -> u64 {
    let unused = now.saturating_sub(tolerance);
    (if next < unused { unused } else { next }).wrapping_add(interval)
}
