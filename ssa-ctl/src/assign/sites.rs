//! Members, their domains and a replica field in; which slices must lie apart, and where apart is, out.

use std::collections::BTreeMap;

use super::{Member, Owner, Slices};

/// Replicas of one address lie on different sites: in different domains where those suffice, else on different members.
///
/// Slices are looked at by place: all of replica 0 in the order of their other bits, then all of replica 1, and so on. So
/// the replicas of one group stand `groups` places apart, and a site that fills `groups` places in a row has none twice.
pub(super) struct Sites {
    /// The site of each member.
    pub(super) of_member: Vec<usize>,
    /// The domain of each member, by a number of its own.
    pub(super) domains: Vec<usize>,
    pub(super) count: usize,
    /// Groups of replicas.
    pub(super) groups: usize,
    /// Replicas in each of them.
    pub(super) replicas: usize,
}

impl Sites {
    /// None where nothing must lie apart.
    pub(super) fn new(slices: Slices, members: &[Member]) -> Option<Self> {
        let (_, width) = field(slices)?;
        let replicas = usize::try_from(slices.replicas?.count).unwrap_or(usize::MAX).min(1 << width);
        let takers = members.iter().filter(|member| !member.draining).count();
        let groups = slices.count() >> width;
        let mut numbers = BTreeMap::new();
        let mut count = 0;
        let domains: Vec<usize> = members
            .iter()
            .map(|member| {
                let new = count;
                let site = member.domain.map_or(new, |domain| *numbers.entry(domain).or_insert(new));
                count += usize::from(site == new);
                site
            })
            .collect();
        let mut open = vec![false; count];
        for (member, &site) in members.iter().zip(&domains) {
            open[site] |= !member.draining;
        }
        let mut of_member = domains.clone();
        if open.into_iter().filter(|&open| open).count() < replicas {
            of_member = (0..members.len()).collect();
            count = members.len();
        }
        let replicas = replicas.min(takers);
        (replicas > 1).then_some(Self { of_member, domains, count, groups, replicas })
    }

    pub(super) fn of(&self, owner: Owner) -> usize {
        self.of_member[usize::from(owner)]
    }

    /// The places of the replicas that `place` is one of; none where it is nobody's replica.
    pub(super) fn group(&self, place: usize) -> impl Iterator<Item = usize> + use<> {
        let replicas = if place < self.groups * self.replicas { self.replicas } else { 0 };
        let (first, step) = (place % self.groups, self.groups);
        (0..replicas).map(move |replica| first + replica * step)
    }
}

/// The slice at each place.
pub(super) fn order(slices: Slices) -> Vec<usize> {
    let Some((below, width)) = field(slices) else { return (0..slices.count()).collect() };
    let above = usize::from(slices.bits) - below - width;
    let mut order = Vec::with_capacity(slices.count());
    for replica in 0..1_usize << width {
        for high in 0..1_usize << above {
            let first = (high << width | replica) << below;
            order.extend(first..first + (1 << below));
        }
    }
    order
}

/// The bits below the replica field and its width, where it lies within the slice's number and there is more than one.
fn field(slices: Slices) -> Option<(usize, usize)> {
    let replicas = slices.replicas.filter(|replicas| replicas.count > 1 && replicas.width > 0)?;
    let below = slices.bits.checked_sub(replicas.first.checked_add(replicas.width)?)?;
    Some((below.into(), replicas.width.into()))
}
