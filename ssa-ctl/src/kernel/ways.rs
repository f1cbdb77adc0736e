//! Endpoints in; which of them this host is, and the ways to the others as routes and neighbours say, out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    net::Ipv6Addr,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use futures_util::TryStreamExt as _;
use rtnetlink::{
    Error, Handle, RouteMessageBuilder,
    packet_route::route::{RouteAddress, RouteAttribute, RouteFlags, RouteMessage, RouteMetric, RouteType},
};

use super::{
    neighbours::{self, Entry},
    netlink::{Host, Interface, with_netlink},
};
use crate::{
    config::{Config, Endpoint},
    plan::{
        ground::Neighbourhood,
        ranked::Ranked,
        tables::Tables,
        ways::{Neighbour, hop, needs_ways},
    },
};

/// How long is waited for neighbours that nobody has asked for yet.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks at them.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// The bit of a route's MTU among its locked metrics (`RTAX_MTU`).
const MTU_LOCKED: u32 = 1 << 2;

/// Who is to go by the ways.
#[derive(Clone, Copy, PartialEq, Eq)]
enum For {
    /// A config that is to be in force. Neighbours that are not known are asked for.
    Config,
    /// The plan of one. Nothing is changed.
    Plan,
    /// The filter that is in force, which the kernel tells less. Nothing is changed.
    Filter,
}

/// What this host is among the endpoints of a config.
///
/// With `ask`, neighbours that are not known are asked for, and the kernel is told to keep them known: the filter cannot
/// ask for itself. Without, nothing is changed.
pub fn find(config: &Config, host: &Host, ask: bool) -> anyhow::Result<Neighbourhood> {
    find_as(own(config, host), config, host, if ask { For::Config } else { For::Plan })
}

/// The same for a host that is this endpoint, or none.
fn find_as(endpoint: Option<String>, config: &Config, host: &Host, whose: For) -> anyhow::Result<Neighbourhood> {
    let links = host.interfaces.iter().map(|interface| (interface.index, interface.name.clone())).collect();
    let mut found = Neighbourhood { endpoint, links, ..Neighbourhood::default() };
    let mut others: Vec<_> =
        config.endpoints.iter().filter(|other| Some(&other.name) != found.endpoint.as_ref()).collect();
    if !needs_ways(config, &found) {
        let none = "none is needed: no service is steered by l2 or ip6ip6, and this host is no endpoint";
        found.without = others.drain(..).map(|other| (other.name.clone(), none.into())).collect();
    }
    with_netlink(async |handle| look(handle, host, &others, whose, &mut found).await)
        .context("cannot ask for the ways to the endpoints")?;
    Ok(found)
}

/// The name of the endpoint that this host is.
pub fn own(config: &Config, host: &Host) -> Option<String> {
    let is_own = |endpoint: &&Endpoint| match &config.host.endpoint {
        Some(name) => endpoint.name == *name,
        None => host.addresses.iter().any(|(_, address)| *address == endpoint.address),
    };
    config.endpoints.iter().find(is_own).map(|endpoint| endpoint.name.clone())
}

/// The ways that the filter takes now, where these rows are in force.
///
/// A host that forwards goes by what its kernel says now, and by what the last command found only for neighbours that are
/// not known right now, and for packets that may be no longer by the same interface; any other host goes by the latter
/// alone.
pub fn in_force(config: &Config, host: &Host, tables: &Tables) -> anyhow::Result<Neighbourhood> {
    let ranked = Ranked::of(config);
    let own = ranked.host(&tables.bank).map(str::to_owned);
    let mut now = find_as(own, config, host, For::Filter)?;
    let forwards = config.host.interfaces.iter().any(|name| {
        let path = format!("/proc/sys/net/ipv6/conf/{name}/forwarding");
        fs::read_to_string(path).is_ok_and(|text| text.trim() != "0")
    });
    now.sources.clear();
    for (endpoint, row) in ranked.endpoints().iter().zip(&tables.endpoints) {
        let name = &endpoint.name;
        if now.endpoint.as_ref() == Some(name) {
            continue;
        }
        now.sources.insert(name.clone(), Ipv6Addr::from_bits(row.source.to_u128()));
        let is_asked = forwards && (now.hops.contains_key(name) || !now.unknown.contains(name));
        if is_asked {
            if let Some(hop) = now.hops.get_mut(name) {
                *hop = hop.within(&row.hop);
            }
            continue;
        }
        if row.hop.interface != 0 {
            now.hops.insert(name.clone(), row.hop);
            now.without.remove(name);
        } else if now.hops.remove(name).is_some() {
            now.without.insert(name.clone(), "it was not known when the config was applied: apply it again".into());
        }
    }
    Ok(now)
}

/// Where a way to an endpoint begins.
struct Route<'a> {
    endpoint: &'a Endpoint,
    next: Neighbour,
    link: &'a Interface,
    /// Its own MTU, where it has one.
    mtu: Option<u32>,
    /// The kernel tells that to a program, too: it is locked, or what a router has said.
    is_told: bool,
    source: Option<Ipv6Addr>,
}

impl Route<'_> {
    /// The longest packet that may be sent.
    fn mtu(&self, whose: For) -> u32 {
        self.mtu.filter(|_| self.is_told || whose != For::Filter).unwrap_or(self.link.mtu)
    }

    /// The hardware address that the config gives.
    fn given(&self) -> Option<[u8; 6]> {
        self.endpoint.mac.map(|mac| mac.0)
    }
}

async fn look(
    handle: &Handle,
    host: &Host,
    others: &[&Endpoint],
    whose: For,
    found: &mut Neighbourhood,
) -> Result<(), Error> {
    let mut routes = Vec::new();
    for endpoint in others {
        match route(handle, host, endpoint).await {
            Some(route) => routes.push(route),
            // Nothing can be sent there: the filter says so for each frame.
            None => {
                found.without.insert(endpoint.name.clone(), format!("no route leads to {}", endpoint.address));
            }
        }
    }
    let known = if whose == For::Config { asked(handle, &routes).await? } else { neighbours::entries(handle).await? };
    let needed: BTreeSet<_> = routes.iter().map(|route| route.next).collect();
    let ours = known.iter().filter(|(_, entry)| entry.is_ours()).map(|(neighbour, _)| *neighbour);
    found.unneeded = ours.filter(|neighbour| !needed.contains(neighbour)).collect();
    for route in routes {
        let mtu = route.mtu(whose);
        let Route { endpoint, next, link, source, .. } = route;
        let name = endpoint.name.clone();
        found.sources.extend(source.map(|source| (name.clone(), source)));
        let to = route.given().or_else(|| known.get(&next)?.mac);
        match (to, link.mac) {
            (Some(to), Some(from)) => {
                found.hops.insert(name, hop(to, from, link.index, mtu));
            }
            (_, None) => {
                found.without.insert(name, format!("{} has no hardware address", link.name));
            }
            (None, Some(_)) => {
                found.unknown.insert(name.clone());
                found.without.insert(name, format!("the neighbour {} on {} does not answer", next.address, link.name));
            }
        }
    }
    Ok(())
}

/// The neighbours, after those of routes that are not known have been asked for, and have had time to answer.
async fn asked(handle: &Handle, routes: &[Route<'_>]) -> Result<BTreeMap<Neighbour, Entry>, Error> {
    let mut known = neighbours::entries(handle).await?;
    let mut is_asked = false;
    for route in routes {
        let (entry, given) = (known.get(&route.next), route.given());
        // The router there has another hardware address than the endpoint.
        if given.is_some() && route.next.address != route.endpoint.address {
            continue;
        }
        if entry.is_some_and(|entry| entry.is_kept(given) && entry.mac.is_some()) {
            continue;
        }
        if entry.is_none_or(Entry::is_free) {
            // Whoever may not, as in a container, has a filter that knows fewer ways.
            match neighbours::keep(handle, route.next, given).await {
                Ok(()) => is_asked = true,
                Err(error) => tracing::warn!(endpoint = route.endpoint.name, %error, "cannot ask for a neighbour"),
            }
        } else if given.is_some() && entry.is_some_and(|entry| entry.mac != given) {
            tracing::warn!(
                endpoint = route.endpoint.name,
                "somebody else keeps another hardware address for {}, which is left alone",
                route.next.address
            );
        }
    }
    let until = Instant::now() + PATIENCE;
    let is_known = |known: &BTreeMap<_, Entry>, route: &Route<'_>| {
        route.given().is_some() || known.get(&route.next).is_some_and(|entry| entry.mac.is_some())
    };
    if !is_asked {
        return Ok(known);
    }
    loop {
        known = neighbours::entries(handle).await?;
        if routes.iter().all(|route| is_known(&known, route)) || Instant::now() >= until {
            return Ok(known);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn route<'a>(handle: &Handle, host: &'a Host, endpoint: &'a Endpoint) -> Option<Route<'a>> {
    let question = RouteMessageBuilder::<Ipv6Addr>::new().destination_prefix(endpoint.address, 128).build();
    let answer: RouteMessage = handle.route().get(question).execute().try_next().await.ok()??;
    // To an address of this host there is a route, and no way.
    if answer.header.kind != RouteType::Unicast {
        return None;
    }
    let mut is_told = answer.header.flags.contains(RouteFlags::Cloned);
    let (mut address, mut interface, mut mtu, mut source) = (endpoint.address, None, None, None);
    for attribute in answer.attributes {
        match attribute {
            RouteAttribute::Gateway(RouteAddress::Inet6(gateway)) => address = gateway,
            RouteAttribute::Oif(index) => interface = Some(index),
            RouteAttribute::PrefSource(RouteAddress::Inet6(address)) => source = Some(address),
            RouteAttribute::Metrics(metrics) => {
                for metric in metrics {
                    match metric {
                        RouteMetric::Mtu(own) if own > 0 => mtu = Some(own),
                        RouteMetric::Lock(locked) => is_told |= locked & MTU_LOCKED != 0,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    let link = host.interfaces.iter().find(|link| Some(link.index) == interface)?;
    Some(Route { endpoint, next: Neighbour { interface: link.index, address }, link, mtu, is_told, source })
}
