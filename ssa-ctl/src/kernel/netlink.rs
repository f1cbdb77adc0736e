//! What the host has: interfaces with their XDP programs, and addresses. Asked by netlink, once a command; what drivers do
//! is asked of each.

use std::net::{IpAddr, Ipv6Addr};

use anyhow::Context as _;
use futures_util::TryStreamExt as _;
use rtnetlink::{
    Error, Handle, new_connection,
    packet_route::{
        AddressFamily,
        address::AddressAttribute,
        link::{LinkAttribute, LinkMessage, LinkXdp, XdpAttached},
    },
};

use crate::config::Mode;

/// An interface of this network namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its hardware address, where it has one of Ethernet.
    pub mac: Option<[u8; 6]>,
    /// Largest packet in octets, link header not counted.
    pub mtu: u32,
    /// The XDP program that runs on it, whoever attached it.
    pub program: Option<(u32, Mode)>,
}

impl Interface {
    /// Whether the interface takes VLAN tags off received frames before a program sees them, where it says so.
    pub fn strips_vlan_tags(&self) -> Option<bool> {
        super::sys::strips_vlan_tags(&self.name).ok()
    }

    /// The name of its driver, where it has one that says so.
    pub fn driver(&self) -> Option<String> {
        let link = std::fs::read_link(format!("/sys/class/net/{}/device/driver", self.name)).ok()?;
        Some(link.file_name()?.to_string_lossy().into_owned())
    }
}

/// The interfaces and IPv6 addresses of this network namespace.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// Interfaces.
    pub interfaces: Vec<Interface>,
    /// Addresses, with the number of their interface.
    pub addresses: Vec<(u32, Ipv6Addr)>,
}

impl Host {
    /// Asks the kernel.
    pub fn ask() -> anyhow::Result<Self> {
        with_netlink(ask).context("cannot ask for interfaces and addresses")
    }

    /// The interface of this name.
    pub fn interface(&self, name: &str) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == name)
    }
}

/// Does the work with a netlink socket. What the kernel refuses is a [`std::io::Error`].
pub(super) fn with_netlink<T>(work: impl AsyncFnOnce(&Handle) -> Result<T, Error>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (connection, handle, _) = new_connection().context("cannot open a netlink socket")?;
        let connection = tokio::spawn(connection);
        let result = work(&handle).await;
        connection.abort();
        result.map_err(|error| match error {
            Error::NetlinkError(message) => message.to_io().into(),
            other => other.into(),
        })
    })
}

async fn ask(handle: &Handle) -> Result<Host, Error> {
    let mut host = Host::default();
    let mut links = handle.link().get().execute();
    while let Some(link) = links.try_next().await? {
        host.interfaces.push(interface(link));
    }
    let mut addresses = handle.address().get().execute();
    while let Some(message) = addresses.try_next().await? {
        if message.header.family != AddressFamily::Inet6 {
            continue;
        }
        host.addresses.extend(message.attributes.into_iter().filter_map(|attribute| match attribute {
            AddressAttribute::Address(IpAddr::V6(address)) => Some((message.header.index, address)),
            _ => None,
        }));
    }
    Ok(host)
}

fn interface(link: LinkMessage) -> Interface {
    let mut interface = Interface { index: link.header.index, name: String::new(), mac: None, mtu: 0, program: None };
    for attribute in link.attributes {
        match attribute {
            LinkAttribute::IfName(name) => interface.name = name,
            LinkAttribute::Address(octets) => interface.mac = octets.try_into().ok(),
            LinkAttribute::Mtu(mtu) => interface.mtu = mtu,
            LinkAttribute::Xdp(about) => interface.program = program(&about),
            _ => {}
        }
    }
    interface
}

fn program(about: &[LinkXdp]) -> Option<(u32, Mode)> {
    let id = about.iter().find_map(|attribute| match attribute {
        LinkXdp::ProgId(id) => Some(*id),
        _ => None,
    })?;
    let generic = about.iter().any(|attribute| matches!(attribute, LinkXdp::Attached(XdpAttached::SocketBuffer)));
    Some((id, if generic { Mode::Generic } else { Mode::Native }))
}
