//! `keyid`: the low bits of the number of the key that made the `mac`. It chooses the keys that are tried.

use crate::{bits::Words, layout::KEYS, rows::RuleRow};

/// Keys that are tried for one `mac`, at most.
pub const MAX_TRIED: u32 = 2;

/// Which keys of the ring are tried: the newest two that the destination's `keyid` allows, as places in the ring.
#[derive(Clone, Copy)]
pub struct Candidates {
    places: [u8; MAX_TRIED as usize],
    count: u8,
}

impl Candidates {
    /// True if the ring has no key that `keyid` allows.
    #[inline(always)]
    pub const fn is_empty(self) -> bool {
        self.count == 0
    }

    /// Places in the ring, newest first.
    #[inline(always)]
    pub fn places(self) -> impl Iterator<Item = usize> {
        self.places.into_iter().take(usize::from(self.count)).map(usize::from)
    }
}

/// The keys to try for this destination.
#[inline(always)]
pub fn candidates(row: &RuleRow, destination: Words) -> Candidates {
    if row.keyids == 0 {
        // The two newest keys stand first.
        return Candidates { places: [0, 1], count: row.keys.min(MAX_TRIED as u8) };
    }
    let number = destination.rotate_left(row.keyid.rotate).lo;
    let mut found = Candidates { places: [0; 2], count: 0 };
    for place in 0..KEYS as u8 {
        if place >= row.keys || u32::from(found.count) == MAX_TRIED {
            break;
        }
        if (row.ring[usize::from(place)].number ^ number) & row.keyid.mask.lo == 0 {
            found.places = if found.count == 0 { [place, 0] } else { [found.places[0], place] };
            found.count += 1;
        }
    }
    found
}
