//! Times around the edges of an epoch in; the epochs that are accepted, to the tick, out.

use ssa_common::{
    bits::Words,
    rows::{RuleRow, STALE_CLOSED, STALE_LAST, STALE_OPEN},
    rule::{Compiled, Key, Pair, Placed, Request, Rule, Secrets, Timing, check, epoch::Window},
    verdict::Reason,
};

use crate::{
    random::{Random, destination},
    tables::{Boot, HERTZ as TICKS},
};

const PREFIX: u128 = 0x2001_0db8_0000_0001 << 64;
const SOURCE: u128 = 0x2001_0db8_0077_0001_0203_0405_0607_0809;
const PERIOD: u64 = 30;
/// An epoch that is neither the first nor special in its bits.
const EPOCH: u64 = 56_789_012;
const RING: [Key; 1] = [Key { number: 1, secret: *b"sixteen octets.." }];
const HERTZ: u64 = TICKS as u64;

/// A skew, and the first and last second, counted from the begin of an epoch of 30 s, in which the epoch is accepted.
const EDGES: &[(u32, i64, i64)] = &[
    (0, 0, 29),
    (1, -1, 30),
    (5, -5, 34),
    (15, -15, 44),
    // Past half a period three epochs are accepted in the middle of each.
    (16, -16, 45),
    (29, -29, 58),
    // The previous and the next epoch, never one further.
    (30, -30, 59),
    (31, -30, 59),
    (1000, -30, 59),
];

const RULES: [(&str, Reason); 3] = [
    ("mac(64,key=k,period=30s):64", Reason::MacMismatch),
    ("hash(48):14 mac(64,key=k,period=30s):50", Reason::MacMismatch),
    ("pow(64,zeros=9,period=30s):64", Reason::PowMissing),
];

fn placed(text: &str) -> Placed {
    text.parse::<Rule>().unwrap().place(PREFIX, 64).unwrap()
}

fn secrets() -> Secrets<'static> {
    Secrets { salt: [0; 16], ring: &RING }
}

/// What a client computes in the middle of `epoch`, chosen so that it proves nothing in the neighbouring ones.
fn of_epoch(compiled: &Compiled, epoch: u64) -> u128 {
    let request = Request { source: SOURCE, time: epoch * PERIOD + PERIOD / 2, ..Request::default() };
    let valid_in = |address: u128| {
        let strict = placed(&text_of(compiled)).compile(&secrets(), 0);
        (epoch - 3..=epoch + 3).filter(|e| strict.conforms(SOURCE, address, e * PERIOD) == Reason::Conform).count()
    };
    let mut drawn = (0..1000).map(|seed| destination(compiled, &request, &mut Random(seed)));
    drawn.find(|&address| valid_in(address) == 1).unwrap()
}

fn text_of(compiled: &Compiled) -> String {
    let fields = compiled.placed().fields().iter();
    fields.map(|field| format!("{}:{}", field.kind, field.width)).collect::<Vec<_>>().join(" ")
}

#[test]
fn epochs_are_accepted_to_the_second() {
    for (text, refused) in RULES {
        for &(skew, first, last) in EDGES {
            let compiled = placed(text).compile(&secrets(), skew);
            for epoch in EPOCH - 2..=EPOCH + 2 {
                let address = of_epoch(&compiled, epoch);
                for second in -65..=95 {
                    let time = (epoch * PERIOD).strict_add_signed(second);
                    let expected = if (first..=last).contains(&second) { Reason::Conform } else { refused };
                    assert_eq!(
                        compiled.conforms(SOURCE, address, time),
                        expected,
                        "{text} skew {skew} second {second}"
                    );
                }
            }
        }
    }
}

fn judge(row: &RuleRow, address: u128, clock: &Boot, window: Window) -> Reason {
    let pair = Pair { source: Words::from_u128(SOURCE), destination: Words::from_u128(address) };
    check(row, &pair, clock, window)
}

fn timing(skew: u32) -> Timing {
    Timing { hertz: TICKS, skew, max_age: 0, stale: STALE_LAST }
}

#[test]
fn epochs_are_accepted_to_the_tick() {
    for (text, refused) in RULES {
        for &(skew, first, last) in EDGES {
            let address = of_epoch(&placed(text).compile(&secrets(), skew), EPOCH);
            let row = placed(text).row(&secrets(), timing(skew));
            let begin = EPOCH * PERIOD * HERTZ;
            let first = first * HERTZ.cast_signed();
            let after = (last + 1) * HERTZ.cast_signed();
            // An ICMPv6 error answers a packet that was sent up to one period before.
            for (window, after) in [(Window::Now, after), (Window::Past, after + (PERIOD * HERTZ).cast_signed())] {
                for edge in [first, after] {
                    for tick in edge - 2..=edge + 2 {
                        let clock = Boot::at(begin.strict_add_signed(tick));
                        let expected = if (first..after).contains(&tick) { Reason::Conform } else { refused };
                        let found = judge(&row, address, &clock, window);
                        assert_eq!(found, expected, "{text} skew {skew} {window:?} tick {tick}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_past_window_takes_one_epoch_more_and_no_other() {
    for (text, refused) in RULES {
        let compiled = placed(text).compile(&secrets(), 5);
        let row = placed(text).row(&secrets(), timing(5));
        // In the middle of an epoch its own alone is accepted now, and the one before of the past.
        let clock = Boot::at((EPOCH * PERIOD + PERIOD / 2) * HERTZ);
        for epoch in EPOCH - 4..=EPOCH + 4 {
            let address = of_epoch(&compiled, epoch);
            let (now, past) = (epoch == EPOCH, epoch == EPOCH || epoch == EPOCH - 1);
            let reason = |accepted| if accepted { Reason::Conform } else { refused };
            assert_eq!(judge(&row, address, &clock, Window::Now), reason(now), "{text} {epoch}");
            assert_eq!(judge(&row, address, &clock, Window::Past), reason(past), "{text} {epoch}");
        }
    }
}

#[test]
fn without_a_period_time_does_not_count() {
    let compiled = placed("mac(64,key=k):64").compile(&secrets(), 5);
    let address = destination(&compiled, &Request { source: SOURCE, ..Request::default() }, &mut Random(0));
    for time in [0, 1, 1_700_000_000, u64::MAX] {
        assert_eq!(compiled.conforms(SOURCE, address, time), Reason::Conform);
        assert_eq!(compiled.epoch(time), None);
    }
}

#[test]
fn the_first_and_the_last_moment_do_not_panic() {
    let compiled = placed(RULES[0].0).compile(&secrets(), u32::MAX);
    for time in [0, 1, 29, 30, u64::MAX - 1, u64::MAX] {
        assert_eq!(compiled.conforms(SOURCE, PREFIX, time), Reason::MacMismatch);
    }
    assert_eq!(compiled.epoch(59), Some(1));
    assert_eq!(compiled.epoch(60), Some(2));
}

/// A policy, its age limit in seconds, the age of the offset in ticks; whether a good and a bad address conform.
const STALE: &[(u8, u32, u64, bool, bool)] = &[
    (STALE_LAST, 60, 0, true, false),
    (STALE_LAST, 60, u64::MAX, true, false),
    (STALE_OPEN, 60, 60 * HERTZ, true, false),
    (STALE_OPEN, 60, 60 * HERTZ + 1, true, true),
    (STALE_CLOSED, 60, 60 * HERTZ, true, false),
    (STALE_CLOSED, 60, 60 * HERTZ + 1, false, false),
    // An age limit of 0 is none.
    (STALE_OPEN, 0, u64::MAX, true, false),
    (STALE_CLOSED, 0, u64::MAX, true, false),
];

#[test]
fn a_stale_clock_does_what_the_service_says() {
    for (text, refused) in RULES {
        let address = of_epoch(&placed(text).compile(&secrets(), 5), EPOCH);
        let wrong = of_epoch(&placed(text).compile(&secrets(), 5), EPOCH + 3);
        for &(stale, max_age, age, good, bad) in STALE {
            let row = placed(text).row(&secrets(), Timing { hertz: TICKS, skew: 5, max_age, stale });
            let mut clock = Boot::at((EPOCH * PERIOD + 15) * HERTZ);
            clock.row.published = clock.ticks.saturating_sub(age);
            let reason = |accepted| if accepted { Reason::Conform } else { refused };
            assert_eq!(judge(&row, address, &clock, Window::Now), reason(good), "{text} {stale} {max_age} {age}");
            assert_eq!(judge(&row, wrong, &clock, Window::Now), reason(bad), "{text} {stale} {max_age} {age}");
        }
    }
}

#[test]
fn an_offset_from_a_tick_ahead_is_fresh() {
    let row = placed(RULES[0].0).row(&secrets(), Timing { hertz: TICKS, skew: 5, max_age: 60, stale: STALE_CLOSED });
    let address = of_epoch(&placed(RULES[0].0).compile(&secrets(), 5), EPOCH);
    let mut clock = Boot::at((EPOCH * PERIOD + 15) * HERTZ);
    clock.row.published = clock.ticks + 1;
    assert_eq!(judge(&row, address, &clock, Window::Now), Reason::Conform);
}

#[test]
fn a_stale_clock_does_not_open_what_has_no_period() {
    let text = "src(0):16 mac(64,key=k):48";
    let row = placed(text).row(&secrets(), Timing { hertz: TICKS, skew: 5, max_age: 1, stale: STALE_OPEN });
    let mut clock = Boot::at(EPOCH * PERIOD * HERTZ);
    clock.row.published = 0;
    assert_eq!(judge(&row, PREFIX, &clock, Window::Now), Reason::FieldMismatch);
    assert_eq!(judge(&row, PREFIX | 0x2001 << 48, &clock, Window::Now), Reason::MacMismatch);
}
