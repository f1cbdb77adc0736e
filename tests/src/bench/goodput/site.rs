//! Two cores in; a host with a service, and a client on the other end of its wire, out.

use std::{
    net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    process,
    time::Duration,
};

use anyhow::{Context as _, Result};

use super::talk;
use crate::{
    bench::napi::Napi,
    net::{Interface, Namespace, address, interface, neighbour, route, veth},
};

/// The service's prefix, of /64, which the host takes for its own (AnyIP).
pub(super) const PREFIX: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xac10, 0xfe01, 0, 0, 0, 0);
/// Its rule.
pub(super) const RULE: &str = "src(16):32 any:*";
/// The client, and what the rule gives it: bits 16 to 47 of its address come after the prefix.
pub(super) const CLIENT: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x1001, 0, 0, 0, 0, 0x10);
pub(super) const CALLED: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xac10, 0xfe01, 0xdb8, 0x1001, 0, 1);
pub(super) const HOST: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x1001, 0, 0, 0, 0, 1);
/// Nothing is on the wire when a client connects.
const PATIENCE: Duration = Duration::from_secs(10);
/// Who waits for the other end looks this often whether it is time to go.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A wire with a host and a client, each on a core of its own. The flood comes over the client's end.
pub(super) struct Site {
    pub(super) host: Namespace,
    pub(super) client: Namespace,
    /// The host's interface.
    pub(super) name: String,
    pub(super) at_host: Interface,
    pub(super) at_client: Interface,
    /// The core of client and flood, and that of the host.
    pub(super) cores: [usize; 2],
    /// What the server computes for an answer.
    pub(super) steps: u32,
    listener: TcpListener,
    _polled: [Napi; 2],
}

impl Site {
    pub(super) fn build(cores: [usize; 2]) -> Result<Self> {
        let (host, client) = (Namespace::new("host")?, Namespace::new("client")?);
        let [name, peer] = ["h", "c"].map(|end| format!("g{}{end}", process::id()));
        veth((&host, &name), (&client, &peer))?;
        for end in [(&host, &name), (&client, &peer)] {
            // What might be cut into segments by its receiver would go around the thread that polls.
            end.0.run("ethtool", ["-K", end.1, "tso", "off"])?;
        }
        let polled = [Napi::start(&client, &peer, cores[0])?, Napi::start(&host, &name, cores[1])?];
        let (at_host, at_client) = (interface(&host, &name)?, interface(&client, &peer)?);

        address(&host, &name, &format!("{HOST}/64"))?;
        address(&client, &peer, &format!("{CLIENT}/64"))?;
        // Nobody needs to ask for an address while there is a flood.
        neighbour(&host, &name, &CLIENT.to_string(), at_client.mac)?;
        neighbour(&client, &peer, &HOST.to_string(), at_host.mac)?;
        route(&client, &[&format!("{PREFIX}/64"), "via", &HOST.to_string()])?;
        route(&host, &["local", &format!("{PREFIX}/64"), "dev", "lo"])?;
        // Answers to the flood have nowhere to go.
        route(&host, &["blackhole", "default"])?;
        let listener = host.enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)))?;
        let listener = listener.context("the server cannot listen")?;
        Ok(Self { host, client, name, at_host, at_client, cores, steps: talk::steps(), listener, _polled: polled })
    }

    /// A connection of the client's to the service: its end and the server's.
    pub(super) fn connect(&self) -> Result<[TcpStream; 2]> {
        let to = SocketAddr::from((CALLED, self.listener.local_addr()?.port()));
        let ours = self.client.enter(|| TcpStream::connect_timeout(&to, PATIENCE))?;
        let ours = ours.context("the client cannot connect")?;
        let (theirs, _) = self.listener.accept().context("the server cannot accept")?;
        for end in [&ours, &theirs] {
            end.set_nodelay(true)?;
            end.set_read_timeout(Some(LOOK_EVERY))?;
        }
        Ok([ours, theirs])
    }
}
