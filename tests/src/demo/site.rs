//! Nothing in; a router, a cluster host behind the filter, and three senders, each in a namespace of its own, out.

use std::{fs, net::Ipv6Addr, path::PathBuf};

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use super::{control::Control, server, tell::Tell};
use crate::{
    net::{Namespace, PinRoot, address, route, scratch, veth},
    stop::Stop,
};

/// The service's prefix, of /64.
pub(super) const PREFIX: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xac10, 0xfe01, 0, 0, 0, 0);
/// Where its server listens.
pub(super) const PORT: u16 = 443;
/// The client that follows the rule.
pub(super) const CLIENT: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x1001, 0, 0, 0, 0, 0x10);
/// The client that does not.
pub(super) const STRANGER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x2002, 0, 0, 0, 0, 0x20);

const FLOODER: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x3003, 0, 0, 0, 0, 0x30);
const HOST: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x2);

/// The interface of a host, and the one of the router towards the flooder.
pub(super) const UPLINK: &str = "up0";
const TO_FLOODER: &str = "to-flooder";

/// All that was built. The order is that of taking it down: first the filter, last the namespaces.
pub(super) struct Site {
    pub(super) control: Control,
    pub(super) folder: TempDir,
    pub(super) router: Namespace,
    pub(super) client: Namespace,
    pub(super) stranger: Namespace,
    pub(super) flooder: Namespace,
}

impl Site {
    pub(super) fn build(ssa_ctl: PathBuf, stop: &Stop) -> Result<Self> {
        let folder = scratch().context("no folder for the config")?;
        let router = Namespace::new("router")?;
        router.enter(|| fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1"))?.context("no forwarding")?;
        // The rest of the world takes answers to spoofed sources, and says nothing.
        route(&router, &["blackhole", "default"])?;
        let attach = |label, interface, own| {
            stop.check()?;
            host(&router, label, interface, own)
        };
        let cluster = attach("cluster", "to-cluster", HOST)?;
        let client = attach("client", "to-client", CLIENT)?;
        let stranger = attach("stranger", "to-stranger", STRANGER)?;
        let flooder = attach("flooder", TO_FLOODER, FLOODER)?;

        let prefix = format!("{PREFIX}/64");
        route(&router, &[&prefix, "via", &HOST.to_string()])?;
        // AnyIP: the host takes every address of the prefix for its own.
        route(&cluster, &["local", &prefix, "dev", "lo"])?;
        server::start(&cluster)?;
        let control = Control::new(ssa_ctl, cluster, PinRoot::new());
        Ok(Self { control, folder, router, client, stranger, flooder })
    }

    /// The hardware address that the flooder sends to.
    pub(super) fn router_mac(&self) -> Result<[u8; 6]> {
        crate::net::interface(&self.router, TO_FLOODER).map(|interface| interface.mac)
    }
}

/// What a person needs to know before it begins.
pub(super) fn introduce(tell: Tell) {
    tell.sentence(&format!(
        "The service is no single address but all of {PREFIX}/64. A rule says which of its 2^64 addresses a client \
             may use. A host with a TCP server takes the whole prefix; in front of its stack an XDP program compares \
             each packet with the rule and keeps no list of connections. Everything runs in network namespaces of \
             this machine, with real packets and real TCP:"
    ));
    tell.print(&format!(
        "\n  client    {CLIENT}  asks ssa-ctl for an address\n  \
               stranger  {STRANGER}  guesses addresses            ->  router  ->  filter  ->  server\n  \
               flooder   any source it likes  sends what it likes\n"
    ));
}

/// A host with an uplink to the router, in a /64 of its own.
fn host(router: &Namespace, label: &str, interface: &str, own: Ipv6Addr) -> Result<Namespace> {
    let namespace = Namespace::new(label)?;
    let gateway = Ipv6Addr::from_bits(own.to_bits() & !0xffff | 1);
    veth((&namespace, UPLINK), (router, interface))?;
    address(&namespace, UPLINK, &format!("{own}/64"))?;
    address(router, interface, &format!("{gateway}/64"))?;
    route(&namespace, &["default", "via", &gateway.to_string()])?;
    Ok(namespace)
}
