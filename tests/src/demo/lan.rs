//! Names and addresses in; hosts on one switch, each in a namespace of its own, out.

use std::{fs, net::Ipv6Addr};

use anyhow::{Context as _, Result};

use crate::{
    bench::Program,
    net::{Bridge, Namespace, address},
};

/// Of `linux/bpf.h`.
const XDP_PASS: i32 = 2;
/// The interface of every host: what is the same everywhere can have the same config everywhere.
pub(super) const UPLINK: &str = "up0";

/// The switch. Hosts outlive it or not, as they like.
pub(super) struct Lan {
    program: Program,
    switch: Bridge,
}

impl Lan {
    pub(super) fn new() -> Result<Self> {
        Ok(Self { program: Program::answering(XDP_PASS)?, switch: Bridge::new("switch")? })
    }

    /// A host with this address.
    pub(super) fn host(&mut self, name: &str, own: Ipv6Addr) -> Result<Namespace> {
        let namespace = Namespace::new(name)?;
        let port = format!("to-{name}");
        self.switch.port(&port, (&namespace, UPLINK))?;
        // What is for a host that is gone goes nowhere: sent to all, each filter would send it on to that host again.
        self.switch.namespace.ip(&["link", "set", "dev", &port, "type", "bridge_slave", "flood", "off"])?;
        // A veth takes what XDP sends back to it only where it has a program itself (Linux 6.18).
        self.program.attach(&self.switch.namespace, &port)?;
        address(&namespace, UPLINK, &format!("{own}/64"))?;
        Ok(namespace)
    }
}

/// An address on the LAN.
pub(super) const fn lan(host: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, 0xe, 0, 0, 0, 0, host)
}

/// Switches a setting of IPv6 on.
pub(super) fn set(namespace: &Namespace, setting: &str) -> Result<()> {
    let path = format!("/proc/sys/net/ipv6/{setting}");
    namespace.enter(|| fs::write(&path, "1"))?.with_context(|| format!("cannot write {path}"))
}
