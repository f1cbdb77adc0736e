//! A frame's upper layer in; control traffic, ICMPv6 errors and refused protocols told, out (DESIGN §4 steps 3 and 5).

use super::{
    Tables,
    connection::{Connection, judge_connection},
    tunnel::{Tunnel, judge_tunnel},
};
use crate::{
    bits::Words,
    layout::ALLOWED,
    parse::{self, Frame, HEADER_OCTETS, Header, Link, Upper, protocol},
    rows::{AllowRow, BankRow, FLAG_ALLOW},
    rule::Pair,
    verdict::Reason,
};

/// A frame whose upper layer can be judged.
pub trait Traffic: Frame {
    /// DESIGN §4 step 1: what the link layer carries.
    #[inline(always)]
    fn link(&self) -> Link {
        parse::link(self)
    }

    /// DESIGN §4 steps 3 and 5: what the upper layer says.
    #[inline(always)]
    fn upper(&self, tables: &impl Tables, case: Above) -> Said {
        judge_upper(self, tables, case)
    }

    /// DESIGN §4 step 9: what another endpoint sent in this frame, whose header is at `network`.
    #[inline(always)]
    fn tunnel(&self, tables: &impl Tables, bank: &BankRow, network: u32) -> Option<Tunnel> {
        judge_tunnel(self, tables, bank, network)
    }

    /// DESIGN §4 step 10: what this frame, whose header is at `network`, is to the connections of this host. Where none are
    /// known, it has none.
    #[inline(always)]
    fn connection(&self, network: u32) -> Connection {
        judge_connection(self, network, |_| false)
    }

    /// DESIGN §4 step 7: whether this frame goes on with what is known. Where nothing is remembered, it does not.
    #[inline(always)]
    fn is_known(&self, _case: Known) -> bool {
        false
    }

    /// The same frame, read at offsets that the frame itself gives.
    fn far(&self) -> impl Frame;

    /// The same frame, as if nothing had been read of it yet: what the common way has read is not kept for the others.
    fn again(&self) -> impl Traffic;
}

impl Traffic for &[u8] {
    fn far(&self) -> impl Frame {
        *self
    }

    fn again(&self) -> impl Traffic {
        *self
    }
}

/// What the upper layer says of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Nothing: it is judged by its addresses.
    Nothing,
    /// Its reason.
    Settled(Reason),
    /// It is an error about a packet whose IPv6 header begins at this offset.
    Error(u32),
}

/// What is asked of a frame of a service that lets in what is known.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// The row of its service.
    pub service: u32,
    /// Where its IPv6 header begins.
    pub network: u32,
    /// The prefix's flags.
    pub flags: u32,
    /// It follows the rule: if flows are remembered, its own is from now on.
    pub conforms: bool,
}

/// What the upper layer is judged with.
#[derive(Clone, Copy, Debug)]
pub struct Above {
    /// The prefix the frame is for.
    pub slot: u32,
    /// The row of its service.
    pub service: u32,
    /// Where its IPv6 header begins.
    pub network: u16,
    /// That header's next header.
    pub next: u8,
    /// That header's hop limit.
    pub hop_limit: u8,
}

/// What [`Traffic::upper`] says, wherever it runs.
#[inline(always)]
pub fn judge_upper(frame: &(impl Frame + ?Sized), tables: &impl Tables, case: Above) -> Said {
    const PACKET_TOO_BIG: u16 = 2;
    const MINIMUM_MTU: u32 = 1280;
    let upper = parse::upper(frame, case.next, u32::from(case.network) + HEADER_OCTETS);
    if let Upper::Found { protocol: protocol::ICMPV6, offset, fragment: false } = upper
        && let Some(head) = frame.read_u16(offset)
    {
        let (kind, code) = (head >> 8, head & 0xff);
        match kind {
            133..=137 | 141 | 142 | 148 | 149 if code == 0 && case.hop_limit == 255 => {
                return Said::Settled(Reason::Control);
            }
            PACKET_TOO_BIG if frame.read_u32(offset + 4).is_none_or(|mtu| mtu < MINIMUM_MTU) => {
                return Said::Settled(Reason::BadIcmpError);
            }
            1..=4 => return Said::Error(offset + 8),
            _ => {}
        }
    }
    match tables.prefix(case.slot) {
        Some(row) if row.flags & FLAG_ALLOW != 0 => refused(frame, tables, case.service, upper),
        _ => Said::Nothing,
    }
}

/// The mirror of the packet at `offset` that an ICMPv6 error carries, if `destination` may have sent that packet.
#[inline(always)]
pub(super) fn embedded(frame: &impl Frame, offset: u32, destination: Words) -> Option<Pair> {
    let embedded = Header::read(frame, offset)?;
    let mirror = Pair { source: embedded.destination, destination: embedded.source };
    (mirror.destination == destination).then_some(mirror)
}

/// Why the service's `allow` list refuses this frame, if it does.
#[inline(always)]
fn refused(frame: &(impl Frame + ?Sized), tables: &impl Tables, service: u32, upper: Upper) -> Said {
    let (protocol, offset) = match upper {
        Upper::Found { protocol, offset, .. } => (protocol, offset),
        // A later fragment has no ports and is judged by address.
        Upper::Later => return Said::Nothing,
        Upper::Unknown => return Said::Settled(Reason::Unparsable),
    };
    let Some(service) = tables.service(service) else { return Said::Settled(Reason::Protocol) };
    // The same place in TCP, UDP, SCTP and DCCP.
    let destination = frame.read_u16(offset + 2);
    let mut unknown = false;
    for (index, AllowRow { protocol: allowed, port, any_port }) in service.allow.iter().enumerate() {
        if index >= (service.allowed as usize).min(ALLOWED) {
            break;
        }
        if *allowed == protocol {
            if *any_port != 0 || destination == Some(*port) {
                return Said::Nothing;
            }
            unknown |= destination.is_none();
        }
    }
    Said::Settled(if unknown { Reason::Unparsable } else { Reason::Protocol })
}
