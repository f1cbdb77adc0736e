//! What the kernel has refused in; one of this CPU's counters moved, out. On paths alone where something failed.

use aya_ebpf::helpers::generated::bpf_get_smp_processor_id;
use ssa_common::rows::Refused;

use crate::maps::REFUSED;

/// Counts it.
#[inline(always)]
pub fn count(what: Refused) {
    // SAFETY: no arguments; newer verifiers inline it.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    if let Some(row) = REFUSED.get_ptr_mut(cpu) {
        // SAFETY: the map owns the row, this CPU alone writes it, and there is a counter for each.
        unsafe { (*row).counts[what as usize] = (*row).counts[what as usize].wrapping_add(1) };
    }
}
