//! A verdict in, an XDP action out: the one place where action codes stand.

use aya_ebpf::bindings::xdp_action;
use ssa_common::{
    judge::Judged,
    layout::MARK_MAGIC,
    rows::{FLAG_LOW_CPU, FLAG_LOW_MARK, LowRow, MarkRow},
    verdict::Treatment,
};

use crate::{outline, packet::Packet, suspects::Suspects};

/// What the clock probe returns.
pub const PROBED: u32 = xdp_action::XDP_DROP;

/// How a frame leaves the program, if the verdict does not drop it.
#[derive(Clone, Copy)]
pub enum Way {
    /// It does not.
    Nowhere,
    /// It is dropped, and an error for its sender goes back in its place.
    Answer,
    /// To this host's stack.
    Stack,
    /// To this host's stack, as it came from where it would go.
    Kept,
    /// By the interface that it came in by.
    Back,
    /// By another interface.
    Out(u32),
}

/// Does what the verdict says of a frame that stays on this host as it is.
#[inline(always)]
pub fn plain(packet: &Packet, judged: &Judged) -> u32 {
    match judged.treatment {
        Treatment::Drop => return xdp_action::XDP_DROP,
        Treatment::LowPriority => packet.mark(judged.network),
        Treatment::Pass | Treatment::Forward => {}
    }
    xdp_action::XDP_PASS
}

/// Does what the verdict says of any frame.
#[inline(always)]
pub fn apply(packet: &Packet, judged: &Judged, way: Way) -> u32 {
    match judged.treatment {
        Treatment::Drop if matches!(way, Way::Answer) => return xdp_action::XDP_TX,
        Treatment::Drop => return xdp_action::XDP_DROP,
        Treatment::LowPriority if matches!(way, Way::Stack | Way::Kept) => packet.mark(judged.network),
        Treatment::LowPriority | Treatment::Pass | Treatment::Forward => {}
    }
    match way {
        // What cannot be unpacked has been read before: the kernel has no memory to move it.
        Way::Stack if judged.strip != 0 && !outline::strip(packet, judged.network) => xdp_action::XDP_DROP,
        Way::Stack | Way::Kept => xdp_action::XDP_PASS,
        Way::Back | Way::Answer => xdp_action::XDP_TX,
        Way::Nowhere => xdp_action::XDP_DROP,
        Way::Out(interface) => packet.leave_by(interface),
    }
}

/// Drops a suspect, or marks it for the host's queues and lets it wait for a CPU. What cannot be done is counted, and the
/// frame goes on.
#[inline(always)]
pub fn suspect(packet: &Packet, judged: &Judged, suspects: Option<Suspects>) -> u32 {
    match judged.treatment {
        Treatment::Drop => return xdp_action::XDP_DROP,
        Treatment::LowPriority | Treatment::Pass | Treatment::Forward => {}
    }
    if judged.strip != 0 && !outline::strip(packet, judged.network) {
        return xdp_action::XDP_DROP;
    }
    let Some(suspects) = suspects else { return xdp_action::XDP_PASS };
    let LowRow { cpu, mark, priority, .. } = *suspects.low;
    if judged.low & FLAG_LOW_MARK != 0 && !packet.describe(&MarkRow { magic: MARK_MAGIC, mark, priority }) {
        suspects.count_unmarked();
    }
    if judged.low & FLAG_LOW_CPU == 0 {
        return xdp_action::XDP_PASS;
    }
    let action = packet.wait_for(cpu, xdp_action::XDP_PASS);
    if action == xdp_action::XDP_PASS {
        suspects.count_unqueued();
    }
    action
}
