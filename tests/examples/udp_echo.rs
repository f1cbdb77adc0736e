//! An address and port in, such as `[::]:7`; each datagram sent back to who sent it, from the address that was called.
//!
//! A host that takes a whole prefix has millions of addresses, and a client takes an answer only from the one that it has
//! called. A datagram socket has to see to that itself, in three steps, marked below.

use std::{
    env,
    io::{IoSlice, IoSliceMut},
    net::{SocketAddrV6, UdpSocket},
    os::fd::AsRawFd as _,
};

use anyhow::{Context as _, Result};
use nix::{
    errno::Errno,
    libc::in6_pktinfo,
    sys::socket::{
        ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn6, recvmsg, sendmsg, setsockopt,
        sockopt::{IpFreebind, Ipv6RecvPacketInfo},
    },
};

fn main() -> Result<()> {
    let address = env::args().nth(1).unwrap_or_else(|| "[::]:7".to_owned());
    let address: SocketAddrV6 = address.parse().context("give an address and a port, such as [::]:7")?;
    let socket = UdpSocket::bind(address).with_context(|| format!("cannot bind to {address}"))?;
    // 1. Ask the kernel to say with each datagram which address it was sent to (RFC 3542 §6.2).
    setsockopt(&socket, Ipv6RecvPacketInfo, &true)?;
    // 2. The addresses of the prefix are on no interface. Without this the kernel sends nothing from them.
    setsockopt(&socket, IpFreebind, &true)?;
    println!("answering on {}", socket.local_addr()?);
    let mut octets = vec![0; 65_536];
    loop {
        match answer(&socket, &mut octets) {
            // What a network answers to one client is no reason to leave the others.
            Ok(()) | Err(Errno::EINTR | Errno::ECONNREFUSED | Errno::EHOSTUNREACH | Errno::ENETUNREACH) => {}
            Err(errno) => eprintln!("a datagram was not answered: {errno}"),
        }
    }
}

/// Waits for a datagram and sends it back.
fn answer(socket: &UdpSocket, octets: &mut [u8]) -> Result<(), Errno> {
    let mut space = nix::cmsg_space!(in6_pktinfo);
    let (length, client, called) = {
        let mut parts = [IoSliceMut::new(octets)];
        let got = recvmsg::<SockaddrIn6>(socket.as_raw_fd(), &mut parts, Some(&mut space), MsgFlags::empty())?;
        let called = got.cmsgs()?.find_map(|message| match message {
            ControlMessageOwned::Ipv6PacketInfo(info) => Some(info.ipi6_addr),
            _ => None,
        });
        (got.bytes, got.address, called)
    };
    let (Some(client), Some(called)) = (client, called) else { return Ok(()) };
    // 3. Send from that address. The interface is left to the routes.
    let from = in6_pktinfo { ipi6_addr: called, ipi6_ifindex: 0 };
    let parts = [IoSlice::new(&octets[..length])];
    let messages = [ControlMessage::Ipv6PacketInfo(&from)];
    sendmsg(socket.as_raw_fd(), &parts, &messages, MsgFlags::empty(), Some(&client)).map(drop)
}
