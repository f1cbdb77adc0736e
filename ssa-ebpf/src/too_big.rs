//! A frame that the next link does not take in; the ICMPv6 error for its sender out (RFC 4443 §3.2).

use ssa_common::{
    parse::{self, Frame as _, HEADER_OCTETS, Header, Upper, protocol},
    rows::Refused,
};

use crate::{
    hops::Hop,
    link::{self, MAX_LINK},
    maps::ENDPOINTS,
    packet::Packet,
    refused,
};

/// The smallest MTU of IPv6 (RFC 8200 §5), and the longest an error may be.
const MINIMUM_MTU: u32 = 1280;
/// Octets of the header of an ICMPv6 error.
const ICMP_OCTETS: u32 = 8;
/// Octets of the packet that the error carries.
const CARRIED: u32 = MINIMUM_MTU - HEADER_OCTETS - ICMP_OCTETS;
/// The type of Packet Too Big, with its code and a checksum of zero.
const PACKET_TOO_BIG: u32 = 2 << 24;
/// Hop limit of the error.
const HOP_LIMIT: u8 = 64;

/// Puts the error in the place of the frame, to go back the way that it came; none where there is nothing to answer.
///
/// A CPU answers once a tick for each endpoint (RFC 4443 §2.4 f), only what a sender can make shorter, and no error (e.1).
#[inline(always)]
pub fn answer(packet: &Packet<true>, (place, hop): (u32, u32), network: u32, mtu: u32) -> Option<()> {
    if mtu < MINIMUM_MTU {
        return None;
    }
    // A frame that only claims to be long would be answered by a longer one, with octets that nobody sent.
    packet.room::<1>(network.wrapping_add(CARRIED - 1))?;
    let header = Header::read(packet, network)?;
    if is_error(packet, &header, network) {
        return None;
    }
    let endpoint = ENDPOINTS.get(place)?;
    if !Hop::of(hop)?.may_refuse() {
        return None;
    }
    // Where this host is no endpoint it answers for the address that was called.
    let source = if endpoint.source.is_zero() { header.destination } else { endpoint.source };
    // The link header stays, with its tags, and what another endpoint wrapped around the packet goes.
    let link = if network > MAX_LINK { network.wrapping_sub(HEADER_OCTETS) } else { network };
    let before = link.wrapping_add(HEADER_OCTETS + ICMP_OCTETS);
    if !packet.begin_at(network as i32 - before as i32) || !packet.end_after(before + CARRIED) {
        refused::count(Refused::Answer);
        return None;
    }
    link::copy(packet, link, before.wrapping_sub(network), 0)?;
    let stations = packet.room::<12>(0)?;
    let (to, to_end): (u32, u16) = (stations.get::<0, _>(), stations.get::<4, _>());
    let (from, from_end): (u32, u16) = (stations.get::<6, _>(), stations.get::<10, _>());
    stations.put::<0, _>(from);
    stations.put::<4, _>(from_end);
    stations.put::<6, _>(to);
    stations.put::<10, _>(to_end);
    let front = packet.room::<{ (HEADER_OCTETS + ICMP_OCTETS) as usize }>(link)?;
    front.put::<0, _>(0x6000_0000_u32.to_be());
    front.put::<4, _>(((ICMP_OCTETS + CARRIED) as u16).to_be());
    front.put::<6, _>([protocol::ICMPV6, HOP_LIMIT]);
    front.put::<8, _>([source.hi.to_be(), source.lo.to_be()]);
    front.put::<24, _>([header.source.hi.to_be(), header.source.lo.to_be()]);
    front.put::<40, _>(PACKET_TOO_BIG.to_be());
    front.put::<44, _>(mtu.to_be());
    // The pseudo header (RFC 8200 §8.1): both addresses, the length, the next header. Then the message.
    let mut sum = packet.room::<40>(link + 8)?.sum((ICMP_OCTETS + CARRIED).to_be());
    sum = packet.room::<512>(before)?.sum(sum);
    sum = packet.room::<512>(before + 512)?.sum(sum);
    sum = packet.room::<{ CARRIED as usize - 1024 }>(before + 1024)?.sum(sum);
    let sum = u64::from(sum) + u64::from(u32::from(protocol::ICMPV6).to_be());
    packet.room::<2>(link + HEADER_OCTETS + 2)?.put::<0, _>(!folded(sum));
    Some(())
}

/// Whether a packet is an ICMPv6 error itself.
#[inline(always)]
fn is_error(packet: &Packet<true>, header: &Header, network: u32) -> bool {
    /// The first type that is none (RFC 4443 §2.1).
    const INFORMATIONAL: u16 = 128;
    match parse::upper(packet, header.next, network + HEADER_OCTETS) {
        Upper::Found { protocol: protocol::ICMPV6, offset, .. } => {
            packet.read_u16(offset).is_some_and(|head| head >> 8 < INFORMATIONAL)
        }
        _ => false,
    }
}

/// A sum of 16-bit words in the order that they were loaded in, its carries added in (RFC 1071).
#[inline(always)]
fn folded(sum: u64) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}
