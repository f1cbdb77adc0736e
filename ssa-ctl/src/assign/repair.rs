//! A table with a few places that nobody could take in; one in which each has an owner, out.
//!
//! Where replicas must lie apart, who has room may not be who may take a place. Then others move up: first slices that
//! move anyway, then those that stay otherwise. If there is a way within the quotas, it is found (augmenting paths). Whole
//! blocks are moved at once: neighbouring places that are alike, and whose other replicas are alike too.

use std::collections::VecDeque;

use super::Owner;
use super::sites::Sites;
use super::table::Table;

/// Blocks that all searches together look at, first among those moved and then among all. Enough to find each way that
/// there is but in tables made to be hard; where it is not, weights give way.
const PATIENCE: [u64; 2] = [1 << 22, 1 << 25];

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

/// Which blocks others may leave for one without owner.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Moved,
    All,
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
        let (lens, gaps, offered) = (lens(table), VecDeque::new(), vec![0; count]);
        let mut repair = Self { table, takers, inside, lens, gaps, blocks, offered, patience: PATIENCE };
        for place in 0..repair.lens.len() {
            if repair.lens[repair.first(place)] > 0 {
                repair.note(place);
            }
        }
        repair
    }

    /// The first of the replicas of which `place` is one.
    fn first(&self, place: usize) -> usize {
        self.table.sites.as_ref().and_then(|sites| sites.group(place).next()).unwrap_or(place)
    }

    fn len(&self, place: usize) -> usize {
        self.lens[self.first(place)]
    }

    /// Notes whose block begins at `place`.
    fn note(&mut self, place: usize) {
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
    fn cut(&mut self, place: usize, len: usize) {
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
    fn set(&mut self, place: usize, owner: Owner) {
        for place in place..place + self.len(place) {
            self.table.set(place, Some(owner));
        }
        self.note(place);
    }

    fn room(&self, taker: Owner) -> usize {
        usize::try_from(self.table.spare(taker)).expect("no more than there are")
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

    /// Gives `place` to a site that another place leaves for another site, and so on to one with room.
    fn search(&mut self, place: usize, which: Which) -> bool {
        let Some(sites) = self.table.sites.take() else { return false };
        let path = self.path(&sites, place, which);
        self.table.sites = Some(sites);
        let Some((mut taker, path)) = path else { return false };
        let len = path.iter().map(|&place| self.len(place)).min().unwrap_or(1).min(self.room(taker));
        for &place in &path {
            self.cut(place, len);
        }
        for place in path {
            let before = self.table.owners[place];
            self.set(place, taker);
            taker = before.unwrap_or(taker);
        }
        true
    }

    /// Who takes the first of the places that follow; each of the others goes to who had the one before, `place` the last.
    fn path(&mut self, sites: &Sites, place: usize, which: Which) -> Option<(Owner, Vec<usize>)> {
        let mut unseen: Vec<usize> = (0..sites.count).filter(|&site| !self.inside[site].is_empty()).collect();
        if let Some(before) = self.table.before[place] {
            // Who had it comes first: it does not move then.
            unseen.sort_by_key(|&site| site == sites.of(before));
        }
        let mut entered_by = vec![None; sites.count];
        let mut queue = VecDeque::new();
        let mut end = self.enter(sites, place, &mut unseen, &mut entered_by, &mut queue);
        while end.is_none() {
            end = self.leave(sites, queue.pop_front()?, which, &mut unseen, &mut entered_by, &mut queue);
        }
        let (taker, site) = end?;
        Some((taker, self.back(sites, site, &entered_by)))
    }

    /// Looks which sites can be reached by what others leave `site`; a site with room, and who has it.
    fn leave(
        &mut self,
        sites: &Sites,
        site: usize,
        which: Which,
        unseen: &mut Vec<usize>,
        entered_by: &mut [Option<usize>],
        queue: &mut VecDeque<usize>,
    ) -> Option<(Owner, usize)> {
        let kinds = if which == Which::Moved { 1 } else { 2 };
        for owner in self.inside[site].clone() {
            for kind in 0..kinds {
                let Blocks { list, next } = &self.blocks[kind][usize::from(owner)];
                for at in (*next..list.len()).chain(0..*next) {
                    let patience = &mut self.patience[usize::from(which == Which::All)];
                    *patience = patience.checked_sub(1)?;
                    let place = list[at];
                    if self.table.owners[place] == Some(owner) {
                        let end = self.enter(sites, place, unseen, entered_by, queue);
                        if end.is_some() {
                            self.blocks[kind][usize::from(owner)].next = at;
                            return end;
                        }
                    }
                }
            }
        }
        None
    }

    /// Notes which sites `place` may enter that were not seen before; one with room, and who has it.
    fn enter(
        &self,
        sites: &Sites,
        place: usize,
        unseen: &mut Vec<usize>,
        entered_by: &mut [Option<usize>],
        queue: &mut VecDeque<usize>,
    ) -> Option<(Owner, usize)> {
        for at in (0..unseen.len()).rev() {
            let site = unseen[at];
            if !sites.group(place).filter_map(|other| self.table.owners[other]).any(|owner| sites.of(owner) == site) {
                unseen.swap_remove(at);
                entered_by[site] = Some(place);
                if let Some(&taker) = self.inside[site].iter().find(|&&owner| self.table.spare(owner) > 0) {
                    return Some((taker, site));
                }
                queue.push_back(site);
            }
        }
        None
    }

    /// The places by which `site` was reached, the last step first.
    fn back(&self, sites: &Sites, mut site: usize, entered_by: &[Option<usize>]) -> Vec<usize> {
        let mut path = vec![];
        while let Some(place) = entered_by[site] {
            path.push(place);
            let Some(owner) = self.table.owners[place] else { break };
            site = sites.of(owner);
        }
        path
    }

    /// Gives the first of a block to whom it does the least harm: apart first, then by quota.
    fn force(&mut self, place: usize) {
        let table = &*self.table;
        let members = (0..).zip(table.members).filter(|(_, member)| !member.draining).map(|(owner, _)| owner);
        let harm = |&owner: &Owner| {
            let same = || {
                table.sites.iter().flat_map(|sites| sites.group(place)).any(|other| table.owners[other] == Some(owner))
            };
            let [held, quota] = [&table.held, &table.quota].map(|counts| counts[usize::from(owner)]);
            let over = (held + 1).saturating_sub(quota);
            (!table.may(owner, place), same(), table.before[place] != Some(owner), over, owner)
        };
        let owner = members.min_by_key(harm).expect("somebody may own slices");
        self.cut(place, 1);
        self.set(place, owner);
    }
}

/// The length of each block, at its first place; for replicas, at the first of them. 0 elsewhere.
fn lens(table: &Table) -> Vec<usize> {
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
