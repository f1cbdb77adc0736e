//! Entry points: the filter, and the probe that tells the controller how ticks and nanoseconds lie to each other.

use aya_ebpf::{macros::xdp, programs::XdpContext};
use ssa_common::{
    judge::{Carrier, Judged, judge_common, judge_unlimited},
    verdict::Treatment,
};

use crate::{
    action::{self, Way},
    clock::Jiffies,
    counters,
    maps::Kernel,
    outline,
    packet::Packet,
    steer,
};

/// The filter. Multi-buffer frames are taken: large MTUs work in native mode.
#[xdp(frags)]
// The compiler leaves what it finds long as a function of its own, and the call costs more than the rule.
#[inline(always)]
pub fn ssa_filter(context: XdpContext) -> u32 {
    let packet: Packet = Packet::new(&context);
    match judge_common(&packet, &Kernel, &Jiffies, &Hands(&packet)) {
        Some(action) => action,
        None => {
            let packet = packet.anew();
            let mut judged = judge_unlimited(&packet, &Kernel, &Jiffies);
            if judged.low != 0 {
                if let Some(action) = outline::suspect(&packet, &judged) {
                    return action;
                }
                // An event was made of it, it has been marked, and it is sent on as it is now.
                judged.treatment = Treatment::Pass;
                judged.events = 0;
            }
            carry_on(&packet, judged, outline::send)
        }
    }
}

/// What counts a frame and lets it go where it is to go.
struct Hands<'a>(&'a Packet);

impl Carrier for Hands<'_> {
    type Done = u32;

    #[inline(always)]
    fn carry_out(&self, judged: &Judged) -> u32 {
        counters::count(judged, self.0.octets(judged));
        action::plain(self.0, judged)
    }

    #[inline(always)]
    fn carry_on(&self, judged: &Judged) -> u32 {
        carry_on(self.0, *judged, steer::send)
    }
}

/// Sends a frame where its slice says, counts it, and does what else the verdict says.
#[inline(always)]
fn carry_on(packet: &Packet, mut judged: Judged, send: impl Fn(&Packet, &Judged) -> Way) -> u32 {
    // As it came in: what is sent on is written to.
    if judged.events != 0 {
        outline::event_if_due(packet, &judged);
    }
    let octets = packet.octets(&judged);
    let mut way = Way::Stack;
    if judged.to != 0 {
        way = send(packet, &judged);
        judged = match way {
            Way::Nowhere | Way::Answer => judged.nowhere(),
            Way::Kept => judged.kept(),
            Way::Stack | Way::Back | Way::Out(_) => judged,
        };
        // The sender of what is answered is told, and of the frame nothing is left.
        if matches!(way, Way::Nowhere) && judged.events == 0 {
            outline::event_if_due(packet, &judged);
        }
    }
    counters::count(&judged, octets);
    counters::count_slice(&judged);
    action::apply(packet, &judged, way)
}

/// Run by the controller alone, never attached: writes jiffies and monotonic nanoseconds over the frame's first octets.
#[xdp]
pub fn ssa_clock(context: XdpContext) -> u32 {
    Packet::<false>::new(&context).write(0, Jiffies::reading());
    action::PROBED
}
