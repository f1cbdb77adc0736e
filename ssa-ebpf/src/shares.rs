//! A source prefix of a service in; whether it is above its share, out.

use aya_ebpf::helpers::generated::{bpf_get_smp_processor_id, bpf_jiffies64};
use ssa_common::{
    judge::{Counted, is_above_share},
    layout::SHARE_COLUMNS,
    siphash::{Sip13, tail},
};

use crate::maps::{SERVICES, SHARE_KEY, SHARES};

/// Octets of the message whose hash says where a source prefix is counted: its own, and its service's number.
const MESSAGE: u64 = 16;

/// Whether it is, with the frame that is counted now.
#[inline(always)]
pub fn is_above(service: u32, source: u64) -> Option<bool> {
    let service = SERVICES.get(service)?;
    let hash = Sip13::resume(*SHARE_KEY.get(0)?)
        .word(source & service.fair.mask)
        .word(service.number.into())
        .finish(0, tail(MESSAGE));
    // SAFETY: no arguments.
    let (cpu, now) = unsafe { (bpf_get_smp_processor_id(), bpf_jiffies64()) };
    let first = cpu.wrapping_mul(service.fair.rows);
    let column = |shift: u32| (hash >> shift) as u32 % SHARE_COLUMNS;
    let all = SHARE_COLUMNS * 2;
    let rows = [column(0), SHARE_COLUMNS + column(32), all, all.wrapping_add(1).wrapping_add(service.number)];
    let [one, other, all, own] = rows.map(|row| SHARES.get_ptr_mut(first.wrapping_add(row)));
    // SAFETY: the map owns the rows, this CPU alone writes them, and no two of them are one.
    let counted = unsafe { Counted { places: [&mut *one?, &mut *other?], service: &mut *own?, all: &mut *all? } };
    Some(is_above_share(&service.fair, now, counted))
}
