//! A block without owner in; a way by which others move up for it, breadth first, out.

use std::collections::VecDeque;

use super::{Blocks, Repair};
use crate::assign::Owner;
use crate::assign::sites::Sites;

/// Which blocks others may leave for one without owner.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Moved,
    All,
}

impl Repair<'_, '_> {
    /// Gives `place` to a site that another place leaves for another site, and so on to one with room.
    pub(super) fn search(&mut self, place: usize, which: Which) -> bool {
        let Some(sites) = self.table.sites.clone() else { return false };
        let path = self.path(&sites, place, which);
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
        let patience = &mut self.patience[usize::from(which == Which::All)];
        *patience = patience.checked_sub(sites.count as u64)?;
        let mut unseen: Vec<usize> = (0..sites.count).filter(|&site| !self.inside[site].is_empty()).collect();
        if let Some(before) = self.table.before[place] {
            // Who had it comes first: it does not move then.
            unseen.sort_by_key(|&site| site == sites.of(before));
        }
        let mut entered_by = vec![None; sites.count];
        let mut queue = VecDeque::new();
        let mut end = self.enter(place, &mut unseen, &mut entered_by, &mut queue);
        while end.is_none() {
            end = self.leave(queue.pop_front()?, which, &mut unseen, &mut entered_by, &mut queue);
        }
        let (taker, site) = end?;
        Some((taker, self.back(sites, site, &entered_by)))
    }

    /// Looks which sites can be reached by what others leave `site`; a site with room, and who has it.
    fn leave(
        &mut self,
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
                    *patience = patience.checked_sub(1 + unseen.len() as u64)?;
                    let place = list[at];
                    if self.table.owners[place] == Some(owner) {
                        let end = self.enter(place, unseen, entered_by, queue);
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
        place: usize,
        unseen: &mut Vec<usize>,
        entered_by: &mut [Option<usize>],
        queue: &mut VecDeque<usize>,
    ) -> Option<(Owner, usize)> {
        for at in (0..unseen.len()).rev() {
            let site = unseen[at];
            if self.table.clear(place, site) {
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
}
