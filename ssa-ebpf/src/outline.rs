//! What few frames need, as global functions: arguments by value in, a number out.
//!
//! The verifier checks a global function once, by itself, whatever leads to it; inlined, the same code is checked again on
//! every path, and a million instructions are soon gone. It costs a call on paths that are rare or long.
//!
//! Length: what is called by value, and the words for it on both sides, stand in one file.

use core::hint::black_box;

use aya_ebpf::{bindings::xdp_md, programs::XdpContext};
use ssa_common::{
    bits::Words,
    judge::{
        self, Above, At, Connection, Judged, Known, Origin, Part, Said, Source, Tunnel, Wrap, judge_block,
        judge_block_among, judge_block_by, judge_connection, judge_part, judge_source, judge_tunnel, judge_upper,
    },
    parse::{self, Link},
    rows::{BankRow, LOW_OTHERWISE, Refused},
    rule::{Pair, epoch::Window, mac::Message},
    sha256::{self, Block},
    verdict::{Reason, Treatment},
};

use crate::{
    action::Way, clock::Jiffies, events, hops, known, link::MAX_LINK, maps::Kernel, packet::Packet, refused, shares,
    sockets, steer, suspects, too_big, tunnel,
};

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

/// [`judge_source`]. Which bank is in force may change meanwhile, and is not asked again.
#[inline(always)]
pub fn source(bank: &BankRow, slot: u32, source: Words) -> Source {
    match ssa_source(bank.place, slot, source.hi, source.lo) {
        GOOD => Source::Good,
        ONLY_CONTROL => Source::OnlyControl,
        _ => Source::Bad,
    }
}

const GOOD: u32 = 0;
const ONLY_CONTROL: u32 = 1;
const BAD: u32 = 2;

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_source(bank: u32, slot: u32, hi: u64, lo: u64) -> u32 {
    let Some(bank) = Kernel::bank_of(bank.into()) else { return BAD };
    match judge_source(&Kernel, bank, slot, Words { hi, lo }) {
        Source::Good => GOOD,
        Source::OnlyControl => ONLY_CONTROL,
        Source::Bad => BAD,
    }
}

/// [`judge::find_later`].
#[inline(always)]
pub fn find_later(bank: &BankRow, address: Words) -> Option<u32> {
    match ssa_find(bank.place, address.hi, address.lo) {
        0 => None,
        slot => Some(slot - 1),
    }
}

/// One more than the slot, or 0.
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_find(bank: u32, hi: u64, lo: u64) -> u32 {
    let slot = Kernel::bank_of(bank.into()).and_then(|bank| judge::find_later(&Kernel, bank, Words { hi, lo }));
    slot.map_or(0, |slot| slot.wrapping_add(1))
}

/// [`judge_block`].
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ssa_blocked(bank: u32, hi: u64, lo: u64) -> u32 {
    u32::from(judge_block(&Kernel, bank, Words { hi, lo }, &Jiffies))
}

/// [`judge_block_among`].
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ssa_blocked_among(bank: u32, lengths: u64, hi: u64, lo: u64) -> u32 {
    let lengths = [(lengths >> 32) as u32, lengths as u32];
    u32::from(judge_block_among(&Kernel, bank, lengths, Words { hi, lo }, &Jiffies))
}

/// [`judge_block_by`].
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ssa_blocked_by(bank: u32, length: u32, hi: u64, lo: u64) -> u32 {
    u32::from(judge_block_by(&Kernel, bank, length as u8, Words { hi, lo }, &Jiffies))
}

/// [`judge_part`].
#[inline(always)]
pub fn part(part: Part, at: At, pair: Pair) -> Reason {
    let case = u64::from(at.slot) | u64::from(at.previous) << 32 | u64::from(at.window == Window::Past) << 33;
    let Pair { source, destination } = pair;
    let part = match part {
        Part::Fields => ssa_fields,
        Part::Macs => ssa_macs,
        Part::Pows => ssa_pows,
    };
    reason(part(case, source.hi, source.lo, destination.hi, destination.lo))
}

macro_rules! part {
    ($name:ident, $part:expr) => {
        #[unsafe(no_mangle)]
        #[inline(never)]
        extern "C" fn $name(case: u64, source_hi: u64, source_lo: u64, to_hi: u64, to_lo: u64) -> u32 {
            let at = At {
                slot: case as u32,
                previous: case >> 32 & 1 != 0,
                window: if case >> 33 & 1 != 0 { Window::Past } else { Window::Now },
            };
            // Seen as used: the compiler leaves an argument that nobody uses unset, and the verifier refuses the call.
            let source = Words { hi: source_hi, lo: black_box(source_lo) };
            let pair = Pair { source, destination: Words { hi: to_hi, lo: to_lo } };
            judge_part(&Kernel, $part, at, pair, &Jiffies) as u32
        }
    };
}

part!(ssa_fields, Part::Fields);
part!(ssa_macs, Part::Macs);
part!(ssa_pows, Part::Pows);

/// [`Message::holds`].
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ssa_mac(message: *const Message) -> u32 {
    // SAFETY: the verifier lets a caller pass only a whole message or null.
    u32::from(unsafe { message.as_ref() }.is_some_and(Message::holds))
}

/// [`sha256::first_bits`].
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ssa_sha256(block: *mut Block) -> u64 {
    // SAFETY: the verifier lets a caller pass only a whole block or null.
    unsafe { block.as_mut() }.map_or(u64::MAX, sha256::first_bits)
}

/// A reason that came back as its number.
#[inline(always)]
fn reason(number: u32) -> Reason {
    // A row of comparisons and no table: the verifier knows nothing of the number's range.
    let mut index = 0;
    while index < Reason::ALL.len() - 1 {
        if number == Reason::ALL[index] as u32 {
            return Reason::ALL[index];
        }
        index += 1;
    }
    Reason::Malformed
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

/// Whether a source prefix of a service is above its share of the frames that conform.
#[inline(always)]
pub fn is_above_share(service: u32, source: Words) -> bool {
    ssa_share(service, source.hi) != 0
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_share(service: u32, source: u64) -> u32 {
    u32::from(shares::is_above(service, source) == Some(true))
}

/// Asks the kernel the way to the endpoint that a frame goes to, and keeps it for this CPU.
#[inline(always)]
pub fn resolve(packet: &Packet, judged: &Judged) {
    ssa_resolve(packet.raw(), judged.to.wrapping_sub(1), judged.hop);
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_resolve(context: *mut xdp_md, place: u32, hop: u32) -> u32 {
    let context = XdpContext::new(context);
    u32::from(hops::resolve(&Packet::<true>::new(&context), place, hop).is_some())
}

/// Makes a frame the ICMPv6 error that says it is too long for the next link, addressed to its source. False: it goes
/// nowhere.
#[inline(always)]
pub fn too_big(packet: &Packet, judged: &Judged, mtu: u32) -> bool {
    let place = u64::from(judged.to.wrapping_sub(1)) | u64::from(judged.hop) << 32;
    ssa_too_big(packet.raw(), place, judged.network, mtu) != 0
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_too_big(context: *mut xdp_md, place: u64, network: u32, mtu: u32) -> u32 {
    let context = XdpContext::new(context);
    let (place, hop) = (place as u32, (place >> 32) as u32);
    u32::from(too_big::answer(&Packet::<true>::new(&context), (place, hop), network, mtu).is_some())
}

/// [`steer::send`].
#[inline(always)]
pub fn send(packet: &Packet, judged: &Judged) -> Way {
    let wrap = match judged.wrap {
        Wrap::Bare => 0,
        Wrap::Steered => 1,
        Wrap::Last => 2,
        Wrap::Tight => 3,
    };
    let low = u64::from(judged.treatment == Treatment::LowPriority);
    let frame = u64::from(judged.network) | u64::from(judged.octets) << 32;
    match ssa_send(packet.raw(), u64::from(judged.to) | wrap << 32 | low << 34, judged.hop, frame) {
        NOWHERE => Way::Nowhere,
        ANSWER => Way::Answer,
        KEPT => Way::Kept,
        BACK => Way::Back,
        out => Way::Out((out >> 32) as u32),
    }
}

const NOWHERE: u64 = 0;
const ANSWER: u64 = 1;
const KEPT: u64 = 2;
const BACK: u64 = 3;
const OUT: u64 = 4;

/// The endpoint's place, how the frame goes there and its priority; the endpoint's ways; where the frame begins and its
/// octets. An interface comes back above [`OUT`].
#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_send(context: *mut xdp_md, to: u64, hop: u32, frame: u64) -> u64 {
    let context = XdpContext::new(context);
    let wrap = match to >> 32 & 3 {
        0 => Wrap::Bare,
        1 => Wrap::Steered,
        2 => Wrap::Last,
        _ => Wrap::Tight,
    };
    let treatment = if to >> 34 & 1 != 0 { Treatment::LowPriority } else { Treatment::Forward };
    // A link header has at most 30 octets, and what was wrapped is behind 40 more.
    let network = frame as u32 & 0x7f;
    if network > MAX_LINK {
        tunnel::keep_congestion(&Packet::<true>::new(&context), network);
    }
    let judged = Judged { treatment, network, octets: (frame >> 32) as u32, to: to as u32, hop, wrap, ..Judged::NONE };
    match steer::send(&Packet::new(&context), &judged) {
        Way::Nowhere | Way::Stack => NOWHERE,
        Way::Answer => ANSWER,
        Way::Kept => KEPT,
        Way::Back => BACK,
        Way::Out(interface) => OUT | u64::from(interface) << 32,
    }
}

/// Counts a frame that found no room to be wrapped.
#[inline(always)]
pub fn no_room() {
    ssa_no_room();
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_no_room() -> u32 {
    refused::count(Refused::Wrapping);
    // Seen as used: the compiler makes of a function that always says the same one that says nothing.
    black_box(0)
}

/// Takes away what an endpoint has wrapped around the packet at `network`, and leaves the link header before it.
#[inline(always)]
pub fn strip(packet: &Packet, network: u32) -> bool {
    ssa_strip(packet.raw(), network) != 0
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_strip(context: *mut xdp_md, network: u32) -> u32 {
    let context = XdpContext::new(context);
    u32::from(tunnel::strip(&Packet::<true>::new(&context), network).is_some())
}

/// [`events::write`], if the bank in force wants events and it is time for another: the service is told by its first cell,
/// which is at hand.
#[inline(always)]
pub fn event_if_due(packet: &Packet, judged: &Judged) {
    ssa_event(packet.raw(), judged.first_cell, judged.cell);
}

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_event(context: *mut xdp_md, first_cell: u32, cell: u32) -> u32 {
    if !events::are_wanted() {
        return 0;
    }
    let context = XdpContext::new(context);
    u32::from(events::write(&Packet::<true>::new(&context), first_cell, cell).is_some())
}

/// [`suspects::carry`], of a suspect whose low priority is more than the code point.
#[inline(always)]
pub fn suspect(packet: &Packet, judged: &Judged) -> Option<u32> {
    let case = u64::from(judged.low)
        | u64::from(judged.network) << 16
        | u64::from(judged.strip) << 24
        | u64::from(judged.cell) << 32
        | u64::from(judged.to != 0) << 40
        | u64::from(judged.bank) << 44
        | u64::from(judged.service) << 48;
    let counted = u64::from(judged.first_cell) | u64::from(judged.octets) << 32;
    let slice = u64::from(judged.slice) | u64::from(judged.slice_cells) << 32;
    let action = ssa_suspect(packet.raw(), case, counted, slice);
    (action != SENT_ON).then_some(action)
}

const SENT_ON: u32 = u32::MAX;

#[unsafe(no_mangle)]
#[inline(never)]
extern "C" fn ssa_suspect(context: *mut xdp_md, case: u64, counted: u64, slice: u64) -> u32 {
    let context = XdpContext::new(context);
    let judged = Judged {
        low: case as u32 & LOW_OTHERWISE,
        network: (case >> 16) as u32 & 0x7f,
        strip: (case >> 24) as u32 & 0xff,
        cell: (case >> 32) as u32 & 0xff,
        to: (case >> 40) as u32 & 1,
        bank: (case >> 44) as u32 & 3,
        service: (case >> 48) as u32,
        first_cell: counted as u32,
        octets: (counted >> 32) as u32,
        slice: slice as u32,
        slice_cells: (slice >> 32) as u32,
        treatment: Treatment::LowPriority,
        ..Judged::NONE
    };
    suspects::carry(&Packet::new(&context), &judged).unwrap_or(SENT_ON)
}
