//! A service, its endpoints and what was in force before in; who owns each of its slices, out.
//!
//! As long as that from which owners are worked out is the same, slices stay where they are, whatever the balance: else an
//! `apply` that changes nothing would move on one host what it does not move on another.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::Context as _;
use ssa_common::rows::SliceWord;

use super::{ranked::Ranked, slices::Before};
use crate::{
    assign::{self, Owner, Replicas},
    config::{Config, Run, Service},
};

/// The numbers of endpoints before and now.
pub(super) struct Ranks<'a> {
    now: Ranked<'a>,
    before: Option<Ranked<'a>>,
}

impl<'a> Ranks<'a> {
    pub(super) fn new(config: &'a Config, before: Option<Before<'a>>) -> Self {
        Self { now: Ranked::of(config), before: before.map(|before| Ranked::of(before.config)) }
    }

    /// The number now of whom a word of before names.
    fn now(&self, stored: u32) -> Option<u32> {
        self.now.number(self.before.as_ref()?.name(stored)?)
    }
}

/// The slices of one service, to be shared out.
pub(super) struct Sharing<'a> {
    pub(super) config: &'a Config,
    pub(super) service: &'a Service,
    pub(super) ranks: &'a Ranks<'a>,
    pub(super) before: Option<Before<'a>>,
    pub(super) hertz: u32,
}

/// What owners are worked out from, besides pins and the owners so far.
#[derive(PartialEq)]
struct Basis<'a> {
    bits: u8,
    replicas: Option<Replicas>,
    /// Weight, domain and draining of each endpoint, by name.
    members: BTreeMap<&'a str, (u32, Option<&'a str>, bool)>,
}

impl<'a> Basis<'a> {
    fn of(config: &'a Config, service: &'a Service) -> Self {
        let members = config.endpoints_of(service).map(|(_, endpoint)| {
            (endpoint.name.as_str(), (endpoint.weight, endpoint.domain.as_deref(), endpoint.drain))
        });
        Self { bits: service.slice_bits, replicas: service.replicas(), members: members.collect() }
    }
}

impl Sharing<'_> {
    /// The words of the slices.
    pub(super) fn words(&self) -> anyhow::Result<Vec<SliceWord>> {
        let Service { name, slice_bits, handover, .. } = self.service;
        let number = |endpoint: &str| self.ranks.now.number(endpoint).context("an endpoint has no number");
        let numbers = self.config.endpoints_of(self.service).map(|(_, endpoint)| number(&endpoint.name));
        let numbers = numbers.collect::<anyhow::Result<Vec<u32>>>()?;
        let place_of: BTreeMap<u32, Owner> = (0..).zip(&numbers).map(|(place, number)| (*number, place)).collect();
        let members = self.members();
        let old = self.old_words();
        let current: Vec<Option<Owner>> =
            old.iter().map(|word| place_of.get(&(word.owner().checked_sub(1)?)).copied()).collect();
        let pinned = self.listed(&self.service.pinned, &place_of);
        let fixed = self.fixed(&members, &current, &pinned, &self.listed(&self.service.owners, &place_of));
        let owners = if let Some(fixed) = fixed.iter().copied().collect::<Option<Vec<Owner>>>() {
            fixed
        } else {
            let slices = assign::Slices { bits: *slice_bits, replicas: self.service.replicas() };
            assign::assign(slices, &members, &current, &fixed)
                .with_context(|| format!("no endpoint may own the slices of {name}"))?
        };
        let until = self.before.and_then(|before| deadline(before.ticks, *handover, self.hertz));
        let word = |(slice, owner): (usize, Owner)| {
            let old = old.get(slice).copied().unwrap_or_default();
            moved(old, numbers[usize::from(owner)], until).pin(pinned[slice].is_some())
        };
        Ok(owners.into_iter().enumerate().map(word).collect())
    }

    /// Who must own a slice: whom it is pinned to; else whom the config lists, or, where there is no reason to share the
    /// slices out anew, who owns it. Of the last two, nobody who drains.
    fn fixed(
        &self,
        members: &[assign::Member],
        current: &[Option<Owner>],
        pinned: &[Option<Owner>],
        listed: &[Option<Owner>],
    ) -> Vec<Option<Owner>> {
        let stays = |owner: &Owner| !members[usize::from(*owner)].draining;
        let current = if self.is_as_before() { current } else { &[] };
        let fixed = |(slice, (pin, listed)): (usize, (&Option<Owner>, &Option<Owner>))| {
            let kept = || current.get(slice).copied().flatten().filter(stays);
            pin.or_else(|| listed.filter(stays)).or_else(kept)
        };
        pinned.iter().zip(listed).enumerate().map(fixed).collect()
    }

    /// Whether owners would be worked out from the same things as before, and nobody has asked for a new sharing.
    fn is_as_before(&self) -> bool {
        let name = self.service.name.as_str();
        let before = self.before.filter(|before| before.rebalance != Some(name));
        before.is_some_and(|before| {
            let old = before.config.service(name);
            old.is_some_and(|(_, old)| Basis::of(before.config, old) == Basis::of(self.config, self.service))
        })
    }

    /// What the words of before say, in the numbers of now, for as many slices as there are now.
    fn old_words(&self) -> Vec<SliceWord> {
        let Some(before) = self.before else { return Vec::new() };
        let Some(words) = before.slices.of(&self.service.name) else { return Vec::new() };
        let place = before.slices.places[&self.service.name];
        let renamed = |word: &SliceWord| {
            let kept = SliceWord::default();
            let owner = self.ranks.now(word.owner()).map_or(kept, SliceWord::of).pin(word.is_pinned());
            self.ranks.now(word.previous()).map_or(owner, |previous| owner.after(previous, word.deadline()))
        };
        let words: Vec<SliceWord> = words.iter().map(renamed).collect();
        match (place.bits, self.service.slice_bits) {
            (old, new) if old < new => assign::split(&words, new - old),
            (old, new) if old > new => self.merged(&words, old - new, before.ticks),
            _ => words,
        }
    }

    /// Slices that become one: it belongs to who owned most of them, and whoever owned the next most keeps its connections.
    fn merged(&self, words: &[SliceWord], by: u8, ticks: u64) -> Vec<SliceWord> {
        let owners: Vec<_> = words
            .iter()
            .map(|word| word.owner().checked_sub(1).and_then(|owner| Owner::try_from(owner).ok()))
            .collect();
        let until = deadline(ticks, self.service.handover, self.hertz);
        let word = |merged: assign::Merged| {
            let owner = merged.owner.map_or(SliceWord::default(), |owner| SliceWord::of(owner.into()));
            let previous = merged.previous.zip(until);
            previous.map_or(owner, |(previous, until)| owner.after(previous.into(), until))
        };
        assign::merge(&owners, by).into_iter().map(word).collect()
    }

    fn members(&self) -> Vec<assign::Member> {
        let mut domains: BTreeMap<&str, u32> = BTreeMap::new();
        let members = self.config.endpoints_of(self.service).map(|(_, endpoint)| {
            let next = u32::try_from(domains.len()).unwrap_or(u32::MAX);
            let domain = endpoint.domain.as_deref().map(|name| *domains.entry(name).or_insert(next));
            assign::Member { weight: endpoint.weight, domain, draining: endpoint.drain }
        });
        members.collect()
    }

    fn listed(&self, runs: &[Run], place_of: &BTreeMap<u32, Owner>) -> Vec<Option<Owner>> {
        let mut list = vec![None; 1 << self.service.slice_bits];
        for run in runs {
            let owner = self.ranks.now.number(&run.endpoint).and_then(|number| place_of.get(&number)).copied();
            let last = (run.last as usize + 1).min(list.len());
            list[(run.first as usize).min(last)..last].fill(owner);
        }
        list
    }
}

/// The tick up to which a previous owner keeps its connections, so many seconds from now; none, if it keeps none.
pub fn deadline(ticks: u64, seconds: u32, hertz: u32) -> Option<u64> {
    (seconds > 0).then(|| ticks + u64::from(seconds) * u64::from(hertz))
}

/// A slice's word when `owner` owns it from now on; whoever did keeps its connections until a tick.
pub fn moved(old: SliceWord, owner: u32, until: Option<u64>) -> SliceWord {
    match (old.owner().checked_sub(1), until) {
        (Some(same), _) if same == owner => old,
        (Some(previous), Some(until)) => SliceWord::of(owner).after(previous, until),
        _ => SliceWord::of(owner),
    }
}
