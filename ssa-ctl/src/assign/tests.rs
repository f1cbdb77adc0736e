//! Members, weights, pins and domains of all sorts in; what `assign` promises of them, out.

mod cases;
mod checks;

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use cases::*;
use checks::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

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
    assert!(summary(14, 1000).max_over_mean <= 1.038);
    for count in [10_u16, 100, 512, 630, 963, 1000] {
        let summary = summary(14, count.into());
        let bound = 1.0 + f64::from(count) / 16384.0;
        assert!(summary.max_over_mean < bound, "16384 slices for {count}: {}", summary.max_over_mean);
        assert_eq!(summary.runs, u32::from(count));
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
