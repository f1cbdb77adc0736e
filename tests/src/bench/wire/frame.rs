//! A lane in; the frame that is sent along it, which no rule lets pass, out.

use std::net::Ipv6Addr;

use anyhow::{Context as _, Result};
use etherparse::PacketBuilder;

use super::lane::Lane;

/// A client that is in no set.
const SOURCE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xf001, 0, 0, 0, 0, 0x10);
/// An address of the prefix that no rule gives this client.
pub(super) const DESTINATION: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0xac10, 0xfe01, 0x1234, 0x5678, 0x9abc, 0xdef0);
/// The frame has 86 octets, as everywhere in the bench.
const PAYLOAD: [u8; 24] = [0x5a; 24];

/// A UDP packet.
pub(super) fn udp(lane: &Lane) -> Result<Vec<u8>> {
    let builder = PacketBuilder::ethernet2(lane.sender.mac, lane.receiver.mac)
        .ipv6(SOURCE.octets(), DESTINATION.octets(), 64)
        .udp(40_000, 443);
    let mut frame = Vec::new();
    builder.write(&mut frame, &PAYLOAD).context("a frame cannot be written")?;
    Ok(frame)
}
