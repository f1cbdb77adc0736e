//! A packet of a flow that nobody knows yet, in; whether the flow is remembered, out (DESIGN §4 step 7).

use super::pace::after;
use crate::rows::{FlowGateRow, TICK_PARTS};

/// Whether one more flow may be remembered at this tick.
///
/// Some at once, and then one after the other as time passes: whoever sends new flows all the time turns the map over no
/// faster. Of those who come meanwhile it is one or the other, so that a flow of many packets is remembered soon.
#[inline(always)]
pub const fn may_begin(gate: &mut FlowGateRow, ticks: u64) -> bool {
    let now = ticks.wrapping_mul(TICK_PARTS);
    if gate.next > now {
        gate.turned_away = gate.turned_away.wrapping_add(1);
        return false;
    }
    gate.next = after(gate.next, now, gate.interval, gate.tolerance);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_let_in_evenly() {
        let mut gate =
            FlowGateRow { interval: TICK_PARTS / 2, tolerance: TICK_PARTS * 9 / 2, ..FlowGateRow::default() };
        let mut begun = |ticks| (0..100).filter(|_| may_begin(&mut gate, ticks)).count();
        assert_eq!(begun(1000), 10, "at once");
        assert_eq!([1001, 1002, 1003].map(&mut begun), [2; 3]);
        assert_eq!(begun(1007), 8, "those of four ticks");
        assert_eq!(begun(5000), 10, "what nobody took is lost");
        assert_eq!(gate.turned_away, 600 - 34);
    }

    #[test]
    fn a_slow_gate_opens_too() {
        let mut gate = FlowGateRow { interval: TICK_PARTS * 100, ..FlowGateRow::default() };
        let ticks = (5000..6000).filter(|&ticks| may_begin(&mut gate, ticks));
        assert!(ticks.eq((5000..6000).step_by(100)));
    }
}
