//! An address in; a TCP and a UDP socket at one port of it out.

use std::net::SocketAddr;

use tokio::net::{TcpListener, UdpSocket};

use crate::failure::{Code, Failure};

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

fn refused(error: std::io::Error, address: SocketAddr) -> Failure {
    let denied = error.kind() == std::io::ErrorKind::PermissionDenied;
    let failure = Failure::from(anyhow::Error::new(error).context(format!("cannot listen at {address}")));
    if denied {
        failure.code(Code::NotPermitted).hint("a port below 1024 takes CAP_NET_BIND_SERVICE")
    } else {
        failure.hint("take an address of this host, and a port that nobody listens at (ss -lntu)")
    }
}

/// An address with a port.
pub(super) fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "not an address and a port, such as [::1]:5353")
}
