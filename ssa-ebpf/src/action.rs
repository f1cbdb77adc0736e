//! A verdict in, an XDP action out: the one place where action codes stand.

use aya_ebpf::bindings::xdp_action;
use ssa_common::{
    judge::Judged,
    parse::{self, Frame as _, Link},
    verdict::Treatment,
};

use crate::packet::Packet;

/// What the clock probe returns.
pub const PROBED: u32 = xdp_action::XDP_DROP;

/// The six DSCP bits in the first 16 bits of an IPv6 header.
const DSCP: u16 = 0x0fc0;
/// Lower-effort, RFC 8622 §4.
const LOWER_EFFORT: u16 = 0x0040;

/// Does what the verdict says.
#[inline(always)]
pub fn apply(packet: &Packet, judged: &Judged) -> u32 {
    match judged.treatment {
        Treatment::Drop => xdp_action::XDP_DROP,
        Treatment::LowPriority => {
            mark(packet);
            xdp_action::XDP_PASS
        }
        Treatment::Pass | Treatment::Forward => xdp_action::XDP_PASS,
    }
}

/// Writes the lower-effort code point; ECN and flow label stay.
#[inline(never)]
fn mark(packet: &Packet) {
    if let Link::Ipv6(network) = parse::link(packet)
        && let Some(first) = packet.read_u16(network)
    {
        packet.write(network, (first & !DSCP | LOWER_EFFORT).to_be());
    }
}
