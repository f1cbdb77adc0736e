//! A config and what was in force before it in; where the slices of each service are and who owns each, out.

use std::collections::BTreeMap;

use anyhow::Context as _;
use ssa_common::rows::SliceWord;

use super::{
    ranked::Ranked,
    sharing::{Ranks, Sharing},
};
use crate::config::{Config, Run, Service};

/// Where the slices of the services are among those of a bank, and who owns each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slices {
    /// Of each service whose slices have owners or are counted, by name.
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

    const fn is_apart(self, other: Self) -> bool {
        other.first + other.count() <= self.first || self.first + self.count() <= other.first
    }

    /// Their places.
    pub const fn range(self) -> std::ops::Range<usize> {
        self.first as usize..(self.first + self.count()) as usize
    }
}

/// Slices of a config without endpoints: the number is nobody's, and by `route` what has one goes to this host's stack.
/// Without a number it would go nowhere.
const UNOWNED: SliceWord = SliceWord::of(0);

/// What was in force before, and the time in the kernel's ticks.
#[derive(Clone, Copy)]
pub struct Before<'a> {
    /// The config.
    pub config: &'a Config,
    /// Its slices.
    pub slices: &'a Slices,
    /// Ticks now.
    pub ticks: u64,
    /// The service whose slices are to be shared out anew, though nothing else has changed.
    pub rebalance: Option<&'a str>,
}

/// Whether the slices of a service have owners.
pub fn has_owners(config: &Config, service: &Service) -> bool {
    config.endpoints_of(service).next().is_some()
}

/// Whether the slices of a service have a place among those of a bank: they have owners, or are counted though the config
/// has no endpoint.
fn has_place(config: &Config, service: &Service) -> bool {
    has_owners(config, service) || service.slice_bits > 0 && service.slice_counters
}

/// Slices that the services of a config have together.
pub fn needed(config: &Config) -> u32 {
    let services = config.services.iter().filter(|service| has_place(config, service));
    services.map(|service| 1 << service.slice_bits).fold(0, u32::saturating_add)
}

impl Slices {
    /// Shares out the slices of a config among its endpoints, in a bank of `room` slices.
    ///
    /// Where nothing has changed, slices stay where they are. Else who owned a slice keeps it if that leaves the load in
    /// balance, or keeps its connections for a while.
    ///
    /// # Errors
    /// Where there is no room, or no endpoint that may own anything; a checked config has one.
    pub fn share(config: &Config, room: u32, before: Option<Before<'_>>, hertz: u32) -> anyhow::Result<Self> {
        let places = places(config, room, before).context("more slices than the maps have room for")?;
        let mut slices = Self { places, words: vec![SliceWord::default(); room as usize] };
        let ranks = Ranks::new(config, before);
        for service in &config.services {
            let Some(place) = slices.places.get(&service.name) else { continue };
            let words = &mut slices.words[place.range()];
            if has_owners(config, service) {
                words.copy_from_slice(&Sharing { config, service, ranks: &ranks, before, hertz }.words()?);
            } else {
                words.fill(UNOWNED);
            }
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

/// Where each service's slices are: where they were, if they are as many; else where none are in force, as long as there is
/// room, as frames are still counted there while the counters of what is new are set to zero. A number of slices begins at
/// a multiple of it, so that what is given up is filled again.
fn places(config: &Config, room: u32, before: Option<Before<'_>>) -> Option<BTreeMap<String, Place>> {
    let kept = |name: &str, bits| {
        let place = *before?.slices.places.get(name)?;
        (place.bits == bits && place.first + place.count() <= room).then_some(place)
    };
    let given_up: Vec<Place> = before.map_or_else(Vec::new, |before| before.slices.places.values().copied().collect());
    place_all(config, room, &given_up, kept).or_else(|| place_all(config, room, &given_up, |_, _| None))
}

fn place_all(
    config: &Config,
    room: u32,
    given_up: &[Place],
    kept: impl Fn(&str, u8) -> Option<Place>,
) -> Option<BTreeMap<String, Place>> {
    let services = || config.services.iter().filter(|service| has_place(config, service));
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
        let free = |place: &Place| places.values().all(|other| place.is_apart(*other));
        let unused = |place: &Place| given_up.iter().all(|other| place.is_apart(*other));
        let all = || (0..room >> bits).map(|index| Place { first: index << bits, bits }).filter(free);
        let place = all().find(unused).or_else(|| all().next())?;
        places.insert(service.name.clone(), place);
    }
    Some(places)
}
