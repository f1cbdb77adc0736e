//! What rows depend on besides the config and its keys: the host, its maps, its neighbours, and what was there before.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv6Addr,
};

use anyhow::Context as _;
use bytemuck::Zeroable as _;
use ssa_common::{
    bits::Words,
    rows::{BankRow, EndpointRow, HopRow},
};

use super::{numbers::Numbers, ranked::Ranked, shape::Shape, slices::Before, ways::Neighbour};
use crate::config::Config;

/// What rows depend on besides the config and its keys.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// Ticks a second of the clock.
    pub hertz: u32,
    /// The sizes of the maps.
    pub shape: Shape,
    /// The numbers of the services.
    pub numbers: &'a Numbers,
    /// What was in force before, whose slices move as little as possible.
    pub before: Option<Before<'a>>,
    /// This host.
    pub host: Option<&'a Neighbourhood>,
}

/// A host among the endpoints.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Neighbourhood {
    /// The name of the endpoint that it is.
    pub endpoint: Option<String>,
    /// The ways to the others, by name, as far as they are known.
    pub hops: BTreeMap<String, HopRow>,
    /// The addresses that it has towards them, by name: what it sends from where it is no endpoint itself.
    pub sources: BTreeMap<String, Ipv6Addr>,
    /// Why there is no way to others, by name.
    pub without: BTreeMap<String, String>,
    /// Those of them whose next hop's hardware address is all that is missing.
    pub unknown: BTreeSet<String>,
    /// The names of the interfaces, by their numbers.
    pub links: BTreeMap<u32, String>,
    /// Neighbour entries of ours that no way needs.
    pub unneeded: Vec<Neighbour>,
}

impl<'a> Ground<'a> {
    /// Of a host that is no endpoint, on which nothing was in force before.
    pub const fn new(hertz: u32, shape: Shape, numbers: &'a Numbers) -> Self {
        Self { hertz, shape, numbers, before: None, host: None }
    }
}

/// The rows of the endpoints; in `bank`, how many there are and which of them is this host.
pub(super) fn endpoints(
    config: &Config,
    bank: &mut BankRow,
    shape: Shape,
    host: Option<&Neighbourhood>,
) -> anyhow::Result<Vec<EndpointRow>> {
    let ranked = Ranked::of(config);
    bank.endpoints = u32::try_from(ranked.endpoints().len())?;
    let number = host.and_then(|host| ranked.number(host.endpoint.as_deref()?));
    bank.host = number.map_or(0, |number| number + 1);
    let own = ranked.stored(bank.host).map(|own| own.address);
    let source = |name: &str| own.or_else(|| host?.sources.get(name).copied()).unwrap_or(Ipv6Addr::UNSPECIFIED);
    let mut rows = vec![EndpointRow::zeroed(); shape.endpoints as usize];
    for (number, endpoint) in ranked.endpoints().iter().enumerate() {
        *rows.get_mut(number).context("more endpoints than the maps have room for")? = EndpointRow {
            address: Words::from_u128(endpoint.address.to_bits()),
            source: Words::from_u128(source(&endpoint.name).to_bits()),
            hop: host.and_then(|host| host.hops.get(&endpoint.name)).copied().unwrap_or_default(),
        };
    }
    Ok(rows)
}
