//! What another endpoint has wrapped (RFC 2473) in; the packet as it was, out.

use ssa_common::{
    parse::{Frame as _, HEADER_OCTETS},
    rows::Refused,
};

use crate::{link, packet::Packet, refused};

/// ECN in the first 16 bits of an IPv6 header (RFC 3168 §5).
const ECN_SHIFT: u32 = 4;
const ECN: u16 = 3;
/// Its values: the transport is capable, in two words for it; and congestion was met.
const ECT_1: u16 = 1;
const ECT_0: u16 = 2;
const CE: u16 = 3;

/// Takes away what was wrapped around the packet at `network`, and leaves the link header before it.
#[inline(always)]
pub fn strip(packet: &Packet<true>, network: u32) -> Option<()> {
    let octets = network.checked_sub(HEADER_OCTETS)?;
    keep_congestion(packet, network);
    link::copy(packet, octets, 0, HEADER_OCTETS)?;
    if !packet.begin_at(HEADER_OCTETS as i32) {
        refused::count(Refused::Unwrapping);
        return None;
    }
    Some(())
}

/// Writes to the packet at `network` what routers have said of congestion in the header around it (RFC 6040 §4.2).
///
/// A packet whose transport is not capable stays as it is: it was wrapped as such, and no router marks that.
#[inline(always)]
pub fn keep_congestion(packet: &Packet<true>, network: u32) {
    let (Some(outer), Some(first)) = (packet.read_u16(network.wrapping_sub(HEADER_OCTETS)), packet.read_u16(network))
    else {
        return;
    };
    let inner = first >> ECN_SHIFT & ECN;
    let met = match (inner, outer >> ECN_SHIFT & ECN) {
        (ECT_0 | ECT_1, CE) => CE,
        (ECT_0, ECT_1) => ECT_1,
        _ => inner,
    };
    if met != inner {
        packet.write(network, (first & !(ECN << ECN_SHIFT) | met << ECN_SHIFT).to_be());
    }
}
