//! What `ssa-ctl slices` says in; the owner of each slice, and of each address, out.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv6Addr,
};

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::control::{Control, SERVICE};

/// Slices of each service, by their bits.
pub(super) const SLICE_BITS: u8 = 12;

/// The owner of each slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owners(Vec<Option<String>>);

impl Owners {
    /// As a host has them in force.
    pub(super) fn read(host: &Control) -> Result<Self> {
        #[derive(Deserialize)]
        struct Answer {
            services: BTreeMap<String, Slices>,
        }
        #[derive(Deserialize)]
        struct Slices {
            runs: Vec<Run>,
        }
        #[derive(Deserialize)]
        struct Run {
            first: usize,
            last: usize,
            endpoint: Option<String>,
        }
        let mut answer: Answer = host.ask(&["slices", SERVICE])?;
        let slices = answer.services.remove(SERVICE).context("no slices of the service")?;
        let mut owners = vec![None; 1 << SLICE_BITS];
        for Run { first, last, endpoint } in slices.runs {
            owners.get_mut(first..=last).context("more slices than there are")?.fill(endpoint);
        }
        Ok(Self(owners))
    }

    /// The owner of an address of the service.
    pub(super) fn of(&self, address: Ipv6Addr) -> Option<&str> {
        self.0[slice_of(address)].as_deref()
    }

    /// The owner of a slice.
    pub(super) fn of_slice(&self, slice: usize) -> Option<&str> {
        self.0.get(slice)?.as_deref()
    }

    /// The owner of each slice, in order.
    pub(super) fn each(&self) -> impl Iterator<Item = Option<&str>> {
        self.0.iter().map(Option::as_deref)
    }

    /// How many slices an endpoint has.
    pub(super) fn count(&self, endpoint: &str) -> usize {
        self.0.iter().filter(|owner| owner.as_deref() == Some(endpoint)).count()
    }

    /// How many slices have another owner than in `before`.
    pub(super) fn moved(&self, before: &Self) -> usize {
        self.0.iter().zip(&before.0).filter(|(now, before)| now != before).count()
    }

    /// Whether every slice has an owner, and the endpoints that have any have equally many.
    pub(super) fn is_even(&self) -> bool {
        let names: BTreeSet<_> = self.0.iter().flatten().collect();
        let counts = names.iter().map(|name| self.count(name));
        let (least, most) = counts.fold((usize::MAX, 0), |(least, most), count| (least.min(count), most.max(count)));
        self.0.iter().all(Option::is_some) && most <= least + 1
    }
}

/// The slice of an address, behind a prefix of /64.
pub(super) fn slice_of(address: Ipv6Addr) -> usize {
    let [_, _, _, _, first, _, _, _] = address.segments();
    usize::from(first >> (u16::BITS - u32::from(SLICE_BITS)))
}
