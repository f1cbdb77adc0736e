//! Features in; the program of xdp-filter out, loaded with them on an interface of its own, with one address on its list.

use std::net::Ipv6Addr;

use anyhow::{Context as _, Result};
use aya::programs::{ProgramFd, loaded_programs};
use serde_json::Value;

use crate::{
    bench::xdp_filter::XdpFilter,
    net::{Namespace, veth},
};

const INTERFACE: &str = "filtered0";

/// xdp-filter, in force until dropped.
pub(super) struct Peer {
    /// The program that the interface runs.
    pub(super) program: ProgramFd,
    // In this order.
    _filter: XdpFilter,
    _namespace: Namespace,
}

impl Peer {
    /// Loads it with these features, and lists a destination.
    pub(super) fn load(features: &str, listed: Ipv6Addr) -> Result<Self> {
        let namespace = Namespace::new("xdp-filter")?;
        veth((&namespace, INTERFACE), (&namespace, "other0"))?;
        let filter = XdpFilter::load(&namespace, INTERFACE, features, listed)?;
        Ok(Self { program: running(&namespace)?, _filter: filter, _namespace: namespace })
    }
}

/// The program that the interface runs: xdp-filter's own, or a dispatcher that calls it.
fn running(namespace: &Namespace) -> Result<ProgramFd> {
    let said = namespace.ip(&["-json", "link", "show", "dev", INTERFACE])?;
    let links: Value = serde_json::from_str(&said).context("ip does not write JSON")?;
    let id = links[0]["xdp"]["prog"]["id"].as_u64().context("the interface runs no XDP program")?;
    let mut programs = loaded_programs().filter_map(Result::ok);
    let program = programs.find(|program| u64::from(program.id()) == id).context("the interface's program is gone")?;
    Ok(program.fd()?)
}
