//! Endpoints in; which of them this host is, and the ways to the others as routes and neighbours say, out.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use futures_util::TryStreamExt as _;
use rtnetlink::{
    Error, Handle, RouteMessageBuilder,
    packet_route::{
        AddressFamily,
        neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourExtFlags, NeighbourFlags, NeighbourState},
        route::{RouteAddress, RouteAttribute, RouteMessage, RouteMetric},
    },
};
use ssa_common::rows::HopRow;

use super::netlink::{Host, with_netlink};
use crate::{
    config::{Config, Endpoint, Steer},
    plan::ground::Neighbourhood,
};

/// How long is waited for neighbours that nobody has asked for yet.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between two looks at them.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What this host is among the endpoints of a config.
///
/// With `ask`, neighbours that are not known are asked for, and the kernel is told to keep them known (Linux 5.16): the
/// filter cannot ask for itself. Without, nothing is changed.
pub fn find(config: &Config, host: &Host, ask: bool) -> anyhow::Result<Neighbourhood> {
    let own = own(config, host).map(|endpoint| endpoint.name.clone());
    let mut found = Neighbourhood { endpoint: own, ..Neighbourhood::default() };
    let steers = |steer| config.services.iter().any(|service| service.steer == steer && service.slice_bits > 0);
    // Routes alone need no way of ours, but for the connections of slices that move.
    if config.endpoints.is_empty() || found.endpoint.is_none() && !steers(Steer::L2) && !steers(Steer::Ip6ip6) {
        return Ok(found);
    }
    let others: Vec<_> = config.endpoints.iter().filter(|other| Some(&other.name) != found.endpoint.as_ref()).collect();
    (found.hops, found.sources) = with_netlink(async |handle| hops(handle, host, &others, ask).await)
        .context("cannot ask for the ways to the endpoints")?;
    Ok(found)
}

/// The endpoint that this host is.
fn own<'a>(config: &'a Config, host: &Host) -> Option<&'a Endpoint> {
    let is_own = |endpoint: &&Endpoint| match &config.host.endpoint {
        Some(name) => endpoint.name == *name,
        None => host.addresses.iter().any(|(_, address)| *address == endpoint.address),
    };
    config.endpoints.iter().find(is_own)
}

/// Where a way to an endpoint begins.
struct Route<'a> {
    endpoint: &'a Endpoint,
    next: Ipv6Addr,
    interface: u32,
    mtu: Option<u32>,
    source: Option<Ipv6Addr>,
}

/// The ways, and the addresses of this host at their beginnings, by the names of the endpoints.
type Ways = (BTreeMap<String, HopRow>, BTreeMap<String, Ipv6Addr>);

async fn hops(handle: &Handle, host: &Host, others: &[&Endpoint], ask: bool) -> Result<Ways, Error> {
    let mut routes = Vec::new();
    for endpoint in others {
        // An endpoint that no route leads to is one that nothing can be sent to: the filter says so for each frame.
        routes.extend(route(handle, endpoint).await);
    }
    let until = Instant::now() + PATIENCE;
    let mut asked = !ask;
    loop {
        let known = neighbours(handle).await?;
        let is_known = |route: &Route<'_>| known.contains_key(&(route.interface, route.next));
        if asked && (!ask || routes.iter().all(is_known) || Instant::now() >= until) {
            let hop = |route: &Route<'_>| {
                let destination = route.endpoint.mac.map(|mac| mac.0);
                let destination = destination.or_else(|| known.get(&(route.interface, route.next)).copied())?;
                let link = host.interfaces.iter().find(|link| link.index == route.interface)?;
                let row = row(destination, link.mac?, link.index, route.mtu.unwrap_or(link.mtu));
                Some((route.endpoint.name.clone(), row))
            };
            let source = |route: &Route<'_>| Some((route.endpoint.name.clone(), route.source?));
            return Ok((routes.iter().filter_map(hop).collect(), routes.iter().filter_map(source).collect()));
        }
        if !asked {
            for route in &routes {
                if route.endpoint.mac.is_some() || !is_known(route) {
                    // Whoever may not, as in a container, has a filter that knows fewer ways.
                    if let Err(error) = keep_known(handle, route).await {
                        tracing::warn!(endpoint = route.endpoint.name, %error, "cannot ask for a neighbour");
                    }
                }
            }
            asked = true;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn row(destination: [u8; 6], source: [u8; 6], interface: u32, mtu: u32) -> HopRow {
    let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (destination, source);
    HopRow {
        link: u64::from_ne_bytes([a, b, c, d, e, f, g, h]),
        link_end: u32::from_ne_bytes([i, j, k, l]),
        interface,
        mtu,
        ..HopRow::default()
    }
}

async fn route<'a>(handle: &Handle, endpoint: &'a Endpoint) -> Option<Route<'a>> {
    let question = RouteMessageBuilder::<Ipv6Addr>::new().destination_prefix(endpoint.address, 128).build();
    let answer: RouteMessage = handle.route().get(question).execute().try_next().await.ok()??;
    let (mut next, mut interface, mut mtu, mut source) = (endpoint.address, None, None, None);
    for attribute in answer.attributes {
        match attribute {
            RouteAttribute::Gateway(RouteAddress::Inet6(gateway)) => next = gateway,
            RouteAttribute::Oif(index) => interface = Some(index),
            RouteAttribute::PrefSource(RouteAddress::Inet6(address)) => source = Some(address),
            RouteAttribute::Metrics(metrics) => {
                mtu = metrics.iter().find_map(|metric| match metric {
                    RouteMetric::Mtu(mtu) if *mtu > 0 => Some(*mtu),
                    _ => None,
                });
            }
            _ => {}
        }
    }
    Some(Route { endpoint, next, interface: interface?, mtu, source })
}

/// The neighbours whose hardware address is known.
async fn neighbours(handle: &Handle) -> Result<BTreeMap<(u32, Ipv6Addr), [u8; 6]>, Error> {
    let mut known = BTreeMap::new();
    let mut neighbours = handle.neighbours().get().execute();
    while let Some(neighbour) = neighbours.try_next().await? {
        if neighbour.header.family != AddressFamily::Inet6
            || matches!(neighbour.header.state, NeighbourState::Failed | NeighbourState::Incomplete)
        {
            continue;
        }
        let (mut address, mut mac) = (None, None);
        for attribute in neighbour.attributes {
            match attribute {
                NeighbourAttribute::Destination(NeighbourAddress::Inet6(found)) => address = Some(found),
                NeighbourAttribute::LinkLayerAddress(octets) => mac = octets.try_into().ok(),
                _ => {}
            }
        }
        known.extend(address.zip(mac).map(|(address, mac)| ((neighbour.header.ifindex, address), mac)));
    }
    Ok(known)
}

/// Asks for a neighbour, and lets the kernel keep it; or notes the address that the config gives.
async fn keep_known(handle: &Handle, route: &Route<'_>) -> Result<(), Error> {
    let add = || handle.neighbours().add(route.interface, IpAddr::V6(route.next)).replace();
    if let Some(mac) = route.endpoint.mac {
        return add().state(NeighbourState::Permanent).link_layer_address(&mac.0).execute().await;
    }
    let mut kept = add().state(NeighbourState::None).flags(NeighbourFlags::Use);
    kept.message_mut().attributes.push(NeighbourAttribute::ExtFlags(NeighbourExtFlags::Managed));
    match kept.execute().await {
        Ok(()) => Ok(()),
        // Older kernels do not keep them, but they ask.
        Err(_) => add().state(NeighbourState::None).flags(NeighbourFlags::Use).execute().await,
    }
}
