//! Owners slice by slice in; runs of one owner, or the owners of slices that are cut or joined, out.

use std::collections::BTreeMap;
use std::iter;

use super::Owner;

/// The runs of slices that have one owner: the first, the last, whose.
pub fn runs(owners: &[Owner]) -> impl Iterator<Item = (usize, usize, Owner)> {
    let mut first = 0;
    iter::from_fn(move || {
        let &owner = owners.get(first)?;
        let len = owners[first..].iter().take_while(|&&other| other == owner).count();
        let run = (first, first + len - 1, owner);
        first += len;
        Some(run)
    })
}

/// What holds of each slice, after each was cut into 2 to the power of `by`.
pub fn split<T: Copy>(list: &[T], by: u8) -> Vec<T> {
    list.iter().flat_map(|&item| iter::repeat_n(item, 1 << by)).collect()
}

/// The owners of a slice that was made of several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Who had most of them, the first among equals.
    pub owner: Option<Owner>,
    /// Who had most of the rest, whose connections go on as those of a previous owner.
    pub previous: Option<Owner>,
    /// How many others had some: their connections would break.
    pub others: u32,
}

/// The owners of slices of which each is made of 2 to the power of `by`.
pub fn merge(owners: &[Option<Owner>], by: u8) -> Vec<Merged> {
    owners.chunks(1 << by).map(merge_one).collect()
}

fn merge_one(parts: &[Option<Owner>]) -> Merged {
    let mut counts: BTreeMap<Owner, (usize, usize)> = BTreeMap::new();
    for (at, owner) in parts.iter().enumerate() {
        if let Some(owner) = *owner {
            counts.entry(owner).or_insert((0, at)).0 += 1;
        }
    }
    let mut ranks: Vec<_> = counts.into_iter().map(|(owner, (count, at))| (parts.len() - count, at, owner)).collect();
    ranks.sort_unstable();
    let mut owners = ranks.into_iter().map(|(.., owner)| owner);
    let (owner, previous) = (owners.next(), owners.next());
    Merged { owner, previous, others: u32::try_from(owners.count()).unwrap_or(u32::MAX) }
}
