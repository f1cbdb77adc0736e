//! Prefixes in; the routes that make this host take all their addresses (AnyIP), read, added and removed, out.

use std::{io, net::Ipv6Addr};

use anyhow::Context as _;
use futures_util::TryStreamExt as _;
use ipnet::Ipv6Net;
use rtnetlink::{
    Error, Handle, RouteMessageBuilder,
    packet_route::route::{RouteAddress, RouteAttribute, RouteMessage, RouteProtocol, RouteType},
};

use super::netlink::with_netlink;
use crate::failure::{Code, Failure};

/// What our routes say of who made them (`rtm_protocol`).
pub const OURS: u8 = 250;
/// `RT_TABLE_LOCAL`: the table that is asked first.
const LOCAL_TABLE: u8 = 255;
/// The interface of the routes.
const LOOPBACK: &str = "lo";

/// A route by which this host takes every address of a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Local {
    /// The prefix.
    pub prefix: Ipv6Net,
    /// Who made it: [`OURS`], or another number of `/etc/iproute2/rt_protos`.
    pub protocol: u8,
}

/// The routes of this network namespace by which it takes whole prefixes.
pub fn local() -> anyhow::Result<Vec<Local>> {
    with_netlink(async |handle| {
        let all = RouteMessageBuilder::<Ipv6Addr>::new().build();
        let mut routes = handle.route().get(all).execute();
        let mut found = Vec::new();
        while let Some(route) = routes.try_next().await? {
            found.extend(prefix_of(&route).map(|prefix| Local { prefix, protocol: route.header.protocol.into() }));
        }
        Ok(found)
    })
    .context("cannot ask for routes")
}

/// Adds our route of a prefix, and none where there is one already.
pub fn add(prefix: Ipv6Net) -> Result<(), Failure> {
    change(prefix, "add", async |handle, route| handle.route().add(route).execute().await)
}

/// Removes our route of a prefix, and nobody else's.
pub fn remove(prefix: Ipv6Net) -> Result<(), Failure> {
    change(prefix, "remove", async |handle, route| handle.route().del(route).execute().await)
}

fn change(
    prefix: Ipv6Net,
    what: &str,
    work: impl AsyncFnOnce(&Handle, RouteMessage) -> Result<(), Error>,
) -> Result<(), Failure> {
    let changed = with_netlink(async |handle| work(handle, route(handle, prefix).await?).await);
    let Err(error) = changed else { return Ok(()) };
    let number = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
    let failure = Failure::from(error.context(format!("cannot {what} the route local {prefix} dev {LOOPBACK}")));
    Err(match number {
        Some(libc::EPERM) => failure.code(Code::NotPermitted).hint("changing routes takes CAP_NET_ADMIN"),
        Some(libc::ENETDOWN | libc::ENETUNREACH) => failure.hint("raise the interface: ip link set lo up"),
        _ => failure,
    })
}

/// The message that is the route, for adding it and for removing it.
async fn route(handle: &Handle, prefix: Ipv6Net) -> Result<RouteMessage, Error> {
    let mut links = handle.link().get().match_name(LOOPBACK).execute();
    let loopback = links.try_next().await?.map_or(1, |link| link.header.index);
    Ok(RouteMessageBuilder::<Ipv6Addr>::new()
        .table_id(LOCAL_TABLE.into())
        .kind(RouteType::Local)
        .protocol(RouteProtocol::from(OURS))
        .destination_prefix(prefix.network(), prefix.prefix_len())
        .output_interface(loopback)
        .build())
}

/// The prefix of a route that takes one; addresses of interfaces are none.
fn prefix_of(route: &RouteMessage) -> Option<Ipv6Net> {
    let header = &route.header;
    if header.kind != RouteType::Local || header.table != LOCAL_TABLE {
        return None;
    }
    route.attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Destination(RouteAddress::Inet6(address)) => {
            Ipv6Net::new(*address, header.destination_prefix_length).ok()
        }
        _ => None,
    })
}
