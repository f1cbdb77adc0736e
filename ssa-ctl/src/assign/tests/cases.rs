//! Nothing in; members, weights, domains, pins and owners so far of all sorts, out.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::assign::{Member, Owner, Replicas, Slices, assign};

/// What `assign` is asked.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) slices: Slices,
    pub(super) members: Vec<Member>,
    pub(super) current: Vec<Option<Owner>>,
    pub(super) pinned: Vec<Option<Owner>>,
}

impl Case {
    pub(super) fn assign(&self) -> Option<Vec<Owner>> {
        assign(self.slices, &self.members, &self.current, &self.pinned)
    }

    pub(super) fn pin(&self, slice: usize) -> Option<Owner> {
        self.pinned.get(slice).copied().flatten().filter(|&owner| usize::from(owner) < self.members.len())
    }

    /// The owner so far, if it may stay so.
    pub(super) fn stays(&self, slice: usize) -> Option<Owner> {
        let stays = |&owner: &Owner| self.members.get(usize::from(owner)).is_some_and(|member| !member.draining);
        self.current.get(slice).copied().flatten().filter(stays)
    }

    /// How many slices each member is pinned to.
    pub(super) fn pins(&self) -> Vec<u64> {
        let pinned = (0..self.slices.count()).filter_map(|slice| self.pin(slice));
        counts(&self.members, &pinned.collect::<Vec<_>>())
    }
}

pub(super) fn counts(members: &[Member], owners: &[Owner]) -> Vec<u64> {
    let mut counts = vec![0; members.len()];
    for &owner in owners {
        counts[usize::from(owner)] += 1;
    }
    counts
}

pub(super) fn some(owners: &[Owner]) -> Vec<Option<Owner>> {
    owners.iter().copied().map(Some).collect()
}

pub(super) fn equal(count: usize) -> Vec<Member> {
    vec![Member { weight: 1, domain: None, draining: false }; count]
}

pub(super) fn plain(bits: u8) -> Slices {
    Slices { bits, replicas: None }
}

pub(super) fn members(most: usize) -> impl Strategy<Value = Vec<Member>> {
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

pub(super) fn replicas(bits: u8) -> impl Strategy<Value = Replicas> {
    (1..=bits.min(3))
        .prop_flat_map(move |width| (0..=bits - width, Just(width), 2..=1_u32 << width))
        .prop_map(|(first, width, count)| Replicas { first, width, count })
}

/// Owners so far: none, what `assign` once said for members of which some have other weights now, or anything.
pub(super) fn current(slices: Slices, members: &[Member]) -> impl Strategy<Value = Vec<Option<Owner>>> + use<> {
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

pub(super) fn cases(replicated: bool, pins: bool) -> impl Strategy<Value = Case> {
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
