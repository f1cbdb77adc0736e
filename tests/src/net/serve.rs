//! A namespace, a port and a name in; servers there that say the name, out.

use std::{
    io::{IoSlice, IoSliceMut, Write as _},
    net::{Ipv6Addr, TcpListener, UdpSocket},
    os::fd::AsRawFd as _,
    thread,
};

use anyhow::{Context as _, Result};
use nix::{
    libc::in6_pktinfo,
    sys::socket::{
        ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn6, recvmsg, sendmsg, setsockopt,
        sockopt::{IpFreebind, Ipv6RecvPacketInfo},
    },
};

use super::Namespace;

/// Starts a server of TCP and one of UDP on all addresses of a namespace. They end with this process.
///
/// # Errors
/// Where they cannot listen.
pub fn serve(namespace: &Namespace, port: u16, name: &'static str) -> Result<()> {
    let everywhere = (Ipv6Addr::UNSPECIFIED, port);
    let listener = namespace.enter(|| TcpListener::bind(everywhere))?;
    let listener = listener.with_context(|| format!("{name} cannot listen for connections"))?;
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // A client that goes away has its own way to notice.
            let _ = stream.write_all(name.as_bytes());
        }
    });
    let socket = namespace.enter(|| UdpSocket::bind(everywhere))?;
    let socket = socket.with_context(|| format!("{name} cannot listen for datagrams"))?;
    setsockopt(&socket, Ipv6RecvPacketInfo, &true)?;
    // The addresses of a local route are on no interface.
    setsockopt(&socket, IpFreebind, &true)?;
    thread::spawn(move || {
        loop {
            // Where nothing comes back, the client says so.
            let _ = answer(&socket, name);
        }
    });
    Ok(())
}

/// Answers one datagram, from the address that was called.
fn answer(socket: &UdpSocket, name: &str) -> nix::Result<()> {
    let (mut octets, mut control) = ([0; 2048], nix::cmsg_space!(in6_pktinfo));
    let mut parts = [IoSliceMut::new(&mut octets)];
    let received = recvmsg::<SockaddrIn6>(socket.as_raw_fd(), &mut parts, Some(&mut control), MsgFlags::empty())?;
    let called = received.cmsgs()?.find_map(|message| match message {
        ControlMessageOwned::Ipv6PacketInfo(info) => Some(info.ipi6_addr),
        _ => None,
    });
    let (Some(called), Some(client)) = (called, received.address) else { return Ok(()) };
    let from = in6_pktinfo { ipi6_addr: called, ipi6_ifindex: 0 };
    let parts = [IoSlice::new(name.as_bytes())];
    let control = [ControlMessage::Ipv6PacketInfo(&from)];
    sendmsg(socket.as_raw_fd(), &parts, &control, MsgFlags::empty(), Some(&client)).map(drop)
}
