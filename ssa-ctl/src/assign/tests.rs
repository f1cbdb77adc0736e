//! Members, weights, pins and domains of all sorts in; what `assign` promises of them, out.

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

/// What `assign` is asked.
#[derive(Clone, Debug)]
struct Case {
    slices: Slices,
    members: Vec<Member>,
    current: Vec<Option<Owner>>,
    pinned: Vec<Option<Owner>>,
}

impl Case {
    fn assign(&self) -> Option<Vec<Owner>> {
        assign(self.slices, &self.members, &self.current, &self.pinned)
    }

    fn pin(&self, slice: usize) -> Option<Owner> {
        self.pinned.get(slice).copied().flatten().filter(|&owner| usize::from(owner) < self.members.len())
    }

    /// The owner so far, if it may stay so.
    fn stays(&self, slice: usize) -> Option<Owner> {
        let stays = |&owner: &Owner| self.members.get(usize::from(owner)).is_some_and(|member| !member.draining);
        self.current.get(slice).copied().flatten().filter(stays)
    }

    /// How many slices each member is pinned to.
    fn pins(&self) -> Vec<u64> {
        let pinned = (0..self.slices.count()).filter_map(|slice| self.pin(slice));
        counts(&self.members, &pinned.collect::<Vec<_>>())
    }
}

fn counts(members: &[Member], owners: &[Owner]) -> Vec<u64> {
    let mut counts = vec![0; members.len()];
    for &owner in owners {
        counts[usize::from(owner)] += 1;
    }
    counts
}

fn some(owners: &[Owner]) -> Vec<Option<Owner>> {
    owners.iter().copied().map(Some).collect()
}

fn equal(count: usize) -> Vec<Member> {
    vec![Member { weight: 1, domain: None, draining: false }; count]
}

fn plain(bits: u8) -> Slices {
    Slices { bits, replicas: None }
}

fn members(most: usize) -> impl Strategy<Value = Vec<Member>> {
    let weight = prop_oneof![3 => Just(1), 2 => 1_u32..8, 1 => 1_u32..1000, 1 => any::<u32>()];
    let member = (weight, option::of(0_u32..6), prop::bool::weighted(0.1));
    let member = member.prop_map(|(weight, domain, draining)| Member { weight, domain, draining });
    let sizes = prop_oneof![1..8_usize, 1..40_usize, 1..=most];
    (sizes, any::<bool>(), any::<bool>()).prop_flat_map(move |(size, same, domains)| {
        vec(member.clone(), size).prop_map(move |mut members| {
            for member in &mut members {
                member.weight = if same { 1 } else { member.weight };
                member.domain = member.domain.filter(|_| domains);
            }
            members
        })
    })
}

fn replicas(bits: u8) -> impl Strategy<Value = Replicas> {
    (1..=bits.min(3))
        .prop_flat_map(move |width| (0..=bits - width, Just(width), 2..=1_u32 << width))
        .prop_map(|(first, width, count)| Replicas { first, width, count })
}

/// Owners so far: none, what `assign` once said for members of which some have other weights now, or anything.
fn current(slices: Slices, members: &[Member]) -> impl Strategy<Value = Vec<Option<Owner>>> + use<> {
    let owner = 0..u16::try_from(members.len() + 2).unwrap();
    prop_oneof![
        1 => Just(vec![]),
        4 => self::members(members.len() + 2).prop_map(move |before| {
            let owners = assign(slices, &before, &[], &[]).unwrap_or_default();
            some(&owners)
        }),
        1 => vec(option::of(owner), 0..=slices.count()),
    ]
}

fn cases(replicated: bool, pins: bool) -> impl Strategy<Value = Case> {
    let slices = (4_u8..=11).prop_flat_map(move |bits| {
        let replicas = if replicated { replicas(bits).prop_map(Some).boxed() } else { Just(None).boxed() };
        replicas.prop_map(move |replicas| Slices { bits, replicas })
    });
    (slices, members(300)).prop_flat_map(move |(slices, members)| {
        let owner = 0..u16::try_from(members.len() + 1).unwrap();
        let pin = prop_oneof![9 => Just(None), 1 => owner.clone().prop_map(Some)];
        let pinned = if pins {
            prop_oneof![
                vec(pin, 0..=slices.count()),
                (owner, 0..=slices.count()).prop_map(|(owner, count)| vec![Some(owner); count]),
            ]
            .boxed()
        } else {
            Just(vec![]).boxed()
        };
        (current(slices, &members), pinned).prop_map(move |(current, pinned)| Case {
            slices,
            members: members.clone(),
            current,
            pinned,
        })
    })
}

/// An owner for each slice, who may own it; and none only where there is nobody.
fn check_owners(case: &Case) -> Option<Vec<Owner>> {
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
fn check_level(groups: &[(u64, u64, u64, u64)]) {
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

fn weight(member: &Member) -> u64 {
    if member.draining { 0 } else { u64::from(member.weight.max(1)) }
}

/// Each member that takes slices has its share, rounded down or up, and exactly it where that is a whole number.
fn check_shares(case: &Case, owners: &[Owner]) {
    let total = owners.len() as u64;
    let weights: u64 = case.members.iter().map(weight).sum();
    for (member, count) in case.members.iter().zip(counts(&case.members, owners)) {
        let share = total * weight(member);
        assert!((share / weights..=share.div_ceil(weights)).contains(&count), "{count} of {share} / {weights}");
    }
}

/// The slices that differ from one in the number of the replica alone, itself with them; none if nobody's replica.
fn group(slices: Slices, slice: usize) -> Vec<usize> {
    let Some(Replicas { first, width, count }) = slices.replicas else { return vec![] };
    let below = slices.bits - first - width;
    let number = |slice: usize| slice >> below & ((1 << width) - 1);
    let rest = slice - (number(slice) << below);
    let count = usize::try_from(count).unwrap();
    if number(slice) < count { (0..count).map(|replica| rest + (replica << below)).collect() } else { vec![] }
}

fn domain(members: &[Member], owner: Owner) -> (Option<u32>, Option<Owner>) {
    let domain = members[usize::from(owner)].domain;
    (domain, domain.is_none().then_some(owner))
}

/// How many domains take slices.
fn domains(members: &[Member]) -> usize {
    let takers = (0..).zip(members).filter(|(_, member)| !member.draining);
    takers.map(|(owner, _)| domain(members, owner)).collect::<BTreeSet<_>>().len()
}

/// No slice that is not pinned shares its domain with another replica; or its member, where domains are too few.
fn check_apart(case: &Case, owners: &[Owner]) {
    let takers = case.members.iter().filter(|member| !member.draining).count();
    let count = usize::try_from(case.slices.replicas.unwrap().count).unwrap();
    let near = |one: Owner, other: Owner| {
        one == other || domains(&case.members) >= count && domain(&case.members, one) == domain(&case.members, other)
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
fn check_rests(case: &Case, owners: &[Owner]) {
    let again = Case { current: some(owners), ..case.clone() };
    let moved = again.assign().unwrap().iter().zip(owners).filter(|(now, before)| now != before).count();
    assert_eq!(moved, 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn weights_are_shared_with_the_fewest_moves(case in cases(false, false)) {
        let Some(owners) = check_owners(&case) else { return Ok(()) };
        check_shares(&case, &owners);
        // What can stay: up to the share, and one more each for as many as shares are rounded up.
        let total = owners.len() as u64;
        let weights: u64 = case.members.iter().map(weight).sum();
        let stays: Vec<Owner> = (0..owners.len()).filter_map(|slice| case.stays(slice)).collect();
        let had = counts(&case.members, &stays);
        let down = |member: &Member| total * weight(member) / weights;
        let rounded_up = total - case.members.iter().map(down).sum::<u64>();
        let most: u64 = case.members.iter().zip(&had).map(|(member, had)| down(member).min(*had)).sum();
        let more = |(member, had): &(&Member, &u64)| **had > down(member) && !(total * weight(member)).is_multiple_of(weights);
        let more = case.members.iter().zip(&had).filter(more).count() as u64;
        let kept = (0..owners.len()).filter(|&slice| case.stays(slice) == Some(owners[slice])).count() as u64;
        prop_assert_eq!(kept, most + more.min(rounded_up));
        check_rests(&case, &owners);
    }

    #[test]
    fn pins_come_first(case in cases(false, true)) {
        let Some(owners) = check_owners(&case) else { return Ok(()) };
        let pins = case.pins();
        let now = counts(&case.members, &owners);
        let takers = (0..now.len()).filter(|&owner| !case.members[owner].draining);
        check_level(&takers.map(|owner| (weight(&case.members[owner]), now[owner], pins[owner], u64::MAX)).collect::<Vec<_>>());
        // Who keeps fewer than it had is full, so nothing moves that could stay.
        let free = |slice: &usize| case.pin(*slice).is_none();
        let lost: BTreeSet<Owner> = (0..owners.len())
            .filter(free)
            .filter_map(|slice| case.stays(slice).filter(|&before| before != owners[slice]))
            .collect();
        let gained: BTreeSet<Owner> =
            (0..owners.len()).filter(free).filter(|&slice| case.stays(slice) != Some(owners[slice])).map(|slice| owners[slice]).collect();
        prop_assert!(lost.is_disjoint(&gained));
        check_rests(&case, &owners);
    }

    #[test]
    fn replicas_lie_apart(case in cases(true, false)) {
        let Some(owners) = check_owners(&case) else { return Ok(()) };
        check_apart(&case, &owners);
        let replicas = case.slices.replicas.unwrap();
        let count = usize::try_from(replicas.count).unwrap();
        if domains(&case.members) >= count && count == 1 << replicas.width {
            // A domain has at most one of each group; else weights decide.
            let most = (case.slices.count() >> replicas.width) as u64;
            let mut groups: BTreeMap<_, (u64, u64, u64, u64)> = BTreeMap::new();
            for (owner, slices) in (0..).zip(counts(&case.members, &owners)) {
                let member = &case.members[usize::from(owner)];
                if !member.draining {
                    let group = groups.entry(domain(&case.members, owner)).or_insert((0, 0, 0, most));
                    group.0 += weight(member);
                    group.1 += slices;
                }
            }
            prop_assert!(groups.values().all(|group| group.1 <= most));
            check_level(&groups.values().copied().collect::<Vec<_>>());
            if groups.values().all(|group| group.1 < most) {
                check_shares(&case, &owners);
            }
        }
        check_rests(&case, &owners);
    }

    #[test]
    fn replicas_lie_apart_from_pins(case in cases(true, true)) {
        let Some(owners) = check_owners(&case) else { return Ok(()) };
        check_apart(&case, &owners);
    }

    #[test]
    fn from_scratch_each_has_one_run(members in members(1000), bits in 4_u8..=14) {
        let case = Case { slices: plain(bits), members, current: vec![], pinned: vec![] };
        let Some(owners) = check_owners(&case) else { return Ok(()) };
        let owning = counts(&case.members, &owners).into_iter().filter(|&count| count > 0).count();
        prop_assert_eq!(runs(&owners).count(), owning);
    }

    #[test]
    fn one_more_member_adds_half_as_many_runs_as_there_were(count in 2_usize..200) {
        let before = assign(plain(12), &equal(count), &[], &[]).unwrap();
        let after = assign(plain(12), &equal(count + 1), &some(&before), &[]).unwrap();
        prop_assert!(runs(&after).count() <= count + count.div_ceil(2), "{}", runs(&after).count());
        let back: Vec<_> = after.iter().map(|&owner| Some(owner).filter(|&owner| usize::from(owner) < count)).collect();
        let back = assign(plain(12), &equal(count), &back, &[]).unwrap();
        prop_assert!(runs(&back).count() <= count + 2, "{}", runs(&back).count());
    }

    #[test]
    fn runs_are_what_they_were_made_of(owners in vec(0_u16..3, 0..50)) {
        let again: Vec<Owner> = runs(&owners).flat_map(|(first, last, owner)| vec![owner; last + 1 - first]).collect();
        prop_assert!(runs(&owners).zip(runs(&owners).skip(1)).all(|(one, next)| one.1 + 1 == next.0 && one.2 != next.2));
        prop_assert_eq!(again, owners);
    }

    #[test]
    fn what_is_split_merges_back(owners in vec(option::of(0_u16..5), 1..50), by in 0_u8..5) {
        let merged = merge(&split(&owners, by), by);
        prop_assert_eq!(merged.iter().map(|merged| merged.owner).collect::<Vec<_>>(), owners);
        prop_assert!(merged.iter().all(|merged| merged.previous.is_none() && merged.others == 0));
    }
}

#[test]
fn the_most_frequent_owner_gets_what_is_merged() {
    let owners = [Some(7), Some(3), Some(3), None, Some(1), Some(2), Some(5), Some(6)];
    let first = Merged { owner: Some(3), previous: Some(7), others: 0 };
    assert_eq!(merge(&owners, 2), [first, Merged { owner: Some(1), previous: Some(2), others: 2 }]);
    assert_eq!(merge(&[None, None], 1), [Merged::default()]);
}

#[test]
fn a_few_slices_written_out() {
    let owners = |members: usize, current: &[Option<Owner>]| assign(plain(3), &equal(members), current, &[]).unwrap();
    let three = owners(3, &[]);
    assert_eq!(three, [0, 0, 0, 1, 1, 1, 2, 2]);
    assert_eq!(owners(4, &some(&three)), [0, 0, 3, 3, 1, 1, 2, 2], "neighbours give their ends");
    let replicas = Replicas { first: 0, width: 1, count: 2 };
    let slices = Slices { bits: 3, replicas: Some(replicas) };
    assert_eq!(assign(slices, &equal(3), &[], &[]).unwrap(), three, "the first half are replicas 0");
    let big = |weight| Member { weight, domain: None, draining: false };
    let owners = assign(slices, &[big(9), big(1), big(1)], &[], &[]).unwrap();
    assert_eq!(owners, [0, 0, 0, 0, 1, 1, 2, 2], "no more than one replica of each, whatever the weight");
}

#[test]
fn nobody_owns_nothing() {
    assert_eq!(assign(plain(4), &[], &[], &[]), None);
    let mut members = equal(2);
    members[0].draining = true;
    members[1].draining = true;
    assert_eq!(assign(plain(1), &members, &[], &[Some(0)]), None);
    assert_eq!(assign(plain(1), &members, &[], &[Some(0), Some(1)]), Some(vec![0, 1]), "all are pinned");
}

/// DESIGN section 5: one /64, 10 to 1000 endpoints.
#[test]
fn the_worked_example() {
    let summary = |bits, count| {
        let members = equal(count);
        Summary::new(&members, &assign(plain(bits), &members, &[], &[]).unwrap())
    };
    for count in [513, 700, 1000] {
        let slices = summary(10, count).members.into_iter().map(|held| held.slices).collect::<BTreeSet<_>>();
        assert_eq!(slices, BTreeSet::from([1, 2]), "1024 slices for {count}: some have twice the load of others");
    }
    for (count, most) in [(10, 1.001), (100, 1.002), (512, 1.0), (963, 1.059), (1000, 1.038)] {
        let summary = summary(14, count);
        assert!(summary.max_over_mean <= most, "16384 slices for {count}: {}", summary.max_over_mean);
        assert_eq!(summary.runs, u32::try_from(count).unwrap());
    }
}

#[test]
fn a_million_slices_among_a_thousand() {
    let replicas = Replicas { first: 0, width: 1, count: 2 };
    for replicas in [None, Some(replicas)] {
        let slices = Slices { bits: 20, replicas };
        let mut members = equal(1000);
        for (at, member) in (0..).zip(&mut members) {
            member.domain = Some(at % 3);
        }
        let before = assign(slices, &members, &[], &[]).unwrap();
        members[7].draining = true;
        let case = Case { slices, members, current: some(&before), pinned: vec![] };
        let owners = check_owners(&case).unwrap();
        check_shares(&case, &owners);
        let moved = owners.iter().zip(&before).filter(|(now, before)| now != before).count();
        if replicas.is_some() {
            check_apart(&case, &owners);
            assert!(moved <= 1049 * 3 / 2, "{moved}");
        } else {
            assert_eq!(moved, 1049, "what the one had");
        }
    }
}
