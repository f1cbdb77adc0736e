//! Networks and moments in; whether each may have another answer now, or when, out. In a table that does not grow.

use std::{
    fmt,
    hash::{BuildHasher as _, RandomState},
    str::FromStr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use ssa_common::judge::after;

/// Answers a second, at most.
const MOST: u32 = 10_000;
/// Nanoseconds of a second, which is what may be taken in advance.
const SECOND: u64 = 1_000_000_000;
/// Cells of the table: 512 KiB. A network has two of them, and is late where both are.
const CELLS: usize = 1 << 16;

/// Answers a second, written `10/s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rate(pub u32);

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = text.strip_suffix("/s").filter(|digits| digits.bytes().all(|octet| octet.is_ascii_digit()));
        let number = number.and_then(|digits| digits.parse().ok()).filter(|number| (1..=MOST).contains(number));
        number.map(Self).ok_or_else(|| format!("write a number from 1 to {MOST} and /s, as in 10/s"))
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", self.0)
    }
}

/// What each network has had.
pub(super) struct Rates {
    /// Nanoseconds that one takes.
    interval: u64,
    begin: Instant,
    /// Whoever does not know the key cannot choose networks that share cells with another.
    key: RandomState,
    /// For each cell, the moment from which on its networks may have another.
    cells: Mutex<Vec<u64>>,
}

impl Rates {
    /// So many a second for each network, of which those of a second at once.
    pub(super) fn new(Rate(a_second): Rate) -> Self {
        let interval = SECOND / u64::from(a_second.max(1));
        Self { interval, begin: Instant::now(), key: RandomState::new(), cells: Mutex::new(vec![0; CELLS]) }
    }

    /// Takes one for a network; else how long to wait for it, which is never nothing.
    pub(super) fn take(&self, network: u64) -> Result<(), Duration> {
        let since = u64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(u64::MAX);
        // From the first moment on, as if nothing had been taken before.
        self.take_at(network, since.saturating_add(SECOND))
    }

    fn take_at(&self, network: u64, now: u64) -> Result<(), Duration> {
        let hash = self.key.hash_one(network);
        let places = [hash, hash >> 32].map(|part| usize::try_from(part % CELLS as u64).unwrap_or(0));
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        // Others may have used one of them.
        let next = places.map(|place| cells[place]).into_iter().min().unwrap_or(0);
        if next > now {
            return Err(Duration::from_nanos(next - now));
        }
        let next = after(next, now, self.interval, SECOND - self.interval);
        for place in places {
            cells[place] = cells[place].max(next);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_number_a_second() {
        assert_eq!("10/s".parse(), Ok(Rate(10)));
        assert_eq!(Rate(10).to_string().parse(), Ok(Rate(10)));
        for wrong in ["10", "0/s", "10001/s", "-1/s", "+1/s", "/s", "1.5/s", "10/m", ""] {
            assert!(wrong.parse::<Rate>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_network_has_its_rate_and_what_it_has_not_used_for_a_second() {
        let rates = Rates::new(Rate(10));
        let taken = |network, now: u64| (0..100).take_while(|_| rates.take_at(network, now).is_ok()).count();
        let begin = 5 * SECOND;
        assert_eq!(taken(1, begin), 10);
        assert_eq!(rates.take_at(1, begin), Err(Duration::from_millis(100)));
        assert_eq!(taken(1, begin + SECOND / 10 - 1), 0);
        assert_eq!(taken(1, begin + SECOND / 10), 1);
        assert_eq!(taken(1, begin + 100 * SECOND), 10);
        // Whoever is refused does not wait longer for it.
        assert_eq!(rates.take_at(1, begin + 100 * SECOND), Err(Duration::from_millis(100)));
        assert_eq!(taken(2, begin), 10);
    }

    #[test]
    fn from_its_begin_on_there_is_all_of_a_second() {
        let rates = Rates::new(Rate(1000));
        assert_eq!((0..1000).filter(|_| rates.take(7).is_ok()).count(), 1000);
    }

    #[test]
    fn a_table_that_is_used_by_many_does_not_grow_and_leaves_others_alone() {
        let rates = Rates::new(Rate(1));
        for network in 0..2000 {
            // Of so many some find both their cells used.
            let _ = rates.take_at(network, SECOND);
        }
        assert_eq!(rates.cells.lock().unwrap().len(), CELLS);
        let free = (10_000..11_000).filter(|network| rates.take_at(*network, SECOND).is_ok()).count();
        // Each finds both used by chance in one of about 200 cases.
        assert!(free > 900, "{free}");
    }
}
