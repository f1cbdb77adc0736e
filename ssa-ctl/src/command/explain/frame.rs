//! A question in; the frame that it is about out: what a client would send first.

use std::net::Ipv6Addr;

use ssa_common::parse::protocol;

use crate::config::Allow;

/// Octets of an Ethernet header.
pub const LINK_OCTETS: usize = 14;
/// Octets of an IPv6 header.
const NETWORK_OCTETS: usize = 40;
/// Octets behind it: a TCP header without options. The other protocols have as many.
const UPPER_OCTETS: u8 = 20;
/// The hop limit of a host that sends.
const HOP_LIMIT: u8 = 64;
/// A source port of the dynamic range (RFC 6335 §6).
const SOURCE_PORT: u16 = 49_152;
/// ICMPv6: echo request (RFC 4443 §4.1).
const ECHO_REQUEST: u8 = 128;
/// TCP: SYN (RFC 9293 §3.1).
const SYN: u8 = 2;

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Question {
    /// The client's address.
    pub source: Ipv6Addr,
    /// The address it used.
    pub destination: Ipv6Addr,
    /// What it speaks. A protocol with ports and none given has the destination port 0.
    pub proto: Allow,
    /// Unix seconds.
    pub time: u64,
}

impl Question {
    /// The frame: Ethernet without tags, IPv6, and the first header of the protocol; all checksums zero.
    pub fn frame(&self) -> Vec<u8> {
        let mut frame = vec![0; LINK_OCTETS];
        frame[12..].copy_from_slice(&[0x86, 0xdd]);
        frame.extend([0x60, 0, 0, 0, 0, UPPER_OCTETS, self.proto.protocol, HOP_LIMIT]);
        frame.extend(self.source.octets());
        frame.extend(self.destination.octets());
        let mut upper = [0; UPPER_OCTETS as usize];
        match self.proto.protocol {
            protocol::TCP => {
                upper[12] = (UPPER_OCTETS / 4) << 4;
                upper[13] = SYN;
            }
            protocol::UDP => upper[5] = UPPER_OCTETS,
            protocol::ICMPV6 => upper[0] = ECHO_REQUEST,
            _ => {}
        }
        if let protocol::TCP | protocol::UDP | protocol::SCTP = self.proto.protocol {
            upper[..2].copy_from_slice(&SOURCE_PORT.to_be_bytes());
            upper[2..4].copy_from_slice(&self.proto.port.unwrap_or(0).to_be_bytes());
        }
        frame.extend(upper);
        debug_assert_eq!(frame.len(), LINK_OCTETS + NETWORK_OCTETS + usize::from(UPPER_OCTETS));
        frame
    }
}

#[cfg(test)]
mod tests {
    use ssa_common::parse::{self, Frame, Header, Link, Upper};

    use super::*;

    #[test]
    fn the_frame_is_the_question() {
        for (proto, port) in [("tcp/443", 443), ("udp/53", 53), ("sctp/5", 5), ("tcp", 0)] {
            let question = Question {
                source: "2001:db8::1".parse().unwrap(),
                destination: "2001:db8::2".parse().unwrap(),
                proto: proto.parse().unwrap(),
                time: 0,
            };
            let frame = question.frame();
            let frame = frame.as_slice();
            let Link::Ipv6(network) = parse::link(&frame) else { panic!("{proto}: not IPv6") };
            let header = Header::read(&frame, network).expect(proto);
            assert_eq!(header.source.to_u128(), question.source.to_bits());
            assert_eq!(header.destination.to_u128(), question.destination.to_bits());
            let upper = parse::upper(&frame, header.next, network + parse::HEADER_OCTETS);
            let Upper::Found { protocol, offset, fragment: false } = upper else { panic!("{proto}: {upper:?}") };
            assert_eq!((protocol, frame.read_u16(offset + 2)), (question.proto.protocol, Some(port)));
        }
    }
}
