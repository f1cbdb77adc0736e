//! A table in; its blocks, which are cut shorter and change owners, out.

use super::Repair;
use crate::assign::Owner;
use crate::assign::table::Table;

impl Repair<'_, '_> {
    /// The first of the replicas of which `place` is one.
    pub(super) fn first(&self, place: usize) -> usize {
        self.table.sites.as_ref().and_then(|sites| sites.group(place).next()).unwrap_or(place)
    }

    pub(super) fn len(&self, place: usize) -> usize {
        self.lens[self.first(place)]
    }

    /// Notes whose block begins at `place`.
    pub(super) fn note(&mut self, place: usize) {
        match self.table.owners[place] {
            _ if self.table.pinned[place] => {}
            None => self.gaps.push_back(place),
            owner => {
                let stayed = usize::from(self.table.before[place] == owner);
                self.blocks[stayed][usize::from(owner.unwrap_or_default())].list.push(place);
            }
        }
    }

    /// Makes the block at `place`, and those of its other replicas, no longer than `len`.
    pub(super) fn cut(&mut self, place: usize, len: usize) {
        let first = self.first(place);
        let rest = self.lens[first] - len;
        if rest > 0 {
            self.lens[first] = len;
            self.lens[first + len] = rest;
            let replicas: Vec<usize> =
                self.table.sites.iter().flat_map(|sites| sites.group(place)).map(|replica| replica + len).collect();
            if replicas.is_empty() {
                self.note(place + len);
            }
            for replica in replicas {
                self.note(replica);
            }
        }
    }

    /// Changes the owner of a block.
    pub(super) fn set(&mut self, place: usize, owner: Owner) {
        for place in place..place + self.len(place) {
            self.table.set(place, Some(owner));
        }
        self.note(place);
    }

    pub(super) fn room(&self, taker: Owner) -> usize {
        usize::try_from(self.table.spare(taker)).expect("no more than there are")
    }
}

/// The length of each block, at its first place; for replicas, at the first of them. 0 elsewhere.
pub(super) fn lens(table: &Table) -> Vec<usize> {
    let total = table.owners.len();
    let (groups, replicas) = table.sites.as_ref().map_or((0, 0), |sites| (sites.groups, sites.replicas));
    let like = |place: usize| (table.owners[place], table.before[place], table.pinned[place]);
    let mut begins = vec![false; total];
    for place in 0..total {
        let first = if place < groups * replicas { place % groups } else { place };
        begins[first] |= first == 0 || place == groups * replicas || like(place) != like(place - 1);
    }
    let mut lens = vec![0; total];
    let mut begin = 0;
    for place in (0..groups).chain(groups * replicas..total) {
        begin = if begins[place] { place } else { begin };
        lens[begin] += 1;
    }
    lens
}
