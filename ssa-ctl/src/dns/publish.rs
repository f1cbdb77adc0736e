//! Services and what is said of their names, ports and times to live in; what is published of each, out.

use std::{net::Ipv6Addr, str::FromStr, time::Duration};

use hickory_proto::rr::Name;
use ipnet::Ipv6Net;
use ssa_client::{
    apl::Item,
    record::{Objects, Record},
};
use ssa_common::parse::protocol;

use super::{
    names::{below, owner, zone},
    records::{Data, Entry},
    said::{self, Said},
};
use crate::config::{Config, Refusal, Seconds, Service};

/// Seconds that records may be kept, where nothing is said and the rule takes it.
const DEFAULT_TTL: u32 = 300;

/// Items of one list; more are published as several. NSD (4.6) reads no more from a line of a zone file.
const MOST_ITEMS: usize = 64;

/// What is said of the records, besides the config.
#[derive(Clone, Debug, clap::Args)]
pub struct Publishing {
    /// The services to publish; without any, all of the config
    pub services: Vec<String>,
    /// The zone that the names are in
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    pub zone: Name,
    /// A service's name in the zone, such as www or `web=www`, or @ for the zone itself; if not given, its name in the
    /// config. May be given several times
    #[arg(long = "name", value_name = "[SERVICE=]NAME")]
    pub names: Vec<Said<String>>,
    /// A service's port, or `none`; if not given, the one that the service allows, where it is the only one
    #[arg(long = "port", value_name = "[SERVICE=]PORT")]
    pub ports: Vec<Said<Maybe<Port>>>,
    /// The address for clients that know nothing of rules, or `none`; if not given, the first of the first prefix, with
    /// a 1 at its end
    #[arg(long = "anchor", value_name = "[SERVICE=]ADDRESS")]
    pub anchors: Vec<Said<Maybe<Ipv6Addr>>>,
    /// A part of a service's prefix that no client is to use; may be given several times
    #[arg(long = "exclude", value_name = "[SERVICE=]PREFIX")]
    pub excluded: Vec<Said<Ipv6Net>>,
    /// How long clients and caches may keep records: 5m, or what the rule takes, if not given. Never more than half the
    /// shortest period of the rule
    #[arg(long, value_name = "TIME")]
    pub ttl: Option<Seconds>,
}

/// A value, or the word `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maybe<T>(pub Option<T>);

impl<T: FromStr> FromStr for Maybe<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text == "none" { Ok(Self(None)) } else { text.parse().map(|value| Self(Some(value))) }
    }
}

/// A port that somebody can call: 1 to 65535.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port(pub u16);

impl FromStr for Port {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let port = text.parse().ok().filter(|port| *port != 0);
        port.map(Self).ok_or("a port is 1 to 65535, and `none` says that there is none")
    }
}

/// What is published of a service. No secret is in it: a rule names its keys, and a salt is public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The service's name in the config.
    pub service: String,
    /// Its name in the DNS.
    pub name: Name,
    /// The name below it that clients look at first.
    pub below: Name,
    /// Seconds for which its records may be kept.
    pub ttl: u32,
    /// The most that the rule takes, in seconds.
    pub longest_ttl: Option<u32>,
    /// The address for clients that know nothing of rules.
    pub anchor: Option<Ipv6Addr>,
    /// Its prefixes, and what is excluded of them.
    pub items: Vec<Item>,
    /// Its port.
    pub port: Option<u16>,
    /// Its rule, and what belongs to it.
    pub record: Record,
}

/// What is published of services, in the order of the config.
///
/// # Errors
/// Where a service is not there or has no name in the zone, or two have the same.
pub fn publish(config: &Config, publishing: &Publishing) -> Result<Vec<Published>, Refusal> {
    for name in &publishing.services {
        config.named(name)?;
    }
    said::once("--name", &publishing.names, config)?;
    said::once("--port", &publishing.ports, config)?;
    said::once("--anchor", &publishing.anchors, config)?;
    said::known(&publishing.excluded, config)?;
    let wanted = |service: &&Service| publishing.services.is_empty() || publishing.services.contains(&service.name);
    let mut all: Vec<Published> = Vec::new();
    for service in config.services.iter().filter(wanted) {
        let published = one(service, publishing)?;
        if let Some(other) = all.iter().find(|other| other.name == published.name) {
            return Err(Refusal {
                message: format!("{} and {} would both be {}", other.service, service.name, published.name),
                help: format!("give one of them another name, as in --name {}=www2", service.name),
            });
        }
        all.push(published);
    }
    let is_out = |excluded: &Ipv6Net| {
        let item = Item { negated: true, ..Item::of(*excluded) };
        all.iter().any(|published| published.items.contains(&item))
    };
    match publishing.excluded.iter().find(|said| !is_out(&said.value)) {
        None => Ok(all),
        Some(said) => Err(Refusal {
            message: format!("{} is no part of a prefix of what is published", said.value),
            help: "name a longer prefix in one of theirs; to publish no prefix of a service, leave it away".into(),
        }),
    }
}

/// What clients are told of a service's rule.
pub fn record(service: &Service) -> Record {
    Record {
        rule: service.rule.clone(),
        salt: service.salt.unwrap_or_default(),
        skew: service.skew,
        objects: Objects::Sha256,
    }
}

/// The address under which clients know a service that know nothing of rules, where nobody says another.
pub fn anchor(prefixes: &[Ipv6Net]) -> Option<Ipv6Addr> {
    prefixes.first().map(|prefix| Ipv6Addr::from_bits(prefix.network().to_bits() | 1))
}

fn one(service: &Service, publishing: &Publishing) -> Result<Published, Refusal> {
    let said = said::of(&publishing.names, &service.name);
    let name = owner(said.unwrap_or(&service.name), &service.name, &publishing.zone)?;
    let record = record(service);
    let longest_ttl = record.longest_ttl().map(seconds);
    let ttl = publishing.ttl.map_or(DEFAULT_TTL, |Seconds(ttl)| ttl).min(longest_ttl.unwrap_or(u32::MAX));
    let first = anchor(&service.prefixes);
    Ok(Published {
        service: service.name.clone(),
        below: below(&name)?,
        name,
        ttl,
        longest_ttl,
        anchor: said::of(&publishing.anchors, &service.name).map_or(first, |Maybe(anchor)| *anchor),
        items: items(service, &publishing.excluded),
        port: said::of(&publishing.ports, &service.name)
            .map_or_else(|| only_port(service), |Maybe(port)| port.map(|Port(port)| port)),
        record,
    })
}

/// The prefixes, and behind them what is excluded.
fn items(service: &Service, excluded: &[Said<Ipv6Net>]) -> Vec<Item> {
    let mut items: Vec<_> = service.prefixes.iter().copied().map(Item::of).collect();
    for Said { service: named, value } in excluded {
        let is_part = service.prefixes.iter().any(|prefix| prefix.contains(value) && prefix != value);
        if is_part && named.as_ref().is_none_or(|named| *named == service.name) {
            items.push(Item { negated: true, ..Item::of(*value) });
        }
    }
    items
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

/// The port that the service allows, if it is the only one.
fn only_port(service: &Service) -> Option<u16> {
    let mut ports = service.allow.iter().flatten().filter(|allow| allow.protocol != protocol::ICMPV6);
    let first = ports.next()?.port?;
    ports.all(|allow| allow.port == Some(first)).then_some(first)
}

impl Published {
    /// Its records.
    pub fn entries(&self) -> Vec<Entry> {
        let entry = |name: &Name, data| Entry { name: name.clone(), ttl: self.ttl, data };
        let svcb = Data::Svcb { target: self.name.clone(), port: self.port, value: self.record.to_string() };
        let lists = self.items.chunks(MOST_ITEMS).map(|items| Data::Apl(items.to_vec()));
        let below = lists.chain([svcb, Data::Txt(self.record.to_txt())]);
        let anchor = self.anchor.map(|anchor| entry(&self.name, Data::Aaaa(anchor)));
        anchor.into_iter().chain(below.map(|data| entry(&self.below, data))).collect()
    }

    /// What the operator should know.
    pub fn warnings(&self, asked: Option<Seconds>) -> Vec<String> {
        let Some((Seconds(asked), longest)) = asked.zip(self.longest_ttl).filter(|(ttl, longest)| ttl.0 > *longest)
        else {
            return Vec::new();
        };
        vec![format!(
            "{}: a TTL of {asked} s is too long for its rule, whose addresses change with time: it is {longest} s, \
             half the shortest period",
            self.service
        )]
    }
}

#[cfg(test)]
mod tests;
