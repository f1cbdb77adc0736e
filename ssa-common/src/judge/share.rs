//! A frame's places in a sketch of frames by source prefix, in; whether its source prefix is above its share, out.
//!
//! A sliding window, as if the frames of the window before had come evenly. Nothing is ever cleared: a row says which window
//! it is of.

use crate::{
    layout::SHARE_COLUMNS,
    rows::{FairRow, ShareRow},
};

/// The rows that a frame is counted in.
pub struct Counted<'a> {
    /// Both places of its source prefix.
    pub places: [&'a mut ShareRow; 2],
    /// That of all frames of its service.
    pub service: &'a mut ShareRow,
    /// That of all frames in the sketch, whosever they are.
    pub all: &'a mut ShareRow,
}

/// Counts a frame at the tick `now`; says whether its source prefix has more than its share of the service's frames.
///
/// Prefixes that meet in a place are counted together, so a prefix is never counted for less than it has sent. To be counted
/// for more it must meet others in both places: the lesser says, and only what is less than that has to grow (conservative
/// update). Where there are many prefixes, each meets some: so from what is counted is taken twice what lies in a place on
/// average. Then others make nobody a suspect by their number, and a prefix is suspect a little later.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "of a window's number the lower bits do")]
pub fn is_above_share(fair: &FairRow, now: u64, counted: Counted<'_>) -> bool {
    let window = fair.window & 31;
    let (number, gone) = ((now >> window) as u32, now & ((1 << window) - 1));
    let left = (1 << window) - gone;
    let Counted { places: [first, second], service, all } = counted;
    for row in [&mut *first, &mut *second, &mut *service, &mut *all] {
        turn(row, number);
    }
    let frames = if first.frames < second.frames { first.frames } else { second.frames }.saturating_add(1);
    for row in [&mut *first, &mut *second] {
        if row.frames < frames {
            row.frames = frames;
        }
    }
    for row in [&mut *service, &mut *all] {
        row.frames = row.frames.saturating_add(1);
    }
    let recent = |row: &ShareRow| u64::from(row.frames) + ((u64::from(row.before) * left) >> window);
    let (one, other) = (recent(first), recent(second));
    let lesser = if one < other { one } else { other };
    let own = lesser.saturating_sub(recent(all) * 2 / u64::from(SHARE_COLUMNS));
    own > u64::from(fair.above) && own << 16 > u64::from(fair.share) * recent(service)
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

    /// Counts so many frames at a tick; what is said of the last. The rows are those of the places, then of the service.
    fn count(rows: &mut [ShareRow; 3], now: u64, frames: u32) -> bool {
        let mut all = ShareRow::default();
        let [first, second, service] = rows;
        let count = |_| {
            is_above_share(
                &FAIR,
                now,
                Counted { places: [&mut *first, &mut *second], service: &mut *service, all: &mut all },
            )
        };
        (0..frames).map(count).last().unwrap()
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
