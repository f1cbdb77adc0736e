//! An address in; a TCP and a UDP socket at one port of it out.

use std::net::SocketAddr;

use tokio::net::{TcpListener, UdpSocket};

use crate::{command::listening::refused, failure::Failure};

/// Tries to find a port that is free for both, where any will do.
const TRIES: usize = 16;

/// The two sockets.
pub(super) async fn both(address: SocketAddr) -> Result<(TcpListener, UdpSocket), Failure> {
    let mut tries = if address.port() == 0 { TRIES } else { 1 };
    loop {
        tries -= 1;
        match pair(address).await {
            Ok(pair) => return Ok(pair),
            Err(_) if tries > 0 => {}
            Err(error) => return Err(refused(error, address)),
        }
    }
}

async fn pair(address: SocketAddr) -> std::io::Result<(TcpListener, UdpSocket)> {
    let tcp = TcpListener::bind(address).await?;
    let udp = UdpSocket::bind(tcp.local_addr()?).await?;
    Ok((tcp, udp))
}

/// An address with a port.
pub(super) fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "not an address and a port, such as [::1]:5353")
}
