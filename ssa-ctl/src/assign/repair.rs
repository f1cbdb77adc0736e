//! A table with a few places that nobody could take in; one in which each has an owner, out.
//!
//! Where replicas must lie apart, who has room may not be who may take a place. Then others move up: first slices that
//! move anyway, then those that stay otherwise. If there is a way within the quotas, it is found (augmenting paths). Whole
//! blocks are moved at once: neighbouring places that are alike, and whose other replicas are alike too.

mod blocks;
mod search;

use std::collections::VecDeque;

use super::Owner;
use super::table::Table;
use search::Which;

/// Steps that all searches together may take, first among what has moved and then among all. Enough to find each way that
/// there is but in tables made to be hard; where it is not, weights give way.
const PATIENCE: [u64; 2] = [1 << 23, 1 << 25];

/// Gives each place that has no owner one, apart from the other replicas of its address.
pub(super) fn repair(table: &mut Table) {
    if !table.owners.contains(&None) {
        return;
    }
    let mut repair = Repair::new(table);
    while let Some(place) = repair.gaps.pop_front() {
        if repair.table.owners[place].is_none() {
            let found = repair.direct(place)
                || repair.swap(place)
                || repair.search(place, Which::Moved)
                || repair.search(place, Which::All);
            if !found {
                repair.force(place);
            }
        }
    }
}

/// What a member has, and had once: the first place of each block.
#[derive(Clone, Default)]
struct Blocks {
    list: Vec<usize>,
    /// Where a search that succeeded looked last: the next one is likely to succeed there too.
    next: usize,
}

struct Repair<'a, 'b> {
    table: &'a mut Table<'b>,
    /// Members that had room when last seen.
    takers: Vec<Owner>,
    /// Members that may have room, site by site.
    inside: Vec<Vec<Owner>>,
    /// How long the block is that begins at a place; for replicas, at the first of them.
    lens: Vec<usize>,
    /// Blocks without owner.
    gaps: VecDeque<usize>,
    /// What each member can give up: what has moved to it, and what stayed.
    blocks: [Vec<Blocks>; 2],
    /// Up to where each member has offered what stayed with it.
    offered: Vec<usize>,
    patience: [u64; 2],
}

impl<'a, 'b> Repair<'a, 'b> {
    fn new(table: &'a mut Table<'b>) -> Self {
        let takers = table.takers();
        let mut inside = vec![];
        if let Some(sites) = &table.sites {
            inside.resize(sites.count, vec![]);
            for &owner in &takers {
                inside[sites.of(owner)].push(owner);
            }
        }
        let count = table.members.len();
        let blocks = [vec![Blocks::default(); count], vec![Blocks::default(); count]];
        let (lens, gaps, offered) = (blocks::lens(table), VecDeque::new(), vec![0; count]);
        let mut repair = Self { table, takers, inside, lens, gaps, blocks, offered, patience: PATIENCE };
        for place in 0..repair.lens.len() {
            if repair.lens[repair.first(place)] > 0 {
                repair.note(place);
            }
        }
        repair
    }

    /// Who has room for `place`, those beside it first.
    fn taker(&mut self, place: usize) -> Option<Owner> {
        let table = &*self.table;
        let fits = |&owner: &Owner| table.spare(owner) > 0 && table.may(owner, place);
        let beside = [place.wrapping_sub(1), place + 1].map(|place| table.owners.get(place).copied().flatten());
        if let Some(owner) = beside.into_iter().flatten().find(fits) {
            return Some(owner);
        }
        let mut at = 0;
        while let Some(owner) = self.takers.get(at) {
            if table.spare(*owner) == 0 {
                self.takers.remove(at);
            } else if table.may(*owner, place) {
                return Some(*owner);
            } else {
                at += 1;
            }
        }
        None
    }

    fn direct(&mut self, place: usize) -> bool {
        let taker = self.taker(place);
        if let Some(owner) = taker {
            self.cut(place, self.len(place).min(self.room(owner)));
            self.set(place, owner);
        }
        taker.is_some()
    }

    /// Gives `place` back to who had it, and another of that one's blocks to who has room: as many moves as before.
    fn swap(&mut self, place: usize) -> bool {
        let Some(owner) = self.table.before[place].filter(|&owner| self.table.may(owner, place)) else { return false };
        let at = usize::from(owner);
        while let Some(&other) = self.blocks[1][at].list.get(self.offered[at]) {
            self.offered[at] += 1;
            if self.table.owners[other] == Some(owner)
                && let Some(taker) = self.taker(other)
            {
                let len = self.len(place).min(self.len(other)).min(self.room(taker));
                self.cut(place, len);
                self.cut(other, len);
                self.set(other, taker);
                self.set(place, owner);
                return true;
            }
        }
        false
    }

    /// Gives a part of a block to whom it does the least harm: apart first, then by quota.
    fn force(&mut self, place: usize) {
        let table = &*self.table;
        let members = (0..).zip(table.members).filter(|(_, member)| !member.draining).map(|(owner, _)| owner);
        let mut same = vec![false; table.members.len()];
        for other in table.sites.iter().flat_map(|sites| sites.group(place)) {
            if let Some(owner) = table.owners[other] {
                same[usize::from(owner)] = true;
            }
        }
        let harm = |&owner: &Owner| {
            let at = usize::from(owner);
            let over = (table.held[at] + 1).saturating_sub(table.quota[at]);
            (!table.may(owner, place), same[at], table.before[place] != Some(owner), over, owner)
        };
        let owner = members.min_by_key(harm).expect("somebody may own slices");
        let part = self.len(place).div_ceil(self.table.members.len());
        self.cut(place, self.len(place).min(part.max(self.room(owner))));
        self.set(place, owner);
    }
}
