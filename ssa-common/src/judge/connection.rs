//! A frame in; the connection it is of, and whether this host has that, out (DESIGN §4 step 10).

use crate::{
    bits::Words,
    parse::{self, Frame, HEADER_OCTETS, Header, Upper, protocol},
};

/// What a frame is to the connections of this host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// It has none, or begins one.
    None,
    /// It belongs to one of this host.
    Here,
    /// It belongs to one that this host does not have.
    Elsewhere,
}

/// The two ends of a TCP connection, as this host sees them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The client's address.
    pub remote: Words,
    /// The address it used.
    pub local: Words,
    /// The client's port.
    pub remote_port: u16,
    /// The port it used.
    pub local_port: u16,
    /// Where the TCP header of the frame itself is, if it is a segment of this connection and no error about one.
    pub segment: Option<u32>,
}

/// TCP: where the flags are, RFC 9293 §3.1.
const FLAGS: u32 = 12;
const SYN: u16 = 0x02;
const ACK: u16 = 0x10;

/// What the frame with an IPv6 header at `network` is to the connections of this host, which `has` knows.
#[inline(always)]
pub fn judge_connection(frame: &(impl Frame + ?Sized), network: u32, has: impl Fn(&Ends) -> bool) -> Connection {
    match ends(frame, network) {
        None => Connection::None,
        Some(ends) if has(&ends) => Connection::Here,
        Some(_) => Connection::Elsewhere,
    }
}

/// The ends of the connection that a TCP segment belongs to, or that an ICMPv6 error is about. None for one that begins.
#[inline(always)]
fn ends(frame: &(impl Frame + ?Sized), network: u32) -> Option<Ends> {
    let header = Header::read(frame, network)?;
    let Upper::Found { protocol, offset, .. } = parse::upper(frame, header.next, network + HEADER_OCTETS) else {
        return None;
    };
    let (remote, local, ports, swapped) = match protocol {
        protocol::TCP => {
            let flags = frame.read_u16(offset + FLAGS)?;
            if flags & (SYN | ACK) == SYN {
                return None;
            }
            (header.source, header.destination, offset, false)
        }
        protocol::ICMPV6 => {
            let kind = frame.read_u16(offset)? >> 8;
            let about = Header::read(frame, offset + 8).filter(|_| matches!(kind, 1..=4))?;
            if about.next != protocol::TCP {
                return None;
            }
            (about.destination, about.source, offset + 8 + HEADER_OCTETS, true)
        }
        _ => return None,
    };
    let (first, second) = (frame.read_u16(ports)?, frame.read_u16(ports + 2)?);
    let (remote_port, local_port) = if swapped { (second, first) } else { (first, second) };
    let segment = if swapped { None } else { Some(ports) };
    Some(Ends { remote, local, remote_port, local_port, segment })
}
