//! Neighbour entries of this network namespace in; what they say, and ours among them kept and taken away, out.
//!
//! The kernel holds who made an entry, and so there is no other record of ours: by the number (`NDA_PROTOCOL`), and by what
//! the entry is. It leaves the number as it is when somebody else writes over an entry without one of his own: so one that
//! we let the kernel keep and one that we have made permanent have numbers of their own, and one of ours that an operator
//! makes permanent is the operator's.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv6Addr},
};

use anyhow::Context as _;
use futures_util::TryStreamExt as _;
use rtnetlink::{
    Error, Handle,
    packet_route::{
        AddressFamily,
        neighbour::{
            NeighbourAddress, NeighbourAttribute, NeighbourExtFlags, NeighbourFlags, NeighbourMessage, NeighbourState,
        },
        route::RouteProtocol,
    },
};

use super::netlink::with_netlink;
use crate::plan::ways::Neighbour;

/// The number of our entries that the kernel keeps known.
const KEPT: u8 = 250;
/// The number of our permanent ones, whose hardware address the config gives.
const GIVEN: u8 = 251;

/// A neighbour entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// The hardware address, where it is known.
    pub(super) mac: Option<[u8; 6]>,
    state: NeighbourState,
    /// The kernel keeps it known.
    managed: bool,
    /// Somebody keeps it that learns neighbours otherwise.
    learned: bool,
    protocol: u8,
}

impl Entry {
    /// Whether it is one of ours.
    pub(super) fn is_ours(&self) -> bool {
        match self.protocol {
            KEPT => self.is_cached(),
            GIVEN => self.state == NeighbourState::Permanent,
            _ => false,
        }
    }

    /// Whether it may be written over: it is one of ours, or the kernel has it for itself and nobody keeps it.
    pub(super) fn is_free(&self) -> bool {
        self.is_ours() || self.protocol == 0 && !self.managed && self.is_cached()
    }

    /// Whether it is as [`keep`] would make it.
    pub(super) fn is_kept(&self, given: Option<[u8; 6]>) -> bool {
        self.is_ours() && if given.is_some() { self.mac == given && self.protocol == GIVEN } else { self.managed }
    }

    fn is_cached(&self) -> bool {
        !self.learned && !matches!(self.state, NeighbourState::Permanent | NeighbourState::Noarp)
    }
}

/// All entries.
pub(super) async fn entries(handle: &Handle) -> Result<BTreeMap<Neighbour, Entry>, Error> {
    let mut entries = BTreeMap::new();
    let mut neighbours = handle.neighbours().get().execute();
    while let Some(NeighbourMessage { header, attributes, .. }) = neighbours.try_next().await? {
        if header.family != AddressFamily::Inet6 {
            continue;
        }
        let learned = header.flags.contains(NeighbourFlags::ExtLearned);
        let mut entry = Entry { mac: None, state: header.state, managed: false, learned, protocol: 0 };
        let mut address = None;
        for attribute in attributes {
            match attribute {
                NeighbourAttribute::Destination(NeighbourAddress::Inet6(found)) => address = Some(found),
                NeighbourAttribute::LinkLayerAddress(octets) => entry.mac = octets.try_into().ok(),
                NeighbourAttribute::ExtFlags(flags) => entry.managed = flags.contains(NeighbourExtFlags::Managed),
                NeighbourAttribute::Protocol(protocol) => entry.protocol = protocol.into(),
                _ => {}
            }
        }
        // What the kernel still asks for, or has asked for in vain, may have an address of before.
        if matches!(header.state, NeighbourState::Failed | NeighbourState::Incomplete | NeighbourState::None) {
            entry.mac = None;
        }
        entries.extend(address.map(|address| (Neighbour { interface: header.ifindex, address }, entry)));
    }
    Ok(entries)
}

/// Asks for a neighbour, and lets the kernel keep it (Linux 5.16); or notes the hardware address that is given.
pub(super) async fn keep(handle: &Handle, neighbour: Neighbour, given: Option<[u8; 6]>) -> Result<(), Error> {
    let add = |protocol: u8| {
        let mut add = handle.neighbours().add(neighbour.interface, IpAddr::V6(neighbour.address)).replace();
        add.message_mut().attributes.push(NeighbourAttribute::Protocol(RouteProtocol::from(protocol)));
        add
    };
    if let Some(mac) = given {
        return add(GIVEN).state(NeighbourState::Permanent).link_layer_address(&mac).execute().await;
    }
    let asked = || add(KEPT).state(NeighbourState::None).flags(NeighbourFlags::Use);
    let mut kept = asked();
    kept.message_mut().attributes.push(NeighbourAttribute::ExtFlags(NeighbourExtFlags::Managed));
    match kept.execute().await {
        Ok(()) => Ok(()),
        // Older kernels do not keep them, but they ask.
        Err(_) => asked().execute().await,
    }
}

/// All entries of ours.
pub fn ours() -> anyhow::Result<Vec<Neighbour>> {
    with_netlink(async |handle| {
        let entries = entries(handle).await?;
        Ok(entries.into_iter().filter(|(_, entry)| entry.is_ours()).map(|(neighbour, _)| neighbour).collect())
    })
    .context("cannot ask for neighbours")
}

/// Takes away all entries of ours; which they were.
pub fn forget_all() -> anyhow::Result<Vec<Ipv6Addr>> {
    let ours = ours()?;
    forget(&ours)?;
    Ok(ours.into_iter().map(|neighbour| neighbour.address).collect())
}

/// Takes away these entries, where they are still there.
pub fn forget(neighbours: &[Neighbour]) -> anyhow::Result<()> {
    for neighbour in neighbours {
        let mut message = NeighbourMessage::default();
        message.header.family = AddressFamily::Inet6;
        message.header.ifindex = neighbour.interface;
        message.attributes.push(NeighbourAttribute::Destination(NeighbourAddress::Inet6(neighbour.address)));
        let removed = with_netlink(async |handle| handle.neighbours().del(message).execute().await);
        if let Err(error) = removed {
            let number = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error);
            // It went by itself, or with its interface.
            if !matches!(number, Some(libc::ENOENT | libc::ENODEV)) {
                return Err(error.context(format!("cannot remove the neighbour entry of {}", neighbour.address)));
            }
        }
    }
    Ok(())
}
