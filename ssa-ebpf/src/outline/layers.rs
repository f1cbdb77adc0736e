//! What a frame carries: link headers, the upper layer, another endpoint's packet, a connection.

use core::hint::black_box;

use aya_ebpf::{bindings::xdp_md, programs::XdpContext};
use ssa_common::{
    judge::{Above, Connection, Known, Origin, Said, Tunnel, judge_connection, judge_tunnel, judge_upper},
    parse::{self, Link},
    rows::BankRow,
};

use super::rule::reason;
use crate::{known, maps::Kernel, packet::Packet, sockets};

/// [`parse::link`].
#[inline(always)]
pub fn link<const FAR: bool>(packet: &Packet<FAR>) -> Link {
    // The compiler sees how far the number goes, and the verifier does not: so neither shall.
    match black_box(ssa_link(packet.raw())) {
        FOREIGN => Link::Foreign,
        TOO_DEEP => Link::TooDeep,
        // A link header has at most 30 octets.
        network => Link::Ipv6(network & 0x1f),
    }
}

const FOREIGN: u32 = 0;
const TOO_DEEP: u32 = 1;

/// Where the IPv6 header begins, or one of the others.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_link(context: *mut xdp_md) -> u32 {
    match parse::link(&Packet::<false>::new(&XdpContext::new(context))) {
        Link::Foreign => FOREIGN,
        Link::TooDeep => TOO_DEEP,
        Link::Ipv6(network) => network,
    }
}

/// [`judge_upper`].
#[inline(always)]
pub fn upper<const FAR: bool>(packet: &Packet<FAR>, case: Above) -> Said {
    let header = u64::from(case.network)
        | u64::from(case.next) << 16
        | u64::from(case.hop_limit) << 24
        | u64::from(case.service) << 32;
    let said = ssa_upper(packet.raw(), case.slot, header);
    match said >> 16 {
        0 if said == 0 => Said::Nothing,
        0 => Said::Settled(reason(said)),
        offset => Said::Error(offset),
    }
}

/// 0 for nothing, a reason's number (none is `conform`, 0), or an offset shifted by 16.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_upper(context: *mut xdp_md, slot: u32, header: u64) -> u32 {
    let context = XdpContext::new(context);
    let case = Above {
        slot,
        service: (header >> 32) as u32,
        network: header as u16,
        next: (header >> 16) as u8,
        hop_limit: (header >> 24) as u8,
    };
    match judge_upper(&Packet::<true>::new(&context), &Kernel, case) {
        Said::Nothing => 0,
        Said::Settled(reason) => reason as u32,
        Said::Error(offset) => offset << 16,
    }
}

/// [`judge_tunnel`].
#[inline(always)]
pub fn tunnel<const FAR: bool>(packet: &Packet<FAR>, bank: &BankRow, network: u32) -> Option<Tunnel> {
    let said = ssa_tunnel(packet.raw(), bank.place, network);
    let slot = (said as u32).checked_sub(1)?;
    Some(Tunnel { slot, origin: if said >> 32 != 0 { Origin::Steered } else { Origin::Last } })
}

/// One more than the slot, with a bit above 32 for [`Origin::Steered`]; or 0.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_tunnel(context: *mut xdp_md, bank: u32, network: u32) -> u64 {
    let context = XdpContext::new(context);
    let Some(bank) = Kernel::bank_of(bank.into()) else { return 0 };
    judge_tunnel(&Packet::<true>::new(&context), &Kernel, bank, network)
        .map_or(0, |tunnel| u64::from(tunnel.slot.wrapping_add(1)) | u64::from(tunnel.origin == Origin::Steered) << 32)
}

/// [`judge_connection`].
#[inline(always)]
pub fn connection<const FAR: bool>(packet: &Packet<FAR>, network: u32) -> Connection {
    match ssa_connection(packet.raw(), network) {
        NO_CONNECTION => Connection::None,
        CONNECTION_HERE => Connection::Here,
        _ => Connection::Elsewhere,
    }
}

const NO_CONNECTION: u32 = 0;
const CONNECTION_HERE: u32 = 1;
const CONNECTION_ELSEWHERE: u32 = 2;

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_connection(context: *mut xdp_md, network: u32) -> u32 {
    let context = XdpContext::new(context);
    let packet = Packet::<true>::new(&context);
    match judge_connection(&packet, network, |ends| sockets::has(&packet, network, ends)) {
        Connection::None => NO_CONNECTION,
        Connection::Here => CONNECTION_HERE,
        Connection::Elsewhere => CONNECTION_ELSEWHERE,
    }
}

/// Whether a frame goes on with what is known.
#[inline(always)]
pub fn known<const FAR: bool>(packet: &Packet<FAR>, case: Known) -> bool {
    let place = u64::from(case.network) | u64::from(case.service) << 32;
    ssa_known(packet.raw(), place, case.flags, u32::from(case.conforms)) != 0
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_known(context: *mut xdp_md, place: u64, flags: u32, conforms: u32) -> u32 {
    let packet = Packet::<true>::new(&XdpContext::new(context));
    let (network, service) = (place as u32, (place >> 32) as u32);
    u32::from(known::is_known(&packet, Known { service, network, flags, conforms: conforms != 0 }))
}
