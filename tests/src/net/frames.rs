//! Frames in, onto the wire as they are; frames from the wire out.

use std::{io, os::fd::AsRawFd as _, os::fd::OwnedFd, time::Duration};

use anyhow::{Context as _, Result};
use nix::{ifaddrs::getifaddrs, sys::socket};
use rustix::net::{
    AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType, recv, send, socket_with,
    sockopt::{Timeout, set_socket_timeout},
};

use super::Namespace;

/// `ETH_P_ALL` of `linux/if_ether.h`, in network order as packet(7) wants it.
const ALL_PROTOCOLS: u32 = 0x0003_u16.to_be() as u32;
/// The longest frame that is received whole.
const LONGEST: usize = 65_536;

/// A raw socket on one interface of a namespace (packet(7)).
#[derive(Debug)]
pub struct FrameSocket(OwnedFd);

impl FrameSocket {
    /// Opens one.
    pub fn open(namespace: &Namespace, interface: &str) -> Result<Self> {
        let opened = namespace.enter(|| open(interface))?;
        opened.with_context(|| format!("no raw socket on {interface} of {}", namespace.name()))
    }

    /// Sends a frame, Ethernet header included.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        send(&self.0, frame, SendFlags::empty())?;
        Ok(())
    }

    /// The next frame, one's own too; none where none comes within `longest`.
    pub fn receive(&self, longest: Duration) -> io::Result<Option<Vec<u8>>> {
        set_socket_timeout(&self.0, Timeout::Recv, Some(longest))?;
        let mut octets = vec![0; LONGEST];
        match recv(&self.0, octets.as_mut_slice(), RecvFlags::empty()) {
            Ok((length, _)) => {
                octets.truncate(length);
                Ok(Some(octets))
            }
            Err(error) if error == rustix::io::Errno::AGAIN => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// In the namespace: the addresses that getifaddrs(3) gives are of packet(7) too, one for each interface.
fn open(interface: &str) -> Result<FrameSocket> {
    let addresses = getifaddrs().context("cannot list the interfaces")?;
    let mut links = addresses.filter(|entry| entry.interface_name == interface).filter_map(|entry| entry.address);
    let link = links.find(|address| address.as_link_addr().is_some()).context("there is no such interface")?;
    let protocol = rustix::net::RawProtocol::new(ALL_PROTOCOLS).map(Protocol::from_raw);
    let socket = socket_with(AddressFamily::PACKET, SocketType::RAW, SocketFlags::CLOEXEC, protocol)?;
    // Its protocol is zero, which keeps the socket's.
    socket::bind(socket.as_raw_fd(), &link)?;
    Ok(FrameSocket(socket))
}
