//! Slices, endpoints and who owns what in; who is to own each slice out. Pure.
//!
//! The owners so far are put on a table, `quotas` says how many slices each member is to have, `release` takes from
//! those who have more, `fill` gives to those who have less, and where replicas must lie apart `repair` gives what is
//! left. The same input makes the same output everywhere: whole numbers only, and no order that chance decides.

mod fill;
mod moves;
mod quota;
mod repair;
mod runs;
mod sites;
mod summary;
mod table;
#[cfg(test)]
mod tests;

pub use runs::{Merged, merge, runs, split};
pub use summary::{Held, Summary};

use std::rc::Rc;

use sites::Sites;
use table::Table;

/// The place of an endpoint in the list of members.
pub type Owner = u16;

/// An endpoint among which slices are shared out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its share, against the weights of the others; 0 counts as 1.
    pub weight: u32,
    /// Its failure domain, by a number; none: one of its own.
    pub domain: Option<u32>,
    /// It keeps nothing but what is pinned to it.
    pub draining: bool,
}

/// Where in a slice's number the number of a replica stands (a `replica` field among the slice bits).
///
/// Slices that differ in nothing but this number, each below `count`, are replicas of one address. A field that does not
/// lie within the slice's number as a whole says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replicas {
    /// Bits of the slice's number before it, the most significant first.
    pub first: u8,
    /// Its width in bits.
    pub width: u8,
    /// How many replicas there are: slices with a higher number are nobody's replica.
    pub count: u32,
}

/// The slices of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slices {
    /// There are 2 to the power of this many, 0 to 20.
    pub bits: u8,
    /// Which of them are replicas of each other.
    pub replicas: Option<Replicas>,
}

impl Slices {
    /// How many there are.
    pub const fn count(self) -> usize {
        1 << self.bits
    }
}

/// The owner of each slice. `current` has the owners so far and `pinned` those that must be, slice by slice; a slice
/// beyond their end has none, and an owner beyond the last member is none. None where no member may own anything.
///
/// Each member that is not draining gets its share by weight of the slices, rounded down or up; pins count first, and who
/// is pinned more than its share gets no other slice. Replicas of one address lie in different domains, whatever the
/// weights; where there are too few domains, on different members. As few slices as possible change their owners, and
/// each owner's slices are as few runs as can be had for that.
pub fn assign(
    slices: Slices,
    members: &[Member],
    current: &[Option<Owner>],
    pinned: &[Option<Owner>],
) -> Option<Vec<Owner>> {
    let order = sites::order(slices);
    let mut table = set_up(slices, members, &order, current, pinned);
    if members.iter().all(|member| member.draining) && table.owners.contains(&None) {
        return None;
    }
    table.count_near();
    table.release_clashes();
    table.quota = quota::quotas(&table);
    moves::release(&mut table);
    fill::fill(&mut table);
    repair::repair(&mut table);
    let mut owners = vec![0; order.len()];
    for (slice, owner) in order.into_iter().zip(table.owners) {
        owners[slice] = owner?;
    }
    Some(owners)
}

/// The table as it is: pins in force, and owners that may stay.
fn set_up<'a>(
    slices: Slices,
    members: &'a [Member],
    order: &[usize],
    current: &[Option<Owner>],
    pinned: &[Option<Owner>],
) -> Table<'a> {
    let at = |list: &[Option<Owner>], slice: usize| {
        list.get(slice).copied().flatten().filter(|&owner| usize::from(owner) < members.len())
    };
    let stays = |&owner: &Owner| !members[usize::from(owner)].draining;
    let pins: Vec<Option<Owner>> = order.iter().map(|&slice| at(pinned, slice)).collect();
    let before: Vec<Option<Owner>> = order.iter().map(|&slice| at(current, slice).filter(stays)).collect();
    let owners: Vec<Option<Owner>> = pins.iter().zip(&before).map(|(pin, before)| pin.or(*before)).collect();
    let mut held = vec![0; members.len()];
    for owner in owners.iter().flatten() {
        held[usize::from(*owner)] += 1;
    }
    let pinned = pins.iter().map(Option::is_some).collect();
    let sites = Sites::new(slices, members).map(Rc::new);
    Table { members, sites, near: vec![], owners, before, pinned, held, quota: vec![] }
}
