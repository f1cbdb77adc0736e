//! A rate in; the instructions of an XDP program that lets frames go at this rate, in bursts, out.

use crate::bench::instruction::{
    Op, R, Size, call, leave, load, place, skip_if, skip_if_less, store, with, with_number,
};

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

const NOW: R = R(0);
const STATE: R = R(1);
const VALUE: R = R(2);
const TOO_LATE: R = R(3);

/// The program. A rate of 0 lets nothing go.
pub(super) fn code(rate: u32, burst: u16) -> Vec<u64> {
    let (rate, burst) = if rate == 0 { (1, 0) } else { (rate, i32::from(burst)) };
    let period = i64::from(burst) * 1_000_000_000 / i64::from(rate);
    let period = i32::try_from(period).unwrap_or(i32::MAX).min(i32::MAX / LATE);
    let [state, rest] = place(STATE);
    let read = |offset| load(Size::Double, VALUE, STATE, offset);
    let write = |offset| store(Size::Double, STATE, offset, VALUE);
    let add = |number| with_number(Op::Add, VALUE, number);
    let [transmit, drop] = [TRANSMIT, DROP].map(leave);
    let pace = [
        call(KTIME),
        state,
        rest,
        read(DUE),
        // Not due yet: go on with what is left.
        skip_if_less(NOW, VALUE, 9),
        with(Op::Move, TOO_LATE, VALUE),
        with_number(Op::Add, TOO_LATE, period * LATE),
        // Not too late: the next is due a period after this one was.
        skip_if_less(NOW, TOO_LATE, 1),
        with(Op::Move, VALUE, NOW),
        add(period),
        write(DUE),
        read(LEFT),
        add(burst),
        write(LEFT),
        read(LEFT),
        skip_if(VALUE, 0, 7),
        add(-1),
        write(LEFT),
        read(SENT),
        add(1),
        write(SENT),
    ];
    [pace.as_slice(), &transmit, &drop].concat()
}
