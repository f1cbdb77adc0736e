//! A frame that is not plainly good: kept as an event, carried with low priority.

use aya_ebpf::{bindings::xdp_md, programs::XdpContext};
use ssa_common::{judge::Judged, rows::LOW_OTHERWISE, verdict::Treatment};

use crate::{events, packet::Packet, suspects};

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
