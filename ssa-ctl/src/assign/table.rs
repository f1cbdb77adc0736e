//! Slices by place and members in; who owns what while it is worked out, out.

use std::rc::Rc;

use super::sites::Sites;
use super::{Member, Owner};

/// So many replicas of a group are looked at one by one.
const FEW: usize = 16;
/// So many counts of replicas are kept at most.
const ROOM: usize = 1 << 26;

/// Owners on their way from what they are to what they should be.
pub(super) struct Table<'a> {
    pub(super) members: &'a [Member],
    /// What must lie apart.
    pub(super) sites: Option<Rc<Sites>>,
    /// How many replicas of each group lie on each site, where there are too many to look at them.
    pub(super) near: Vec<u16>,
    /// The owner of each place, as far as it is known.
    pub(super) owners: Vec<Option<Owner>>,
    /// The owner of each place so far, where it may stay so.
    pub(super) before: Vec<Option<Owner>>,
    /// Whether the owner of a place must stay.
    pub(super) pinned: Vec<bool>,
    /// How many places each member has,
    pub(super) held: Vec<u64>,
    /// and how many it should have.
    pub(super) quota: Vec<u64>,
}

impl Table<'_> {
    /// How many places a member should have more.
    pub(super) fn spare(&self, owner: Owner) -> u64 {
        let owner = usize::from(owner);
        self.quota[owner].saturating_sub(self.held[owner])
    }

    /// How many places a member should have less.
    pub(super) fn surplus(&self, owner: Owner) -> u64 {
        let owner = usize::from(owner);
        self.held[owner].saturating_sub(self.quota[owner])
    }

    /// Changes the owner of a place.
    pub(super) fn set(&mut self, place: usize, owner: Option<Owner>) {
        if let Some(before) = self.owners[place] {
            self.held[usize::from(before)] -= 1;
        }
        if let Some(near) = self.near_at(place, self.owners[place]) {
            self.near[near] -= 1;
        }
        if let Some(owner) = owner {
            self.held[usize::from(owner)] += 1;
        }
        if let Some(near) = self.near_at(place, owner) {
            self.near[near] += 1;
        }
        self.owners[place] = owner;
    }

    /// Counts the replicas on each site, if that is worth its room.
    pub(super) fn count_near(&mut self) {
        let Some(sites) = &self.sites else { return };
        let room = sites.groups * sites.count;
        if sites.replicas > FEW && room <= ROOM {
            self.near = vec![0; room];
            for place in 0..self.owners.len() {
                if let Some(near) = self.near_at(place, self.owners[place]) {
                    self.near[near] += 1;
                }
            }
        }
    }

    /// Where the replicas are counted that lie on the site of `owner` and belong to the group of `place`.
    fn near_at(&self, place: usize, owner: Option<Owner>) -> Option<usize> {
        let sites = self.sites.as_ref().filter(|_| !self.near.is_empty())?;
        let group = sites.group(place).next()?;
        Some(group * sites.count + sites.of(owner?))
    }

    /// Whether no other replica of the address at `place` lies on a site.
    pub(super) fn clear(&self, place: usize, site: usize) -> bool {
        self.sites.as_ref().is_none_or(|sites| {
            if !self.near.is_empty() {
                let itself = self.owners[place].is_some_and(|owner| sites.of(owner) == site);
                let group = sites.group(place).next();
                return group.is_none_or(|group| self.near[group * sites.count + site] == u16::from(itself));
            }
            let on_site = |other: usize| self.owners[other].is_some_and(|owner| sites.of(owner) == site);
            sites.group(place).all(|other| other == place || !on_site(other))
        })
    }

    /// Whether `owner` may have `place`, as far as replicas go.
    pub(super) fn may(&self, owner: Owner, place: usize) -> bool {
        self.sites.as_ref().is_none_or(|sites| self.clear(place, sites.of(owner)))
    }

    /// Those who may get slices, domain by domain where replicas must lie apart.
    pub(super) fn takers(&self) -> Vec<Owner> {
        let mut takers: Vec<Owner> =
            (0..).zip(self.members).filter(|(_, member)| !member.draining).map(|(owner, _)| owner).collect();
        if let Some(sites) = &self.sites {
            takers.sort_by_key(|&owner| sites.domains[usize::from(owner)]);
        }
        takers
    }

    /// Takes a place from its owner where another replica of the same address is pinned to its site, or comes first.
    pub(super) fn release_clashes(&mut self) {
        let Some(sites) = self.sites.clone() else { return };
        let mut seen = vec![None; sites.count];
        for first in 0..sites.groups {
            for pinned in [true, false] {
                for place in sites.group(first) {
                    let Some(owner) = self.owners[place].filter(|_| self.pinned[place] == pinned) else { continue };
                    let site = sites.of(owner);
                    if !pinned && seen[site] == Some(first) {
                        self.set(place, None);
                    }
                    seen[site] = Some(first);
                }
            }
        }
    }
}
