//! A rate in; the instructions of an XDP program that lets frames go at this rate, in bursts, out.

use crate::bench::assembly::{Instruction, add, call, copy, exit, load, set, skip_if_less, skip_if_zero, state, store};

/// The helper `bpf_ktime_get_ns`.
const KTIME: i32 = 5;
/// `XDP_DROP` and `XDP_TX` of `linux/bpf.h`.
const DROP: i32 = 1;
const TRANSMIT: i32 = 3;
/// Who could not send for so many bursts makes up for no more.
const LATE: i32 = 4;
/// What is remembered, as octets of it: when the next burst is due, what is left of the last, and how many went.
const DUE: i16 = 0;
const LEFT: i16 = 8;
const SENT: i16 = 16;

/// The program. A rate of 0 lets nothing go.
pub(super) fn code(rate: u32, burst: u16) -> Vec<Instruction> {
    let (rate, burst) = if rate == 0 { (1, 0) } else { (rate, i32::from(burst)) };
    let period = i64::from(burst) * 1_000_000_000 / i64::from(rate);
    let period = i32::try_from(period).unwrap_or(i32::MAX).min(i32::MAX / LATE);
    let [place, rest] = state(1);
    vec![
        call(KTIME),
        place,
        rest,
        load(2, 1, DUE),
        // Not due yet: go on with what is left.
        skip_if_less(0, 2, 9),
        copy(3, 2),
        add(3, period * LATE),
        // Not too late: the next is due a period after this one was.
        skip_if_less(0, 3, 1),
        copy(2, 0),
        add(2, period),
        store(1, DUE, 2),
        load(2, 1, LEFT),
        add(2, burst),
        store(1, LEFT, 2),
        load(2, 1, LEFT),
        skip_if_zero(2, 7),
        add(2, -1),
        store(1, LEFT, 2),
        load(2, 1, SENT),
        add(2, 1),
        store(1, SENT, 2),
        set(0, TRANSMIT),
        exit(),
        set(0, DROP),
        exit(),
    ]
}
