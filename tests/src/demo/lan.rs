//! Names and addresses in; hosts on one LAN, each in a namespace of its own, out.

use std::{fs, net::Ipv6Addr};

use anyhow::{Context as _, Result};

use super::site::UPLINK;
use crate::{
    bench::Program,
    net::{Bridge, Namespace, address},
};

/// Of `linux/bpf.h`.
const XDP_PASS: i32 = 2;

/// A switch whose ports take what XDP sends.
pub(super) struct Lan {
    program: Program,
    switch: Bridge,
}

impl Lan {
    /// One without hosts, in a namespace of this label.
    pub(super) fn new(label: &str) -> Result<Self> {
        Ok(Self { program: Program::answering(XDP_PASS)?, switch: Bridge::new(label)? })
    }

    /// A host on it, of a name and in a namespace of a label. What is the same everywhere can have the same config
    /// everywhere: the interface of every host is [`UPLINK`].
    pub(super) fn host(&mut self, label: &str, name: &str, own: Ipv6Addr) -> Result<Namespace> {
        let namespace = Namespace::new(label)?;
        self.port(name, (&namespace, UPLINK), own)?;
        Ok(namespace)
    }

    /// A wire to an interface of a host that is there.
    pub(super) fn port(&mut self, name: &str, host: (&Namespace, &str), own: Ipv6Addr) -> Result<()> {
        let port = format!("to-{name}");
        self.switch.port(&port, host)?;
        // What is for a host that is gone goes nowhere: sent to all, each filter would send it on to that host again.
        self.switch.namespace.ip(&["link", "set", "dev", &port, "type", "bridge_slave", "flood", "off"])?;
        // A veth takes what XDP sends back to it only where it has a program itself (Linux 6.18).
        self.program.attach(&self.switch.namespace, &port)?;
        address(host.0, host.1, &format!("{own}/64"))
    }
}

/// Switches a setting of IPv6 on.
pub(super) fn set(namespace: &Namespace, setting: &str) -> Result<()> {
    let path = format!("/proc/sys/net/ipv6/{setting}");
    namespace.enter(|| fs::write(&path, "1"))?.with_context(|| format!("cannot write {path}"))
}
