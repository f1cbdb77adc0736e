//! A config, the service and what else was asked in; the service as clients see it, with who owns each slice, out.

use std::{collections::HashMap, net::Ipv6Addr};

use ipnet::Ipv6Net;
use ssa_common::{
    bits::Words,
    rows::SliceRow,
    rule::{AddressError, Compiled, Kind, Placed, PlacedField, Request, Rule, Secrets},
};

use super::{origin, random::Random};
use crate::{
    config::{Config, Endpoint, Service, keys},
    failure::{Code, Failure},
    plan::{
        ranked::Ranked,
        slices::{Slices, has_owners, needed},
    },
};

/// A service whose clients are simulated.
pub struct Scene {
    /// The service.
    pub service: Service,
    /// The rule over each prefix, as it is.
    pub placed: Vec<Placed>,
    /// The rule over each prefix, with random bits where no slice depends on them.
    pub compiled: Vec<Compiled>,
    /// The endpoints that slices may belong to.
    pub endpoints: Vec<Owner>,
    /// The place of each slice's owner among the endpoints. Empty: the slices have no owners.
    pub owners: Vec<u32>,
    /// What the clients want.
    pub wish: Wish,
}

/// What clients want.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// All want this object; each another one, if none is said.
    pub object: Option<u128>,
    /// The replica.
    pub replica: u32,
    /// Unix seconds.
    pub time: u64,
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Owner {
    /// Its name.
    pub name: String,
    /// The part of the load that its weight asks for.
    pub weight: f64,
    /// How many slices it owns.
    pub slices: u32,
}

impl Scene {
    /// Looks at a service. `in_force`: the owners that the config lists own their slices already.
    pub fn new(config: &Config, name: &str, wish: Wish, in_force: bool) -> Result<Self, Failure> {
        let service = super::super::service(config, name)?.1.clone();
        if service.slice_bits == 0 {
            return Err(Failure::new(Code::Invalid, format!("the service {name} has no slices"))
                .hint("give it slice_bits, or try --slice-bits 14"));
        }
        let suffix = service.prefixes.iter().map(|prefix| 128 - prefix.prefix_len()).min().unwrap_or(0);
        if service.slice_bits > suffix {
            let message = format!("{} slice bits do not fit behind the prefixes of {name}", service.slice_bits);
            return Err(Failure::new(Code::Invalid, message).hint(format!("take {suffix} or fewer")));
        }
        let placed = place(&service.rule, &service.prefixes)?;
        let ring = Ring::of(config, &service, &placed)?;
        let compiled = easy(&service, &ring)?;
        let (endpoints, owners) = owners(config, &service, in_force)?;
        Ok(Self { service, placed, compiled, endpoints, owners, wish })
    }

    /// How many slices there are.
    pub const fn slices(&self) -> usize {
        1 << self.service.slice_bits
    }

    /// The slice that a client's address is in, of the prefix at this place.
    pub fn slice(&self, prefix: usize, source: u128, random: &mut Random) -> Result<u32, AddressError> {
        let Wish { object, replica, time } = self.wish;
        let object = Some(object.unwrap_or_else(|| random.wide()));
        let request = Request { source, object, replica, time };
        self.slice_of(prefix, &request, &mut || random.bits())
    }

    /// The slice of what a client computes with these random bits.
    pub fn slice_of(
        &self,
        prefix: usize,
        request: &Request,
        random: &mut dyn FnMut() -> u64,
    ) -> Result<u32, AddressError> {
        let rule = &self.compiled[prefix];
        let destination = rule.destination(request, random, &mut |_| std::ops::ControlFlow::Continue(()))?;
        let row = SliceRow::behind(rule.placed().length(), self.service.slice_bits);
        Ok(row.number(Words::from_u128(destination)))
    }

    /// The sum over the slices of each endpoint.
    pub fn by_endpoint(&self, of_slices: impl IntoIterator<Item = f64>) -> Vec<f64> {
        let mut sums = vec![0.0; self.endpoints.len()];
        for (owner, part) in self.owners.iter().zip(of_slices) {
            sums[*owner as usize] += part;
        }
        sums
    }
}

/// Endpoints in the place of those of a config, all alike.
pub fn with_endpoints(config: &mut Config, count: u16) {
    let endpoint = |number: u16| Endpoint {
        name: format!("e{number}"),
        address: Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, number),
        weight: 1,
        domain: None,
        mac: None,
        drain: false,
    };
    config.endpoints = (1..=count).map(endpoint).collect();
    for service in &mut config.services {
        service.endpoints = None;
        service.owners.clear();
        service.pinned.clear();
    }
}

fn place(rule: &Rule, prefixes: &[Ipv6Net]) -> Result<Vec<Placed>, Failure> {
    let place = |prefix: &Ipv6Net| {
        let placed = rule.place(prefix.network().to_bits(), prefix.prefix_len());
        // A config that was read fits its prefixes.
        placed.map_err(|mut errors| Failure::from(errors.swap_remove(0)))
    };
    prefixes.iter().map(place).collect()
}

/// The keys that slices depend on.
struct Ring {
    keys: keys::KeyRings,
    needed: bool,
}

impl Ring {
    fn of(config: &Config, service: &Service, placed: &[Placed]) -> Result<Self, Failure> {
        let is_keyed = |field: &PlacedField| matches!(field.kind, Kind::Mac { .. } | Kind::KeyId);
        let needed =
            placed.iter().any(|placed| origin::fields_of(placed, service.slice_bits).any(|(field, _)| is_keyed(field)));
        let Some(name) = service.rule.key().filter(|_| needed) else {
            return Ok(Self { keys: keys::KeyRings::default(), needed: false });
        };
        let mut service = service.clone();
        service.keys.retain(|key| key.name == name);
        let message = format!("the slices of {} depend on the key ring {name}", service.name);
        let alone = Config { services: vec![service], ..config.clone() };
        let keys = keys::load(&alone).map_err(|mut problems| {
            let problem = problems.swap_remove(0);
            let hint = problem.help.clone();
            let error = anyhow::Error::new(problem).context(message);
            Failure { code: Code::Invalid, error, hint: Some(hint) }
        })?;
        Ok(Self { keys, needed })
    }
}

/// The rule with `any` for what takes work or a key and is in no slice: a nonce that proves work, and a tag, are random.
fn easy(service: &Service, ring: &Ring) -> Result<Vec<Compiled>, Failure> {
    let replaced = |kind: &Kind| match kind {
        Kind::Pow { .. } => true,
        Kind::Mac { .. } | Kind::KeyId => !ring.needed,
        _ => false,
    };
    let word = |field: &ssa_common::rule::Field| {
        if replaced(&field.kind) { format!("any:{}", field.width) } else { field.to_string() }
    };
    let text: Vec<_> = service.rule.fields().iter().map(word).collect();
    let rule: Rule = text.join(" ").parse()?;
    let keys = rule.key().map_or(&[][..], |name| ring.keys.ring(0, name));
    let secrets = Secrets { salt: service.salt.unwrap_or_default(), ring: keys };
    let placed = place(&rule, &service.prefixes)?;
    Ok(placed.iter().map(|placed| placed.compile(&secrets, service.skew)).collect())
}

fn owners(config: &Config, service: &Service, in_force: bool) -> Result<(Vec<Owner>, Vec<u32>), Failure> {
    let alone = Config { services: vec![service.clone()], ..config.clone() };
    if !has_owners(&alone, service) {
        return Ok((Vec::new(), Vec::new()));
    }
    let members: Vec<&Endpoint> = alone.endpoints_of(service).map(|(_, endpoint)| endpoint).collect();
    let places: HashMap<&str, u32> = (0..).zip(&members).map(|(place, endpoint)| (&*endpoint.name, place)).collect();
    let listed = || {
        let mut list = vec![None; 1 << service.slice_bits];
        for run in &service.owners {
            list.get_mut(run.first as usize..=run.last as usize)?.fill(places.get(&*run.endpoint).copied());
        }
        list.into_iter().collect::<Option<Vec<u32>>>()
    };
    let owners = match in_force.then(listed).flatten() {
        Some(owners) => owners,
        None => shared(&alone, service, &places)?,
    };
    let all = members.iter().filter(|endpoint| !endpoint.drain).map(|endpoint| f64::from(endpoint.weight)).sum::<f64>();
    let mut list: Vec<Owner> = members
        .iter()
        .map(|endpoint| Owner {
            name: endpoint.name.clone(),
            weight: if endpoint.drain { 0.0 } else { f64::from(endpoint.weight) / all.max(1.0) },
            slices: 0,
        })
        .collect();
    for owner in &owners {
        list[*owner as usize].slices += 1;
    }
    Ok((list, owners))
}

/// The owners that `apply` would give the slices.
fn shared(config: &Config, service: &Service, places: &HashMap<&str, u32>) -> Result<Vec<u32>, Failure> {
    let slices = Slices::share(config, needed(config), None, 1)?;
    let ranked = Ranked::of(config);
    let place = |stored: u32| places.get(ranked.name(stored)?).copied();
    let words = slices.of(&service.name).unwrap_or_default();
    let owners: Option<Vec<u32>> = words.iter().map(|word| place(word.owner())).collect();
    owners.ok_or_else(|| Failure::new(Code::Failed, format!("a slice of {} has no owner", service.name)))
}
