//! Entry points: the filter, and the probe that tells the controller how ticks and nanoseconds lie to each other.

use aya_ebpf::{macros::xdp, programs::XdpContext};
use ssa_common::judge::judge;

use crate::{
    action::{self, Way},
    clock::Jiffies,
    counters,
    maps::Kernel,
    packet::Packet,
    steer,
};

/// The filter. Multi-buffer frames are taken: large MTUs work in native mode.
#[xdp(frags)]
pub fn ssa_filter(context: XdpContext) -> u32 {
    let packet: Packet = Packet::new(&context);
    let mut judged = judge(&packet, &Kernel, &Jiffies);
    let octets = packet.octets(&judged);
    let mut way = Way::Stack;
    if judged.to != 0 {
        way = steer::send(&packet, &judged).unwrap_or(Way::Nowhere);
        if matches!(way, Way::Nowhere | Way::Answer) {
            judged = judged.nowhere();
        }
    }
    counters::count(&judged, octets);
    action::apply(&packet, &judged, way)
}

/// Run by the controller alone, never attached: writes jiffies and monotonic nanoseconds over the frame's first octets.
#[xdp]
pub fn ssa_clock(context: XdpContext) -> u32 {
    Packet::<false>::new(&context).write(0, Jiffies::reading());
    action::PROBED
}

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // The law has no panics, and the verifier would refuse a program that could reach this endless loop.
    loop {}
}

#[unsafe(link_section = "license")]
#[unsafe(no_mangle)]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";
