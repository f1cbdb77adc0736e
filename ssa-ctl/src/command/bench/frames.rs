//! Addresses in; frames that are no plain question out: tagged, for no service, and ICMPv6.

use std::net::Ipv6Addr;

use ssa_common::parse::protocol;

use crate::{
    command::explain::{LINK_OCTETS, Question},
    config::Allow,
};

/// Octets of an IPv6 header.
const NETWORK_OCTETS: usize = 40;

/// A frame that is not IPv6: the beginning of an IPv4 packet of 46 octets, as long as the shortest frame.
pub(super) fn not_ipv6() -> Vec<u8> {
    let mut frame = vec![0; 60];
    frame[12..18].copy_from_slice(&[0x08, 0x00, 0x45, 0, 0, 46]);
    frame
}

/// The same frame below one VLAN tag.
pub(super) fn tagged(frame: &[u8]) -> Vec<u8> {
    [&frame[..12], &[0x81, 0, 0, 1], &frame[12..]].concat()
}

/// A neighbour solicitation for the destination (RFC 4861 §4.3).
pub(super) fn discovery(source: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
    icmp(source, destination, [135, 0], 255, &destination.octets())
}

/// An echo request (RFC 4443 §4.1).
pub(super) fn echo(source: Ipv6Addr, destination: Ipv6Addr) -> Vec<u8> {
    icmp(source, destination, [128, 0], 64, &[0; 16])
}

/// An error that a port is unreachable (RFC 4443 §3.1), about an answer to this question.
pub(super) fn error(question: &Question) -> Vec<u8> {
    let Question { source, destination, .. } = *question;
    let answer = Question { source: destination, destination: source, ..*question }.frame();
    icmp(source, destination, [1, 4], 64, &answer[LINK_OCTETS..])
}

/// An ICMPv6 message: type and code, a checksum and four octets of zeros, the rest.
fn icmp(source: Ipv6Addr, destination: Ipv6Addr, kind: [u8; 2], hop_limit: u8, rest: &[u8]) -> Vec<u8> {
    let proto = Allow { protocol: protocol::ICMPV6, port: None };
    let mut frame = Question { source, destination, proto, time: 0 }.frame();
    frame.truncate(LINK_OCTETS + NETWORK_OCTETS);
    frame.extend(kind);
    frame.extend([0; 6]);
    frame.extend(rest);
    let octets = u16::try_from(frame.len() - LINK_OCTETS - NETWORK_OCTETS).unwrap_or(u16::MAX);
    frame[LINK_OCTETS + 4..LINK_OCTETS + 6].copy_from_slice(&octets.to_be_bytes());
    frame[LINK_OCTETS + 7] = hop_limit;
    frame
}
