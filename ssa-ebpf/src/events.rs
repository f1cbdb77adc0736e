//! A frame that is not plainly good in; now and then an event of it, in the ring of this CPU, out (DESIGN §4 step 11).
//!
//! Each CPU has a ring for itself, writes over the oldest event, and waits for nobody who reads.

use aya_ebpf::helpers::generated::{bpf_get_smp_processor_id, bpf_jiffies64, bpf_ktime_get_boot_ns};
use ssa_common::{
    judge::{Tables as _, after},
    layout::HEAD,
    rows::{EventGateRow, Refused, TICK_PARTS},
    verdict::Verdict,
};

use crate::{
    maps::{EVENT_GATES, EVENT_RATE, EVENTS, Kernel},
    packet::Packet,
    refused,
};

/// Whether the bank in force wants events, and it is time for one.
#[inline(always)]
pub fn are_wanted() -> bool {
    Kernel.bank().is_some_and(|bank| bank.events != 0) && is_due()
}

/// Whether this CPU may write another event: a flood has an answer at the cost of two loads.
#[inline(always)]
pub fn is_due() -> bool {
    // SAFETY: no arguments; newer verifiers inline it.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    EVENT_GATES.get_ptr(cpu).is_some_and(|gate| {
        // SAFETY: the map owns the row. The controller may store to it meanwhile, so the load is volatile.
        unsafe { (&raw const (*gate).next).read_volatile() <= now() }
    })
}

/// Time since boot, in [`TICK_PARTS`]s of a tick.
#[inline(always)]
fn now() -> u64 {
    // SAFETY: no arguments; the verifier inlines it to a load.
    unsafe { bpf_jiffies64() }.wrapping_mul(TICK_PARTS)
}

/// Writes an event. None: there are no rings.
#[inline(always)]
pub fn write(packet: &Packet<true>, first_cell: u32, cell: u32) -> Option<()> {
    // SAFETY: no arguments; newer verifiers inline it.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    let bank = Kernel.bank()?;
    let rate = EVENT_RATE.get(0)?;
    let gate = EVENT_GATES.get_ptr_mut(cpu)?;
    // SAFETY: the map owns the row, and this CPU alone counts in it.
    let number = unsafe { (*gate).written };
    let place = u64::from(cpu).wrapping_mul(rate.mask.wrapping_add(1)).wrapping_add(number & rate.mask);
    let Some(row) = EVENTS.get_ptr_mut(place as u32) else {
        refused::count(Refused::Event);
        return None;
    };
    let octets = packet.length() as u32;
    // SAFETY: the map owns the row, and this CPU alone writes it. Readers may copy what is half written, and see by its sum
    // that it is; so the stores are volatile.
    unsafe {
        (&raw mut (*row).ticket).write_volatile(number.wrapping_add(1));
        (&raw mut (*row).time).write_volatile(bpf_ktime_get_boot_ns());
        (&raw mut (*row).generation).write_volatile(bank.generation);
        (&raw mut (*row).octets).write_volatile(octets);
        (&raw mut (*row).interface).write_volatile(packet.interface());
        (&raw mut (*row).queue).write_volatile(packet.queue());
        // There are hop rows for each CPU, and cells for one more.
        let cells = bank.hops.wrapping_add(1).wrapping_mul(Verdict::CELLS);
        (&raw mut (*row).service).write_volatile(first_cell.checked_div(cells).unwrap_or(0));
        (&raw mut (*row).cell).write_volatile(cell);
        let wanted = if octets < HEAD as u32 { octets } else { HEAD as u32 };
        let captured = if packet.copy(wanted, &raw mut (*row).head) { wanted } else { 0 };
        (&raw mut (*row).captured).write_volatile(captured);
        (&raw mut (*row).check).write_volatile((*row).sum());
    }
    count(gate, number, rate.interval, rate.tolerance);
    Some(())
}

/// Notes that an event was written, and from when on there may be another.
#[inline(always)]
fn count(gate: *mut EventGateRow, number: u64, interval: u64, tolerance: u64) {
    // SAFETY: the map owns the row. Only the controller stores to `next` besides, when the rate is another.
    unsafe {
        let next = (&raw const (*gate).next).read_volatile();
        (&raw mut (*gate).next).write_volatile(after(next, now(), interval, tolerance));
        (&raw mut (*gate).written).write_volatile(number.wrapping_add(1));
    }
}
