//! The block list: what is on it, how it is changed, and the rows that say so. Pure: ticks and random numbers come in.

mod edit;
mod origin;
mod table;

use std::{net::Ipv6Addr, time::Duration};

use ipnet::Ipv6Net;

pub use self::{
    edit::{Changes, Edit, Entry, Moment, Place, Remove, Time},
    origin::Origin,
    table::{BlockTable, list, reasons, slots, texts, words},
};

/// A source prefix that is blocked. A list of them is in this order, and has each prefix once for each origin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Block {
    /// The prefix.
    pub prefix: Ipv6Net,
    /// Who has put it there.
    pub origin: Origin,
    /// The tick, since boot, at which it is blocked no more; the last there is: never.
    pub deadline: u64,
    /// When it was put there, in Unix seconds.
    pub added: u32,
    /// Why.
    pub reason: String,
}

/// The deadline of what is blocked for ever.
pub const NEVER: u64 = u64::MAX;

impl Block {
    /// Whether it blocks at this tick.
    pub const fn is_live(&self, ticks: u64) -> bool {
        ticks < self.deadline
    }

    /// Seconds from this tick on that it blocks, those that have begun counted; none: for ever.
    pub fn seconds(&self, ticks: u64, hertz: u32) -> Option<u64> {
        (self.deadline != NEVER).then(|| self.deadline.saturating_sub(ticks).div_ceil(hertz.into()))
    }

    /// The Unix second, the nearest one, until which it blocks; none: for ever.
    pub fn until(&self, now: Moment) -> Option<u64> {
        let left = u128::from(self.deadline.saturating_sub(now.ticks)) * 1_000_000_000 / u128::from(now.hertz.max(1));
        let left = Duration::from_nanos_u128(left.min(u64::MAX.into()));
        let rounded = now.unix + left + Duration::from_millis(500);
        (self.deadline != NEVER).then_some(rounded.as_secs())
    }

    /// What there is once of.
    fn key(&self) -> (Ipv6Net, Origin) {
        (self.prefix, self.origin)
    }
}

/// The entries that block a source at this tick, the longest prefix first.
pub fn covering(blocks: &[Block], source: Ipv6Addr, ticks: u64) -> Vec<&Block> {
    let covers = |block: &&Block| block.is_live(ticks) && block.prefix.contains(&source);
    let mut found: Vec<_> = blocks.iter().filter(covers).collect();
    found.sort_by_key(|block| std::cmp::Reverse(block.prefix.prefix_len()));
    found
}
