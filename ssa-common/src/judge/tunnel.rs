//! A frame to no service in; the frame of a service that another endpoint sent in it (RFC 2473) out.

use super::{Tables, find::find, steer::Origin};
use crate::{
    bits::Words,
    parse::{Frame, HEADER_OCTETS, Header, protocol},
    rows::BankRow,
};

/// What another endpoint sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tunnel {
    /// The prefix that the inner frame is for.
    pub slot: u32,
    /// How often it was sent on.
    pub origin: Origin,
}

/// The bit of the outer flow label that says [`Origin::Steered`]. Hosts other than ours may set it: what then goes on once
/// more goes no further.
pub const STEERED: u32 = 1 << 19;
/// Halvings that find one of the endpoints.
const HALVINGS: u32 = 12;

/// What [`Traffic::tunnel`](super::Traffic::tunnel) says, wherever it runs: the outer header is at `network`.
///
/// It must come from an endpoint of the config to this host, and carry a packet to a service. All else is left alone.
#[inline(always)]
pub fn judge_tunnel(
    frame: &(impl Frame + ?Sized),
    tables: &impl Tables,
    bank: &BankRow,
    network: u32,
) -> Option<Tunnel> {
    let host = bank.host.checked_sub(1)?;
    let outer = Header::read(frame, network)?;
    let address = tables.endpoint(bank.first_endpoint.wrapping_add(host))?.address;
    if outer.next != protocol::IPV6 || outer.destination != address {
        return None;
    }
    // Nobody but this host has its address, and it sends itself nothing.
    if outer.source == address || !is_endpoint(tables, bank, outer.source) {
        return None;
    }
    let inner = Header::read(frame, network + HEADER_OCTETS)?;
    // An endpoint takes one off. Else whoever uses its address could send neighbour discovery from afar (RFC 4861 §3.1).
    if inner.hop_limit == u8::MAX {
        return None;
    }
    let slot = find(tables, bank, inner.destination)?.slot;
    let steered = frame.read_u32(network)? & STEERED != 0;
    Some(Tunnel { slot, origin: if steered { Origin::Steered } else { Origin::Last } })
}

/// Whether this is the address of an endpoint: by bisection, as they stand in the order of their addresses.
#[inline(always)]
fn is_endpoint(tables: &impl Tables, bank: &BankRow, address: Words) -> bool {
    let (mut first, mut count) = (0, bank.endpoints);
    for _ in 0..HALVINGS {
        if count == 0 {
            return false;
        }
        let half = count / 2;
        let Some(row) = tables.endpoint(bank.first_endpoint.wrapping_add(first + half)) else { return false };
        if row.address == address {
            return true;
        }
        if (row.address.hi, row.address.lo) < (address.hi, address.lo) {
            first += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    false
}
