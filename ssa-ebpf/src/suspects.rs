//! A suspect in; what its service does with those, by its settings and what is kept of them on this CPU, out.

use aya_ebpf::helpers::generated::{bpf_get_smp_processor_id, bpf_jiffies64};
use ssa_common::{
    judge::{Judged, take},
    rows::{FLAG_LOW_PLAIN, LowRow, SuspectsRow},
    verdict::Treatment,
};

use crate::{
    action, counters,
    maps::{Kernel, SERVICES, SUSPECTS},
    outline,
    packet::Packet,
};

/// Does what is said of a suspect that stays on this host, and counts it; so of one for which there is no room. Another is
/// to be sent on: then nothing comes back, and its code point is written.
#[inline(always)]
pub fn carry(packet: &Packet, judged: &Judged) -> Option<u32> {
    let judged = judged.admitted(&Kernel);
    // As it came in.
    outline::event_if_due(packet, &judged);
    if judged.treatment == Treatment::LowPriority && judged.low & FLAG_LOW_PLAIN == 0 {
        packet.mark(judged.network);
    }
    if judged.to != 0 {
        return None;
    }
    counters::count(&judged, packet.octets(&judged));
    counters::count_slice(&judged);
    Some(action::suspect(packet, &judged, Suspects::of(judged.bank, judged.service)))
}

/// The suspects of a service on this CPU.
pub struct Suspects {
    /// What becomes of them.
    pub low: &'static LowRow,
    kept: *mut SuspectsRow,
}

impl Suspects {
    /// Those of a service by its number, in a bank by its place.
    #[inline(always)]
    pub fn of(bank: u32, service: u32) -> Option<Self> {
        let bank = Kernel::bank_of(bank.into())?;
        let low = &SERVICES.get(bank.first_service.wrapping_add(service))?.low;
        // SAFETY: no arguments; newer verifiers inline it.
        let cpu = unsafe { bpf_get_smp_processor_id() };
        // Hop rows are by CPU too.
        let kept = SUSPECTS.get_ptr_mut(service.wrapping_mul(bank.hops).wrapping_add(cpu))?;
        Some(Self { low, kept })
    }

    /// Takes room for one, if there is any.
    #[inline(always)]
    pub fn take(&self) -> bool {
        // SAFETY: the map owns the row. This CPU alone uses it, and XDP does not interrupt itself on a CPU.
        unsafe { take(self.low, &mut *self.kept, bpf_jiffies64()) }
    }

    /// Counts one that could not be marked.
    #[inline(always)]
    pub fn count_unmarked(&self) {
        // SAFETY: as above.
        unsafe { (*self.kept).unmarked = (*self.kept).unmarked.wrapping_add(1) };
    }

    /// Counts one that found no queue.
    #[inline(always)]
    pub fn count_unqueued(&self) {
        // SAFETY: as above.
        unsafe { (*self.kept).unqueued = (*self.kept).unqueued.wrapping_add(1) };
    }
}
