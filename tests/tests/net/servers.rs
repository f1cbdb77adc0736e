//! Namespaces and names in; servers there that say their name, and what clients hear of them, out.

use std::{
    io::{self, Read as _},
    net::{Ipv6Addr, SocketAddr, TcpStream, UdpSocket},
    time::Duration,
};

use ssa_tests::net::{Namespace, serve};

use crate::stream::LONGEST;

/// Where the servers listen.
pub const PORT: u16 = 7443;

/// Starts both servers on all addresses of a namespace. They end with this process.
pub fn start(namespace: &Namespace, name: &'static str) {
    serve(namespace, PORT, name).unwrap();
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
