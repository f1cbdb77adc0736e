//! A frame of a service that lets in what is known, in; whether it is, by a socket or as a flow, out (DESIGN §4 step 7).

use aya_ebpf::helpers::generated::{bpf_get_smp_processor_id, bpf_jiffies64};
use bytemuck::Zeroable as _;
use ssa_common::{
    judge::{self, Ends, Known, going_on},
    layout::FLOW_COARSE,
    parse::protocol,
    rows::{FLAG_FLOWS, FLAG_SOCKETS, FlowKey, FlowRow, Refused, ServiceRow},
};

use crate::{
    maps::{FLOW_GATES, FLOWS, SERVICES},
    packet::Packet,
    refused, sockets,
};

/// Whether the frame goes on with what is known. A flow that conforms is remembered from now on.
#[inline(always)]
pub fn is_known(packet: &Packet<true>, case: Known) -> bool {
    let Some(ends) = going_on(packet, case.network) else { return false };
    if case.flags & FLAG_SOCKETS != 0 {
        return sockets::has(packet, case.network, &ends);
    }
    case.flags & FLAG_FLOWS != 0
        && SERVICES.get(case.service).is_some_and(|service| is_flow(service, &ends, case.conforms))
}

/// Whether the flow is remembered.
#[inline(always)]
fn is_flow(service: &ServiceRow, ends: &Ends, conforms: bool) -> bool {
    let key = FlowKey {
        remote: ends.remote,
        local: ends.local,
        remote_port: ends.remote_port,
        local_port: ends.local_port,
        protocol: ends.protocol,
        ..FlowKey::zeroed()
    };
    // SAFETY: no arguments; the verifier inlines it to a load.
    let now = unsafe { bpf_jiffies64() };
    let idle = service.idle[usize::from(ends.protocol == protocol::UDP)];
    // SAFETY: the row may become another flow's while it is read. Then what is read is a tick of that flow, which conforms
    // too, or what is written makes it look younger by less than a moment.
    if let Some(row) = FLOWS.get_ptr_mut(&key)
        && let row = unsafe { &mut *row }
        && (conforms || row.tag == service.tag && now.wrapping_sub(row.seen) < idle)
    {
        if row.tag != service.tag || now.wrapping_sub(row.seen) >= FLOW_COARSE {
            (row.tag, row.seen) = (service.tag, now);
        }
        return true;
    }
    if conforms && may_begin(now) {
        // What finds no room is not remembered, and asks again with its next frame.
        if FLOWS.insert(&key, &FlowRow { seen: now, tag: service.tag }, 0).is_err() {
            refused::count(Refused::Flow);
        }
    }
    false
}

/// Whether this CPU may remember one more flow.
#[inline(always)]
fn may_begin(now: u64) -> bool {
    // SAFETY: no arguments.
    let gate = FLOW_GATES.get_ptr_mut(unsafe { bpf_get_smp_processor_id() });
    // SAFETY: the map owns the row, and this CPU alone writes it.
    gate.is_some_and(|gate| judge::may_begin(unsafe { &mut *gate }, now))
}
