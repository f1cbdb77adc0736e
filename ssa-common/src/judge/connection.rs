//! A frame in; the connection it is of, and whether this host has that, out (DESIGN §4 steps 7 and 10).

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

/// The two ends of a TCP connection or of a UDP exchange, as this host sees them.
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
    /// [`protocol::TCP`] or [`protocol::UDP`].
    pub protocol: u8,
    /// Where the TCP header of the frame itself is, if it is a segment of this connection and no error about one.
    pub segment: Option<u32>,
}

/// TCP: where the flags are, RFC 9293 §3.1.
const FLAGS: u32 = 12;
const SYN: u16 = 0x02;
const ACK: u16 = 0x10;

/// What the frame with an IPv6 header at `network` is to the TCP connections of this host, which `has` knows.
#[inline(always)]
pub fn judge_connection(frame: &(impl Frame + ?Sized), network: u32, has: impl Fn(&Ends) -> bool) -> Connection {
    match ends(frame, network) {
        Some((ends, flags)) if ends.protocol == protocol::TCP && flags & (SYN | ACK) != SYN => {
            if has(&ends) {
                Connection::Here
            } else {
                Connection::Elsewhere
            }
        }
        _ => Connection::None,
    }
}

/// The ends between which the frame with an IPv6 header at `network` goes on with something: a TCP segment without SYN, a
/// UDP datagram, or an ICMPv6 error about either.
#[inline(always)]
pub fn going_on(frame: &(impl Frame + ?Sized), network: u32) -> Option<Ends> {
    ends(frame, network).filter(|(_, flags)| flags & SYN == 0).map(|(ends, _)| ends)
}

/// The ends of what a TCP segment or a UDP datagram belongs to, or of what an ICMPv6 error is about; with the segment's
/// flags.
#[inline(always)]
fn ends(frame: &(impl Frame + ?Sized), network: u32) -> Option<(Ends, u16)> {
    let header = Header::read(frame, network)?;
    let Upper::Found { protocol, offset, .. } = parse::upper(frame, header.next, network + HEADER_OCTETS) else {
        return None;
    };
    let mut flags = 0;
    let (remote, local, protocol, ports, swapped) = match protocol {
        protocol::TCP => {
            flags = frame.read_u16(offset + FLAGS)?;
            (header.source, header.destination, protocol, offset, false)
        }
        protocol::UDP => (header.source, header.destination, protocol, offset, false),
        protocol::ICMPV6 => {
            let kind = frame.read_u16(offset)? >> 8;
            let about = Header::read(frame, offset + 8).filter(|_| matches!(kind, 1..=4))?;
            // It comes to whoever has sent the packet that it is about.
            if !matches!(about.next, protocol::TCP | protocol::UDP) || about.source != header.destination {
                return None;
            }
            (about.destination, about.source, about.next, offset + 8 + HEADER_OCTETS, true)
        }
        _ => return None,
    };
    let (first, second) = (frame.read_u16(ports)?, frame.read_u16(ports + 2)?);
    let (remote_port, local_port) = if swapped { (second, first) } else { (first, second) };
    let segment = if swapped || protocol != protocol::TCP { None } else { Some(ports) };
    Some((Ends { remote, local, remote_port, local_port, protocol, segment }, flags))
}
