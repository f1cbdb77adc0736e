//! A config and what was in force before it in; where the slices of each service are and who owns each, out.

use std::collections::BTreeMap;

use anyhow::Context as _;
use ssa_common::rows::SliceWord;

use super::ranked::Ranked;
use crate::{
    assign::{self, Owner},
    config::{Config, Run, Service},
};

/// Where the slices of the services are among those of a bank, and who owns each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slices {
    /// Of each service that has slices with owners, by name.
    pub places: BTreeMap<String, Place>,
    /// Who owns each, by the numbers of [`Ranked`].
    pub words: Vec<SliceWord>,
}

/// Where the slices of a service are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The first.
    pub first: u32,
    /// There are 2 to the power of this many.
    pub bits: u8,
}

impl Place {
    const fn count(self) -> u32 {
        1 << self.bits
    }

    /// Their places.
    pub const fn range(self) -> std::ops::Range<usize> {
        self.first as usize..(self.first + self.count()) as usize
    }
}

/// What was in force before, and the time in the kernel's ticks.
#[derive(Clone, Copy)]
pub struct Before<'a> {
    /// The config.
    pub config: &'a Config,
    /// Its slices.
    pub slices: &'a Slices,
    /// Ticks now.
    pub ticks: u64,
}

/// Whether the slices of a service have owners.
pub fn has_owners(config: &Config, service: &Service) -> bool {
    config.endpoints_of(service).next().is_some()
}

/// Slices that the services of a config have together.
pub fn needed(config: &Config) -> u32 {
    let services = config.services.iter().filter(|service| has_owners(config, service));
    services.map(|service| 1 << service.slice_bits).fold(0, u32::saturating_add)
}

impl Slices {
    /// Shares out the slices of a config among its endpoints, in a bank of `room` slices.
    ///
    /// Who owned a slice keeps it if that leaves the load in balance; else it keeps its connections for a while.
    ///
    /// # Errors
    /// Where there is no room, or no endpoint that may own anything; a checked config has one.
    pub fn share(config: &Config, room: u32, before: Option<Before<'_>>, hertz: u32) -> anyhow::Result<Self> {
        let places = places(config, room, before).context("more slices than the maps have room for")?;
        let mut slices = Self { places, words: vec![SliceWord::default(); room as usize] };
        let ranks = Ranks::new(config, before);
        for service in &config.services {
            let Some(place) = slices.places.get(&service.name) else { continue };
            let words = Sharing { config, service, ranks: &ranks, before, hertz }.words()?;
            slices.words[place.range()].copy_from_slice(&words);
        }
        Ok(slices)
    }

    /// The slices of a service.
    pub fn of(&self, service: &str) -> Option<&[SliceWord]> {
        self.words.get(self.places.get(service)?.range())
    }
}

/// The config with what its slices say: owners, and which slices stay where they are.
#[must_use]
pub fn told(config: &Config, slices: &Slices) -> Config {
    let ranked = Ranked::of(config);
    let name = |owner: u32| ranked.name(owner).map(str::to_owned);
    let mut told = config.clone();
    for service in &mut told.services {
        let Some(words) = slices.of(&service.name) else { continue };
        service.owners = runs(words.iter().map(|word| word.owner()), name);
        service.pinned = runs(words.iter().map(|word| if word.is_pinned() { word.owner() } else { 0 }), name);
    }
    told
}

/// The config without what its slices say.
#[must_use]
pub fn untold(config: &Config) -> Config {
    let mut untold = config.clone().without_owners();
    untold.services.iter_mut().for_each(|service| service.pinned.clear());
    untold
}

/// Slices that follow each other and have the same owner, of those that have one.
fn runs(owners: impl Iterator<Item = u32>, name: impl Fn(u32) -> Option<String>) -> Vec<Run> {
    let mut runs: Vec<(u32, u32, u32)> = Vec::new();
    for (slice, owner) in (0..).zip(owners) {
        match runs.last_mut() {
            Some((_, last, of)) if *of == owner => *last = slice,
            _ => runs.push((slice, slice, owner)),
        }
    }
    let run = |(first, last, owner)| Some(Run { first, last, endpoint: name(owner)? });
    runs.into_iter().filter_map(run).collect()
}

/// Where each service's slices are: where they were, if they are as many. A number of slices begins at a multiple of it,
/// so that what is given up is filled again.
fn places(config: &Config, room: u32, before: Option<Before<'_>>) -> Option<BTreeMap<String, Place>> {
    let kept = |name: &str, bits| {
        let place = *before?.slices.places.get(name)?;
        (place.bits == bits && place.first + place.count() <= room).then_some(place)
    };
    place_all(config, room, kept).or_else(|| place_all(config, room, |_, _| None))
}

fn place_all(config: &Config, room: u32, kept: impl Fn(&str, u8) -> Option<Place>) -> Option<BTreeMap<String, Place>> {
    let services = || config.services.iter().filter(|service| has_owners(config, service));
    let mut places = BTreeMap::new();
    for service in services() {
        if let Some(place) = kept(&service.name, service.slice_bits) {
            places.insert(service.name.clone(), place);
        }
    }
    let mut rest: Vec<_> = services().filter(|service| !places.contains_key(&service.name)).collect();
    // The largest first, which then all fit as long as there is room.
    rest.sort_by_key(|service| std::cmp::Reverse(service.slice_bits));
    for service in rest {
        let bits = service.slice_bits;
        let free = |first: u32| {
            let place = Place { first, bits };
            places.values().all(|other: &Place| {
                other.first + other.count() <= place.first || place.first + place.count() <= other.first
            })
        };
        let first = (0..room >> bits).map(|index| index << bits).find(|first| free(*first))?;
        places.insert(service.name.clone(), Place { first, bits });
    }
    Some(places)
}

/// How the numbers of endpoints before and now lie to each other, and to their names.
struct Ranks<'a> {
    now: Ranked<'a>,
    before: Option<Ranked<'a>>,
}

impl<'a> Ranks<'a> {
    fn new(config: &'a Config, before: Option<Before<'a>>) -> Self {
        Self { now: Ranked::of(config), before: before.map(|before| Ranked::of(before.config)) }
    }

    /// The number now of whom a word of before names.
    fn now(&self, stored: u32) -> Option<u32> {
        self.now.number(self.before.as_ref()?.name(stored)?)
    }
}

/// The slices of one service, to be shared out.
struct Sharing<'a> {
    config: &'a Config,
    service: &'a Service,
    ranks: &'a Ranks<'a>,
    before: Option<Before<'a>>,
    hertz: u32,
}

impl Sharing<'_> {
    fn words(&self) -> anyhow::Result<Vec<SliceWord>> {
        let Service { name, slice_bits, .. } = self.service;
        let number = |endpoint: &str| self.ranks.now.number(endpoint).context("an endpoint has no number");
        let members = self.config.endpoints_of(self.service).map(|(_, endpoint)| number(&endpoint.name));
        let members = members.collect::<anyhow::Result<Vec<u32>>>()?;
        let place_of: BTreeMap<u32, Owner> = (0..).zip(&members).map(|(place, rank)| (*rank, place)).collect();
        let old = self.old_words();
        let current: Vec<Option<Owner>> = if self.service.owners.is_empty() {
            old.iter().map(|word| place_of.get(&(word.owner().checked_sub(1)?)).copied()).collect()
        } else {
            self.listed(&self.service.owners, &place_of)
        };
        let pinned = self.listed(&self.service.pinned, &place_of);
        let slices = assign::Slices { bits: *slice_bits, replicas: self.service.replicas() };
        let owners = assign::assign(slices, &self.members(), &current, &pinned)
            .with_context(|| format!("no endpoint may own the slices of {name}"))?;
        let until =
            self.before.map_or(0, |before| before.ticks + u64::from(self.service.handover) * u64::from(self.hertz));
        let word = |(slice, owner): (usize, Owner)| {
            let owner = members[usize::from(owner)];
            let old = old.get(slice).copied().unwrap_or_default();
            let is_pinned = pinned.get(slice).copied().flatten().is_some();
            moved(old, owner, if self.service.handover == 0 { None } else { Some(until) }).pin(is_pinned)
        };
        Ok(owners.into_iter().enumerate().map(word).collect())
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
        let until = ticks + u64::from(self.service.handover) * u64::from(self.hertz);
        let word = |merged: assign::Merged| {
            let owner = merged.owner.map_or(SliceWord::default(), |owner| SliceWord::of(owner.into()));
            merged.previous.map_or(owner, |previous| owner.after(previous.into(), until))
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
            let owner = self.ranks.now.number(&run.endpoint).and_then(|rank| place_of.get(&rank)).copied();
            let last = (run.last as usize + 1).min(list.len());
            list[(run.first as usize).min(last)..last].fill(owner);
        }
        list
    }
}

/// A slice's word when `owner` owns it from now on; whoever did keeps its connections until a tick.
pub fn moved(old: SliceWord, owner: u32, until: Option<u64>) -> SliceWord {
    match (old.owner().checked_sub(1), until) {
        (Some(same), _) if same == owner => old,
        (Some(previous), Some(until)) => SliceWord::of(owner).after(previous, until),
        _ => SliceWord::of(owner),
    }
}
