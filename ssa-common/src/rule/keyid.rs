//! `keyid`: the low bits of the number of the key that made the `mac`. It chooses the keys that are tried.

use crate::{bits::Words, rows::RuleRow};

/// Keys that are tried for one `mac`, at most.
pub const MAX_TRIED: u32 = 2;

/// Which keys of the ring are tried: the newest two that the destination's `keyid` allows, as places in the ring.
#[derive(Clone, Copy)]
pub struct Candidates {
    /// The newest.
    pub first: u32,
    /// The one before it.
    pub second: u32,
    /// How many there are, 0 to [`MAX_TRIED`].
    pub count: u32,
}

impl Candidates {
    /// No key.
    pub const NONE: Self = Self { first: 0, second: 0, count: 0 };

    /// True if the ring has no key that `keyid` allows.
    #[inline(always)]
    pub const fn is_empty(self) -> bool {
        self.count == 0
    }
}

/// The keys to try for this destination.
#[inline(always)]
pub fn candidates(row: &RuleRow, destination: Words) -> Candidates {
    let keys = u32::from(row.keys);
    if row.keyids == 0 {
        // The two newest keys stand first.
        return Candidates { first: 0, second: 1, count: if keys < MAX_TRIED { keys } else { MAX_TRIED } };
    }
    let number = destination.rotate_left(row.keyid.rotate).lo;
    let mut found = Candidates::NONE;
    for (place, key) in (0u32..).zip(&row.ring) {
        if place >= keys || found.count == MAX_TRIED {
            break;
        }
        if (key.number ^ number) & row.keyid.mask.lo == 0 {
            if found.count == 0 {
                found.first = place;
            } else {
                found.second = place;
            }
            found.count += 1;
        }
    }
    found
}
