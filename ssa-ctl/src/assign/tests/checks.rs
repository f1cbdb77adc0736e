//! A case and the owners that `assign` chose in; a panic where they break a promise, out.

use std::collections::BTreeSet;

use super::cases::{Case, counts, some};
use crate::assign::{Member, Owner, Replicas, Slices};

/// An owner for each slice, who may own it; and none only where there is nobody.
pub(super) fn check_owners(case: &Case) -> Option<Vec<Owner>> {
    let owners = case.assign();
    let all_pinned = (0..case.slices.count()).all(|slice| case.pin(slice).is_some());
    let nobody = case.members.iter().all(|member| member.draining) && !all_pinned;
    assert_eq!(owners.is_none(), nobody);
    let owners = owners?;
    assert_eq!(owners.len(), case.slices.count());
    for (slice, &owner) in owners.iter().enumerate() {
        match case.pin(slice) {
            Some(pin) => assert_eq!(owner, pin),
            None => assert!(!case.members[usize::from(owner)].draining),
        }
    }
    Some(owners)
}

/// No group has one slice to give that another should have had: that is what water that has found its level looks like.
/// A group has a weight, slices, how many of them it cannot give, and how many it can take.
pub(super) fn check_level(groups: &[(u64, u64, u64, u64)]) {
    let scaled = |count: u64, weight: u64| u128::from(count) * u128::from(weight);
    for &(weight, count, fixed, _) in groups.iter().filter(|group| group.1 > group.2) {
        for &(other_weight, other_count, _, most) in groups {
            if other_count < most {
                assert!(
                    scaled(count - 1, other_weight) < scaled(other_count + 1, weight),
                    "{count} ({fixed} fixed) by {weight}, {other_count} by {other_weight}"
                );
            }
        }
    }
}

pub(super) fn weight(member: &Member) -> u64 {
    if member.draining { 0 } else { u64::from(member.weight.max(1)) }
}

/// Each member that takes slices has its share, rounded down or up, and exactly it where that is a whole number.
pub(super) fn check_shares(case: &Case, owners: &[Owner]) {
    let total = owners.len() as u64;
    let weights: u64 = case.members.iter().map(weight).sum();
    for (member, count) in case.members.iter().zip(counts(&case.members, owners)) {
        let share = total * weight(member);
        assert!((share / weights..=share.div_ceil(weights)).contains(&count), "{count} of {share} / {weights}");
    }
}

/// The slices that differ from one in the number of the replica alone, itself with them; none if nobody's replica.
pub(super) fn group(slices: Slices, slice: usize) -> Vec<usize> {
    let Some(Replicas { first, width, count }) = slices.replicas else { return vec![] };
    let below = slices.bits - first - width;
    let number = |slice: usize| slice >> below & ((1 << width) - 1);
    let rest = slice - (number(slice) << below);
    let count = usize::try_from(count).unwrap();
    if number(slice) < count { (0..count).map(|replica| rest + (replica << below)).collect() } else { vec![] }
}

pub(super) fn domain(members: &[Member], owner: Owner) -> (Option<u32>, Option<Owner>) {
    let domain = members[usize::from(owner)].domain;
    (domain, domain.is_none().then_some(owner))
}

/// How many domains take slices.
pub(super) fn domains(members: &[Member]) -> usize {
    let takers = (0..).zip(members).filter(|(_, member)| !member.draining);
    takers.map(|(owner, _)| domain(members, owner)).collect::<BTreeSet<_>>().len()
}

/// No slice that is not pinned shares its domain with another replica; or its member, where domains are too few.
pub(super) fn check_apart(case: &Case, owners: &[Owner]) {
    let takers = case.members.iter().filter(|member| !member.draining).count();
    let count = usize::try_from(case.slices.replicas.unwrap().count).unwrap();
    let domains_suffice = domains(&case.members) >= count;
    let near = |one: Owner, other: Owner| {
        one == other || domains_suffice && domain(&case.members, one) == domain(&case.members, other)
    };
    if takers >= count {
        for slice in (0..owners.len()).filter(|&slice| case.pin(slice).is_none()) {
            for other in group(case.slices, slice) {
                assert!(other == slice || !near(owners[slice], owners[other]), "{slice} and {other}");
            }
        }
    }
}

/// Nothing moves when asked again.
pub(super) fn check_rests(case: &Case, owners: &[Owner]) {
    let again = Case { current: some(owners), ..case.clone() };
    let moved = again.assign().unwrap().iter().zip(owners).filter(|(now, before)| now != before).count();
    assert_eq!(moved, 0);
}
