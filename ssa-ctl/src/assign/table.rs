//! Slices by place and members in; who owns what while it is worked out, out.

use super::sites::Sites;
use super::{Member, Owner};

/// Owners on their way from what they are to what they should be.
pub(super) struct Table<'a> {
    pub(super) members: &'a [Member],
    /// What must lie apart.
    pub(super) sites: Option<Sites>,
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
        if let Some(owner) = owner {
            self.held[usize::from(owner)] += 1;
        }
        self.owners[place] = owner;
    }

    /// Whether no other replica of the address at `place` lies on a site.
    pub(super) fn clear(&self, place: usize, site: usize) -> bool {
        self.sites.as_ref().is_none_or(|sites| {
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
        let Some(sites) = self.sites.take() else { return };
        for first in 0..sites.groups {
            let mut seen: Vec<usize> = vec![];
            for pinned in [true, false] {
                for place in sites.group(first) {
                    let Some(owner) = self.owners[place].filter(|_| self.pinned[place] == pinned) else { continue };
                    let site = sites.of(owner);
                    if !pinned && seen.contains(&site) {
                        self.set(place, None);
                    }
                    seen.push(site);
                }
            }
        }
        self.sites = Some(sites);
    }
}
