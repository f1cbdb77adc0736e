//! A frame for another endpoint in; the same on its way there, out (DESIGN §4 step 9).

use ssa_common::{
    judge::{Judged, STEERED, Wrap},
    parse::{ETHERNET, HEADER_OCTETS, IPV6, field, protocol},
    verdict::Treatment,
};

use crate::{
    action::Way,
    hops::Hop,
    maps::ENDPOINTS,
    outline,
    packet::{Packet, Room},
};

/// The version and the traffic class of an IPv6 header's first word.
const VERSION_AND_CLASS: u32 = 0xfff0_0000;
/// Hop limit of what is wrapped.
const HOP_LIMIT: u8 = 64;
/// Spreads addresses over flow labels (RFC 6438): 2^64 divided by the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
/// Bits of a flow label that spread.
const SPREAD_BITS: u32 = STEERED.trailing_zeros();

/// Octets of an Ethernet header and an outer IPv6 header.
const WRAPPED: usize = (ETHERNET + HEADER_OCTETS) as usize;

/// Sends a frame to its endpoint.
#[inline(always)]
pub fn send(packet: &Packet, judged: &Judged) -> Way {
    some_way(packet, judged).unwrap_or(Way::Nowhere)
}

/// None where there is no way there.
#[inline(always)]
fn some_way(packet: &Packet, judged: &Judged) -> Option<Way> {
    let place = judged.to.wrapping_sub(1);
    let endpoint = ENDPOINTS.get(place)?;
    let hop = Hop::to(endpoint)?;
    if hop.is_old() {
        outline::resolve(packet, place);
    }
    let (interface, mtu) = (hop.interface(), hop.mtu());
    // Who has no address towards the endpoint can wrap nothing for it.
    if interface == 0 || judged.wrap != Wrap::Bare && endpoint.source.is_zero() {
        return None;
    }
    let Judged { network, octets, wrap, .. } = *judged;
    let length = octets.wrapping_sub(network);
    let room = match wrap {
        Wrap::Bare => 0,
        Wrap::Steered | Wrap::Last => HEADER_OCTETS,
    };
    if length + room > mtu {
        return outline::too_big(packet, judged, mtu.wrapping_sub(room)).then_some(Way::Answer);
    }
    let (start, end) = hop.stations();
    if room == 0 {
        // Two hosts that disagree whose a slice is send no frame to and fro: what came from the endpoint is not sent back.
        let from = packet.room::<{ ETHERNET as usize }>(0)?;
        let (sender, sender_end): (u32, u16) = (from.get::<6, _>(), from.get::<10, _>());
        if start.to_le() as u32 == sender.to_le() && (start.to_le() >> 32) as u16 == sender_end.to_le() {
            return Some(Way::Kept);
        }
    }
    if judged.treatment == Treatment::LowPriority {
        packet.mark(network);
    }
    let header = packet.room::<{ HEADER_OCTETS as usize }>(network)?;
    let hop_limit: u8 = header.get::<{ field::HOP_LIMIT }, _>();
    if hop_limit <= 1 {
        return None;
    }
    header.put::<{ field::HOP_LIMIT }, _>(hop_limit - 1);
    let first = u32::from_be(header.get::<0, _>());
    let (source, destination): (u64, u64) =
        (header.get::<{ field::SOURCE + 8 }, _>(), header.get::<{ field::DESTINATION + 8 }, _>());
    if !packet.begin_at(network as i32 - (ETHERNET + room) as i32) {
        return None;
    }
    if room == 0 {
        link(&packet.room::<{ ETHERNET as usize }>(0)?, start, end);
    } else {
        let front = packet.room::<WRAPPED>(0)?;
        link(&front, start, end);
        let label = ((source ^ destination).wrapping_mul(SPREAD) >> (64 - SPREAD_BITS)) as u32;
        let steered = if wrap == Wrap::Steered { STEERED } else { 0 };
        front.put::<14, _>((first & VERSION_AND_CLASS | label | steered).to_be());
        front.put::<18, _>((length as u16).to_be());
        front.put::<20, _>([protocol::IPV6, HOP_LIMIT]);
        front.put::<22, _>(endpoint.source.hi.to_be());
        front.put::<30, _>(endpoint.source.lo.to_be());
        front.put::<38, _>(endpoint.address.hi.to_be());
        front.put::<46, _>(endpoint.address.lo.to_be());
    }
    Some(if interface == packet.interface() { Way::Back } else { Way::Out(interface) })
}

/// Writes an Ethernet header without tags.
#[inline(always)]
fn link<const N: usize>(front: &Room<N>, start: u64, end: u32) {
    front.put::<0, _>(start);
    front.put::<8, _>(end);
    front.put::<12, _>(IPV6.to_be());
}
