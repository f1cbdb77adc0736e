//! Namespaces and names in; servers there that say their name, and what clients hear of them, out.

use std::{
    io::{self, IoSlice, IoSliceMut, Read as _, Write as _},
    net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    os::fd::AsRawFd as _,
    thread,
    time::Duration,
};

use nix::{
    libc::in6_pktinfo,
    sys::socket::{
        ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn6, recvmsg, sendmsg, setsockopt,
        sockopt::{IpFreebind, Ipv6RecvPacketInfo},
    },
};
use ssa_tests::net::Namespace;

use crate::stream::LONGEST;

/// Where the servers listen.
pub const PORT: u16 = 7443;

/// Starts both servers on all addresses of a namespace. They end with this process.
pub fn start(namespace: &Namespace, name: &'static str) {
    let everywhere = (Ipv6Addr::UNSPECIFIED, PORT);
    let listener = namespace.enter(|| TcpListener::bind(everywhere)).unwrap().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // A client that goes away has its own way to notice.
            let _ = stream.write_all(name.as_bytes());
        }
    });
    let socket = namespace.enter(|| UdpSocket::bind(everywhere)).unwrap().unwrap();
    setsockopt(&socket, Ipv6RecvPacketInfo, &true).unwrap();
    // The addresses of a local route are on no interface.
    setsockopt(&socket, IpFreebind, &true).unwrap();
    thread::spawn(move || {
        loop {
            // Where nothing comes back, the client says so.
            let _ = answer(&socket, name);
        }
    });
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

/// Who answers a TCP connection to an address.
pub fn ask_tcp(client: &Namespace, address: Ipv6Addr) -> io::Result<String> {
    let to = SocketAddr::from((address, PORT));
    let mut stream = client.enter(|| TcpStream::connect_timeout(&to, LONGEST)).unwrap()?;
    stream.set_read_timeout(Some(LONGEST))?;
    let mut name = String::new();
    stream.read_to_string(&mut name)?;
    Ok(name)
}

/// Who answers a datagram to an address, within so long.
pub fn ask_udp(client: &Namespace, address: Ipv6Addr, longest: Duration) -> io::Result<String> {
    let socket = client.enter(|| UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))).unwrap()?;
    socket.connect((address, PORT))?;
    socket.set_read_timeout(Some(longest))?;
    socket.send(b"who")?;
    let mut octets = [0; 64];
    let length = socket.recv(&mut octets)?;
    Ok(String::from_utf8_lossy(&octets[..length]).into_owned())
}
