//! An interface in; behind it a way of 10 Mbit/s with a class for suspects. And a socket in; how much of what matters came
//! through, out.

use std::{io::ErrorKind, net::UdpSocket};

use anyhow::{Context as _, Result};

use super::Namespace;

/// 10 Mbit/s, of which one class has nearly all until it needs less, and another is `1:20`.
const QUEUE: [&str; 4] = [
    "qdisc add dev DEV root handle 1: htb default 10",
    "class add dev DEV parent 1: classid 1:1 htb rate 10mbit",
    "class add dev DEV parent 1:1 classid 1:10 htb rate 9mbit ceil 10mbit prio 0",
    "class add dev DEV parent 1:1 classid 1:20 htb rate 1mbit ceil 10mbit prio 7",
];
const BY_CODE_POINT: &str = "filter add dev DEV parent 1: protocol ipv6 u32 match ip6 priority 0x04 0xfc flowid 1:20";

/// Lets what leaves by an interface go by a narrow way.
///
/// # Errors
/// What `tc` says.
pub fn narrow(namespace: &Namespace, interface: &str) -> Result<()> {
    QUEUE.iter().try_for_each(|words| tc(namespace, interface, words))
}

/// Lets the code point of lower effort choose the class of suspects there.
///
/// # Errors
/// What `tc` says.
pub fn classify_code_points(namespace: &Namespace, interface: &str) -> Result<()> {
    tc(namespace, interface, BY_CODE_POINT)
}

fn tc(namespace: &Namespace, interface: &str, words: &str) -> Result<()> {
    namespace.run("tc", words.replace("DEV", interface).split(' ')).map(drop)
}

/// Datagrams that begin with this octet, until nothing more comes for as long as the socket waits.
///
/// # Errors
/// Where the socket hears nothing any more for another reason.
pub fn heard(socket: &UdpSocket, first: u8) -> Result<u32> {
    let mut octets = [0; 2048];
    let mut heard = 0;
    loop {
        match socket.recv(&mut octets) {
            Ok(length) => heard += u32::from(octets[..length].first() == Some(&first)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(heard),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error).context("the server hears nothing more"),
        }
    }
}
