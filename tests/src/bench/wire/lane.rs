//! A label in; a wire from the sender to a namespace of its own, and what was counted at its end, out.

use std::{
    fs,
    net::Ipv6Addr,
    process,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context as _, Result};

use crate::{
    bench::{self, napi::Napi},
    net::{Interface, Namespace, interface, route, veth},
};

/// The service's prefix, of /64, which every receiver takes for its own (AnyIP).
pub(super) const PREFIX: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xac10, 0xfe01, 0, 0, 0, 0);

/// The receiver has judged all frames within this, or hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// A receiver, with one interface and one thread that polls it.
pub(super) struct Lane {
    pub(super) namespace: Namespace,
    /// The receiver's interface.
    pub(super) name: String,
    pub(super) receiver: Interface,
    /// The sender's end.
    pub(super) sender: Interface,
    pub(super) napi: Napi,
}

impl Lane {
    /// Lays a wire from the sender's namespace. Kernel threads are named after interfaces: no two have one name.
    pub(super) fn new(sender: &Namespace, label: &str, core: usize) -> Result<Self> {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let name = format!("w{}n{}", process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let namespace = Namespace::new(label)?;
        veth((&namespace, &name), (sender, &name))?;
        route(&namespace, &["local", &format!("{PREFIX}/64"), "dev", "lo"])?;
        // What answers go out by. There is nobody to take them.
        route(&namespace, &["blackhole", "default"])?;
        let napi = Napi::start(&namespace, &name, core)?;
        let (receiver, sender) = (interface(&namespace, &name)?, interface(sender, &name)?);
        Ok(Self { namespace, name, receiver, sender, napi })
    }

    /// Frames that came over the wire, whatever became of them.
    pub(super) fn received(&self) -> Result<u64> {
        let text = self.read("/proc/thread-self/net/dev")?;
        let mut lines = text.lines().filter_map(|line| line.trim().strip_prefix(&self.name));
        // octets, packets, …
        let packets = lines.next().and_then(|line| line.split_whitespace().nth(2)?.parse().ok());
        packets.with_context(|| format!("/proc/net/dev does not count what {} received", self.name))
    }

    /// Frames that an XDP program dropped, as the driver counts.
    pub(super) fn dropped_by_xdp(&self) -> Result<u64> {
        let said = self.namespace.run("ethtool", ["-S", &self.name])?;
        let counts = said.lines().filter_map(|line| line.trim().strip_prefix("rx_queue_"));
        let drops = counts.filter_map(|line| line.split_once("_xdp_drops: ")?.1.parse::<u64>().ok());
        Ok(drops.sum())
    }

    /// UDP packets that reached the stack and no socket.
    pub(super) fn for_no_port(&self) -> Result<u64> {
        let text = self.read("/proc/thread-self/net/snmp6")?;
        let count = text.lines().find_map(|line| line.strip_prefix("Udp6NoPorts")?.trim().parse().ok());
        count.context("/proc/net/snmp6 does not count packets to no port")
    }

    /// Waits until the receiver has nothing more to do.
    pub(super) fn settle(&self, context: &bench::Context) -> Result<()> {
        let mut before = None;
        context.wait_until("the receiver to have judged all frames", PATIENCE, || {
            let now = self.napi.run_time().ok();
            std::mem::replace(&mut before, now) == now
        })
    }

    fn read(&self, path: &str) -> Result<String> {
        self.namespace.enter(|| fs::read_to_string(path))?.with_context(|| format!("cannot read {path}"))
    }
}
