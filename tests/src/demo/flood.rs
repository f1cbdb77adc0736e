//! A law in; SYNs from sources and to destinations that are made up, and what the law says of each, out.

use std::{collections::BTreeMap, net::Ipv6Addr};

use anyhow::{Context as _, Result};
use etherparse::PacketBuilder;
use ssa_common::verdict::Reason;

use super::{
    law::Law,
    site::{PORT, PREFIX},
};

/// Where the flood says that its frames come from.
const MAC: [u8; 6] = [2, 0, 0, 0, 0, 0xbd];

/// Spoofed frames and what is to become of them.
pub(super) struct Flood {
    pub(super) frames: Vec<Vec<u8>>,
    /// Frames by reason.
    pub(super) expected: BTreeMap<&'static str, u64>,
    /// Source and destination of one that is dropped.
    pub(super) dropped: Option<(Ipv6Addr, Ipv6Addr)>,
}

impl Flood {
    pub(super) fn new(count: usize, router: [u8; 6], law: &Law, time: u64) -> Result<Self> {
        let mut flood = Self { frames: Vec::with_capacity(count), expected: BTreeMap::new(), dropped: None };
        for _ in 0..count {
            let (source, destination) = (anywhere(), in_the_prefix());
            let frame = syn(source, destination, router)?;
            let reason = law.reason(&frame, time);
            *flood.expected.entry(reason.name()).or_default() += 1;
            if reason != Reason::Conform {
                flood.dropped = Some((source, destination));
            }
            flood.frames.push(frame);
        }
        Ok(flood)
    }
}

/// An address of global unicast (`2000::/3`) outside `2001::/16`, where the demo's own networks are.
pub(super) fn anywhere() -> Ipv6Addr {
    loop {
        let address = Ipv6Addr::from_bits(rand::random::<u128>() >> 3 | 1 << 125);
        if address.segments()[0] != 0x2001 {
            return address;
        }
    }
}

/// An address of the service.
pub(super) fn in_the_prefix() -> Ipv6Addr {
    Ipv6Addr::from_bits(PREFIX.to_bits() | u128::from(rand::random::<u64>()))
}

/// The first segment of a TCP connection to the service.
pub(super) fn syn(source: Ipv6Addr, destination: Ipv6Addr, router: [u8; 6]) -> Result<Vec<u8>> {
    let (port, number) = (rand::random_range(1024..=u16::MAX), rand::random());
    let builder = PacketBuilder::ethernet2(MAC, router)
        .ipv6(source.octets(), destination.octets(), 64)
        .tcp(port, PORT, number, 64_000)
        .syn();
    let mut frame = Vec::new();
    builder.write(&mut frame, &[]).context("a SYN cannot be written")?;
    Ok(frame)
}
