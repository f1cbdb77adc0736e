//! A frame that the next link does not take in; the ICMPv6 error for its sender out (RFC 4443 §3.2).

use ssa_common::parse::{ETHERNET, Frame as _, HEADER_OCTETS, IPV6, field, protocol};

use crate::{hops::Hop, maps::ENDPOINTS, packet::Packet};

/// The smallest MTU of IPv6 (RFC 8200 §5), and the longest an error may be.
const MINIMUM_MTU: u32 = 1280;
/// Octets of the header of an ICMPv6 error.
const ICMP_OCTETS: u32 = 8;
/// Octets of the packet that the error carries.
const CARRIED: u32 = MINIMUM_MTU - HEADER_OCTETS - ICMP_OCTETS;
/// Octets before them.
const BEFORE: u32 = ETHERNET + HEADER_OCTETS + ICMP_OCTETS;
/// The type of Packet Too Big, with its code and a checksum of zero.
const PACKET_TOO_BIG: u32 = 2 << 24;
/// Hop limit of the error.
const HOP_LIMIT: u8 = 64;

/// Puts the error in the place of the frame, to go back the way that it came; none where there is nothing to answer.
///
/// A CPU answers once a tick for each endpoint (RFC 4443 §2.4 f), and only what a sender can make shorter.
#[inline(always)]
pub fn answer<const FAR: bool>(packet: &Packet<FAR>, (place, hop): (u32, u32), network: u32, mtu: u32) -> Option<()> {
    if mtu < MINIMUM_MTU {
        return None;
    }
    // A frame that only claims to be long would be answered by a longer one, with octets that nobody sent.
    packet.room::<1>(network.wrapping_add(CARRIED - 1))?;
    let endpoint = ENDPOINTS.get(place)?;
    if !Hop::of(hop)?.may_refuse() {
        return None;
    }
    let stations = packet.room::<12>(0)?;
    let (to, to_end): (u32, u16) = (stations.get::<0, _>(), stations.get::<4, _>());
    let (from, from_end): (u32, u16) = (stations.get::<6, _>(), stations.get::<10, _>());
    let [sender, sender_end, called, called_end] = packet.read_words::<4>(network + field::SOURCE as u32)?;
    // Where this host is no endpoint it answers for the address that was called.
    let source = match endpoint.source {
        none if none.is_zero() => [called, called_end],
        own => [own.hi, own.lo],
    };
    if !packet.begin_at(network as i32 - BEFORE as i32) || !packet.end_after(BEFORE + CARRIED) {
        return None;
    }
    let front = packet.room::<{ BEFORE as usize }>(0)?;
    front.put::<0, _>(from);
    front.put::<4, _>(from_end);
    front.put::<6, _>(to);
    front.put::<10, _>(to_end);
    front.put::<12, _>(IPV6.to_be());
    front.put::<14, _>(0x6000_0000_u32.to_be());
    front.put::<18, _>(((ICMP_OCTETS + CARRIED) as u16).to_be());
    front.put::<20, _>([protocol::ICMPV6, HOP_LIMIT]);
    front.put::<22, _>([source[0].to_be(), source[1].to_be()]);
    front.put::<38, _>([sender.to_be(), sender_end.to_be()]);
    front.put::<54, _>(PACKET_TOO_BIG.to_be());
    front.put::<58, _>(mtu.to_be());
    // The pseudo header (RFC 8200 §8.1): both addresses, the length, the next header. Then the message.
    let mut sum = packet.room::<40>(22)?.sum((ICMP_OCTETS + CARRIED).to_be());
    sum = packet.room::<512>(BEFORE)?.sum(sum);
    sum = packet.room::<512>(BEFORE + 512)?.sum(sum);
    sum = packet.room::<{ CARRIED as usize - 1024 }>(BEFORE + 1024)?.sum(sum);
    let sum = u64::from(sum) + u64::from(u32::from(protocol::ICMPV6).to_be());
    packet.room::<2>(ETHERNET + HEADER_OCTETS + 2)?.put::<0, _>(!folded(sum));
    Some(())
}

/// A sum of 16-bit words in the order that they were loaded in, its carries added in (RFC 1071).
#[inline(always)]
fn folded(sum: u64) -> u16 {
    let sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
    let sum = (sum & 0xffff) + (sum >> 16);
    ((sum & 0xffff) + (sum >> 16)) as u16
}
