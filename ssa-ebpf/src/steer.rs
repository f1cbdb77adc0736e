//! A frame for another endpoint in; the same on its way there, out (DESIGN §4 step 9).

use ssa_common::{
    judge::{Judged, STEERED, Wrap},
    parse::{ETHERNET, HEADER_OCTETS, field, protocol},
    verdict::Treatment,
};

use crate::{action::Way, hops::Hop, outline, packet::Packet};

/// The version and the traffic class of an IPv6 header's first word.
const VERSION_AND_CLASS: u32 = 0xfff0_0000;
/// Hop limit of what is wrapped.
const HOP_LIMIT: u8 = 64;
/// Spreads addresses over flow labels (RFC 6438): 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
/// Bits of a flow label that spread.
const SPREAD_BITS: u32 = STEERED.trailing_zeros();

/// Where the sender's hardware address ends 8 octets on.
const SENDER: usize = 6;
/// Octets of an Ethernet header and an outer IPv6 header.
const WRAPPED: usize = (ETHERNET + HEADER_OCTETS) as usize;

/// Sends a frame to its endpoint.
#[inline(always)]
pub fn send(packet: &Packet, judged: &Judged) -> Way {
    some_way(packet, judged).unwrap_or(Way::Nowhere)
}

/// None where there is no way there.
///
/// What is read of the frame is read before its headers are written: what the compiler cannot tell apart, it reads anew.
#[inline(always)]
fn some_way(packet: &Packet, judged: &Judged) -> Option<Way> {
    let hop = Hop::of(judged.hop)?;
    if hop.is_old() {
        outline::resolve(packet, judged);
    }
    let (interface, mtu) = (hop.interface(), hop.mtu());
    let Judged { network, octets, wrap, .. } = *judged;
    let (source, destination) = if wrap.is_wrapped() { hop.addresses() } else { Default::default() };
    // Who has no address towards the endpoint can wrap nothing for it.
    if interface == 0 || wrap.is_wrapped() && source.is_zero() {
        return None;
    }
    let length = octets.wrapping_sub(network);
    let room = if wrap == Wrap::Bare { 0 } else { HEADER_OCTETS };
    if length + room > mtu {
        return outline::too_big(packet, judged, mtu.wrapping_sub(room)).then_some(Way::Answer);
    }
    let link = hop.link();
    let way = if interface == packet.interface() { Way::Back } else { Way::Out(interface) };
    if judged.treatment == Treatment::LowPriority {
        packet.mark(network);
    }
    let header = packet.room::<{ HEADER_OCTETS as usize }>(network)?;
    let hop_limit: u8 = header.get::<{ field::HOP_LIMIT }, _>();
    if !wrap.is_wrapped() {
        let front = packet.room::<{ ETHERNET as usize }>(0)?;
        // Two hosts that disagree whose a slice is send no frame to and fro: what came from the endpoint is not sent back.
        // Nor is what was for the endpoint, and came here only because a switch did not know where that is.
        if link.leads_to(front.get::<{ SENDER }, _>()) || link.leads_to(front.get::<0, _>()) {
            return Some(Way::Kept);
        }
        if hop_limit <= 1 {
            return None;
        }
        header.put::<{ field::HOP_LIMIT }, _>(hop_limit - 1);
        if network == ETHERNET {
            link.write(&front);
            return Some(way);
        }
        // Its tags were for the link that it came by.
        if !packet.begin_at(network as i32 - ETHERNET as i32) {
            return None;
        }
        link.write(&packet.room::<{ ETHERNET as usize }>(0)?);
        return Some(way);
    }
    if hop_limit <= 1 {
        return None;
    }
    let first = u32::from_be(header.get::<0, _>());
    let (from, to): (u64, u64) =
        (header.get::<{ field::SOURCE + 8 }, _>(), header.get::<{ field::DESTINATION + 8 }, _>());
    header.put::<{ field::HOP_LIMIT }, _>(hop_limit - 1);
    if !packet.begin_at(network as i32 - WRAPPED as i32) {
        outline::no_room();
        return None;
    }
    let front = packet.room::<WRAPPED>(0)?;
    link.write(&front);
    let label = ((from ^ to).wrapping_mul(SPREAD) >> (64 - SPREAD_BITS)) as u32;
    let steered = if wrap == Wrap::Steered { STEERED } else { 0 };
    front.put::<14, _>((first & VERSION_AND_CLASS | label | steered).to_be());
    front.put::<18, _>((length as u16).to_be());
    front.put::<20, _>([protocol::IPV6, HOP_LIMIT]);
    front.put::<22, _>(source.hi);
    front.put::<30, _>(source.lo);
    front.put::<38, _>(destination.hi);
    front.put::<46, _>(destination.lo);
    Some(way)
}
