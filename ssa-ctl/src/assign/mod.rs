//! Slices, endpoints and who owns what in; who is to own each slice out. Pure.

/// The place of an endpoint in the list of members.
pub type Owner = u16;

/// An endpoint among which slices are shared out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its share, against the weights of the others; at least 1.
    pub weight: u32,
    /// Its failure domain, by a number; none: one of its own.
    pub domain: Option<u32>,
    /// It keeps nothing but what is pinned to it.
    pub draining: bool,
}

/// Where in a slice's number the number of a replica stands (a `replica` field among the slice bits).
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
/// beyond their end has none. None where no member may own anything.
pub fn assign(
    slices: Slices,
    members: &[Member],
    current: &[Option<Owner>],
    pinned: &[Option<Owner>],
) -> Option<Vec<Owner>> {
    let takers: Vec<Owner> =
        (0..).zip(members).filter(|(_, member)| !member.draining).map(|(owner, _)| owner).collect();
    let last = takers.len().checked_sub(1)?;
    let share = slices.count().div_ceil(takers.len());
    let at = |list: &[Option<Owner>], slice: usize| list.get(slice).copied().flatten();
    let stays = |owner: &Owner| takers.contains(owner);
    let owner = |slice| {
        at(pinned, slice)
            .or_else(|| at(current, slice).filter(stays))
            .unwrap_or_else(|| takers[(slice / share).min(last)])
    };
    Some((0..slices.count()).map(owner).collect())
}

/// Merged.
pub struct Merged {
    pub owner: Option<Owner>,
    pub previous: Option<Owner>,
    pub others: u32,
}
/// Split.
pub fn split<T: Copy>(list: &[T], by: u8) -> Vec<T> {
    list.iter().flat_map(|&item| std::iter::repeat_n(item, 1 << by)).collect()
}
/// Merge.
pub fn merge(owners: &[Option<Owner>], by: u8) -> Vec<Merged> {
    owners.chunks(1 << by).map(|c| Merged { owner: c[0], previous: None, others: 0 }).collect()
}
