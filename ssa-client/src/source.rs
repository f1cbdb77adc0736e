//! A destination in; the address that the kernel would send from out (RFC 6724), as its routes are at this moment.

use std::{
    io,
    net::{Ipv6Addr, SocketAddr, UdpSocket},
};

/// Any port: nothing is sent to it.
const PORT: u16 = 9;

/// The source address for packets to `destination`.
///
/// # Errors
/// Where the kernel has no route, or no address to send from.
pub fn source_for(destination: Ipv6Addr) -> io::Result<Ipv6Addr> {
    // To connect a datagram socket looks up the way, and sends nothing.
    let socket = UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?;
    socket.connect((destination, PORT))?;
    match socket.local_addr()? {
        SocketAddr::V6(local) => Ok(*local.ip()),
        SocketAddr::V4(_) => Err(io::Error::from(io::ErrorKind::AddrNotAvailable)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_itself_a_host_sends_from_itself() {
        assert_eq!(source_for(Ipv6Addr::LOCALHOST).unwrap(), Ipv6Addr::LOCALHOST);
    }
}
