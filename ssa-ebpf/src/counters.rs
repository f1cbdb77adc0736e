//! A verdict in, one cell counted, and the slice of a frame that goes on.

use aya_ebpf::helpers::generated::bpf_get_smp_processor_id;
use ssa_common::{judge::Judged, verdict::Verdict};

use crate::maps::{COUNTERS, SLICE_COUNTERS};

/// Counts one frame of `octets` octets in its one cell.
#[inline(always)]
pub fn count(judged: &Judged, octets: u64) {
    // SAFETY: no arguments; newer verifiers inline it.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    let of_cpu = judged.first_cell.wrapping_add(cpu.wrapping_mul(Verdict::CELLS));
    let cell = COUNTERS.get_ptr_mut(of_cpu.wrapping_add(judged.cell));
    if let Some(cell) = cell {
        // SAFETY: the map owns the cell. This CPU alone writes it, and XDP does not interrupt itself on a CPU; the
        // controller only reads.
        unsafe {
            (*cell).packets = (*cell).packets.wrapping_add(1);
            (*cell).bytes = (*cell).bytes.wrapping_add(octets);
        }
    }
}

/// Counts one frame of its slice, where that is counted.
#[inline(always)]
pub fn count_slice(judged: &Judged) {
    if judged.slice != 0 {
        // SAFETY: no arguments; newer verifiers inline it.
        let cpu = unsafe { bpf_get_smp_processor_id() };
        let place = cpu.wrapping_mul(judged.slice_cells).wrapping_add(judged.slice).wrapping_sub(1);
        if let Some(frames) = SLICE_COUNTERS.get_ptr_mut(place) {
            // SAFETY: the map owns the number. This CPU alone writes it, and the controller only reads.
            unsafe { *frames = (*frames).wrapping_add(1) };
        }
    }
}
