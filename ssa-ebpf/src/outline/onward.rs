//! A frame sent on to its endpoint.

use core::hint::black_box;

use aya_ebpf::{bindings::xdp_md, programs::XdpContext};
use ssa_common::{
    judge::{Judged, Wrap},
    rows::Refused,
    verdict::Treatment,
};

use crate::{action::Way, hops, link::MAX_LINK, packet::Packet, refused, steer, too_big, tunnel};

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
