//! A frame's places in a sketch of frames by source prefix, in; whether its source prefix is above its share, out.
//!
//! A sliding window, as if the frames of the window before had come evenly. Nothing is ever cleared: a row says which window
//! it is of.

use crate::rows::{FairRow, ShareRow};

/// Counts a frame at the tick `now` in both places of its source prefix and in the row of all; says whether its source
/// prefix has more than its share of them.
///
/// Prefixes that meet in a place are counted together, so a prefix is never counted for less than it has sent. To be counted
/// for more it must meet others in both places: the lesser says, and only what is less than that has to grow (conservative
/// update).
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "of a window's number the lower bits do")]
pub fn is_above_share(fair: &FairRow, now: u64, places: [&mut ShareRow; 2], all: &mut ShareRow) -> bool {
    let window = fair.window & 31;
    let (number, gone) = ((now >> window) as u32, now & ((1 << window) - 1));
    let left = (1 << window) - gone;
    let [first, second] = places;
    for row in [&mut *first, &mut *second, &mut *all] {
        turn(row, number);
    }
    let frames = if first.frames < second.frames { first.frames } else { second.frames }.saturating_add(1);
    for row in [&mut *first, &mut *second] {
        if row.frames < frames {
            row.frames = frames;
        }
    }
    all.frames = all.frames.saturating_add(1);
    let recent = |row: &ShareRow| u64::from(row.frames) + ((u64::from(row.before) * left) >> window);
    let (one, other) = (recent(first), recent(second));
    let own = if one < other { one } else { other };
    own > u64::from(fair.above) && own << 16 > u64::from(fair.share) * recent(all)
}

/// Begins a window, if the row is of another.
#[inline(always)]
fn turn(row: &mut ShareRow, number: u32) {
    let ago = number.wrapping_sub(row.window);
    if ago != 0 {
        *row = ShareRow { window: number, frames: 0, before: if ago == 1 { row.frames } else { 0 }, reserved: 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAIR: FairRow = FairRow { mask: u64::MAX, share: 1 << 15, above: 10, window: 8, rows: 1 };

    /// Counts so many frames at a tick; what is said of the last.
    fn count(rows: &mut [ShareRow; 3], now: u64, frames: u32) -> bool {
        let [first, second, all] = rows;
        (0..frames).map(|_| is_above_share(&FAIR, now, [first, second], all)).last().unwrap()
    }

    #[test]
    fn whoever_is_alone_is_above_beyond_the_floor() {
        let mut rows = Default::default();
        assert!(!count(&mut rows, 1000, 10));
        assert!(count(&mut rows, 1000, 1));
    }

    #[test]
    fn half_of_all_is_not_above_half() {
        let mut rows = [ShareRow::default(); 3];
        count(&mut rows, 1000, 1);
        rows[2].frames = 999;
        assert!(!count(&mut rows, 1000, 499));
        rows[2].frames = 900;
        assert!(count(&mut rows, 1000, 1));
    }

    #[test]
    fn a_window_fades_and_is_forgotten() {
        let mut rows = [ShareRow::default(); 3];
        // The last tick of a window; then the first, the middle and the last of the next, and one far off.
        assert!(count(&mut rows, 255, 1000));
        assert!(count(&mut rows.clone(), 256, 1));
        assert!(count(&mut rows.clone(), 256 + 128, 1));
        assert!(!count(&mut rows.clone(), 256 + 255, 1));
        assert!(!count(&mut rows.clone(), 512, 1));
        assert!(!count(&mut rows, 255 + (1 << 30), 1));
    }

    #[test]
    fn the_lesser_place_says() {
        let mut rows = [ShareRow { frames: 1000, window: 3, ..ShareRow::default() }; 3];
        rows[1].frames = 0;
        assert!(!count(&mut rows, 3 << 8, 10));
        assert_eq!(rows.map(|row| row.frames), [1000, 10, 1010]);
        assert!(!count(&mut rows, 3 << 8, 20));
        rows[1].frames = 600;
        assert!(count(&mut rows, 3 << 8, 1));
        assert_eq!(rows[1].frames, 601);
    }

    #[test]
    fn what_is_full_stays_full() {
        let mut rows = [ShareRow { frames: u32::MAX, before: u32::MAX, window: 3, reserved: 0 }; 3];
        assert!(count(&mut rows, 3 << 8, 3));
        assert_eq!(rows[0].frames, u32::MAX);
    }
}
