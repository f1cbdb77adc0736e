//! Two configs in turn, and frames meanwhile, in; no frame that was judged by a mixture of them, and exact sums, out.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use aya::programs::{TestRun as _, TestRunOptions, Xdp};
use ssa_common::verdict::{Reason, Treatment};
use ssa_ctl::{
    kernel::{instance::Instance, sandbox::Sandbox},
    plan::{numbers::Numbers, shape::Shape},
};
use ssa_tests::run::{Config, DROP, PASS, SMALL, load};

use crate::packet::tcp_to;

const SWAPS: u64 = 1000;
const SOURCE: u128 = 0x2001_0db8_0077_0001_0203_0405_0607_0809;
const PREFIX: u128 = 0x2001_0db8_0001 << 80;
/// What the old and the new rule want of the last 80 bits: the first word of one and the second of the other is neither.
const OLD: u128 = 0x5555_5555_5555_5555_5555;
const NEW: u128 = 0xaaaa_aaaa_aaaa_aaaa_aaaa;
const SECOND: u128 = u64::MAX as u128;

const OLD_LINES: &str = r#"name = "web"
prefixes = ["2001:db8:1::/48"]
rule = "const(0x55555555555555555555):80"
allow = ["tcp/443"]
"#;
/// Everything differs: the rule, the row of the service, the flags, and the tables' other services.
const NEW_LINES: &str = r#"name = "web"
prefixes = ["2001:db8:1::/48"]
rule = "const(0xaaaaaaaaaaaaaaaaaaaa):80"
allow = ["tcp/80"]
on_mismatch = "lowprio"
"#;
const EXTRA: &str = "name = \"extra\"\nprefixes = [\"2001:db9:0:1::/64\", \"2001:db8:2::/48\"]\nrule = \"any:*\"\n";

const OLD_CONFORMS: Seen = (Reason::Conform, PASS, false);
const REFUSED: Seen = (Reason::Protocol, DROP, false);
const OLD_MISMATCH: Seen = (Reason::FieldMismatch, DROP, false);
const NEW_MISMATCH: Seen = (Reason::FieldMismatch, PASS, true);

/// Reason, action, whether the frame was marked.
type Seen = (Reason, u32, bool);

/// Port and last 80 bits of a frame; what the old and the new config make of it.
const FRAMES: [(u16, u128, Seen, Seen); 6] = [
    (443, OLD, OLD_CONFORMS, REFUSED),
    (80, NEW, REFUSED, OLD_CONFORMS),
    // The rule of one and the protocols of the other would let these in.
    (443, NEW, OLD_MISMATCH, REFUSED),
    (80, OLD, REFUSED, NEW_MISMATCH),
    // A rule half written would let these in.
    (443, OLD & SECOND | NEW & !SECOND, OLD_MISMATCH, REFUSED),
    (80, NEW & SECOND | OLD & !SECOND, REFUSED, NEW_MISMATCH),
];

/// Prefixes of 64 bits are looked for first, and then those of 48.
fn old() -> Config {
    Config::default().service(EXTRA).service(OLD_LINES)
}

/// The other way round.
fn new() -> Config {
    let extra = EXTRA.replace("extra", "more").replace("2001:db8:2:", "2001:db8:3:");
    Config::default().service(NEW_LINES).service(&extra)
}

const SHAPE: Shape = Shape { services: 4, prefixes: 16, ..SMALL };

fn frame(port: u16, suffix: u128) -> Vec<u8> {
    tcp_to(port, SOURCE, PREFIX | suffix, 0)
}

/// Runs the frames in turn until told to stop; how often each was seen to be treated how.
fn watch(program: &Xdp, stop: &AtomicBool) -> BTreeMap<(usize, u32, bool), u64> {
    let frames = FRAMES.map(|(port, suffix, ..)| frame(port, suffix));
    let mut seen = BTreeMap::new();
    let mut out = [0; 256];
    while !stop.load(Ordering::Relaxed) {
        for (index, frame) in frames.iter().enumerate() {
            let options =
                TestRunOptions { data_in: Some(frame), data_out: Some(&mut out), ..TestRunOptions::default() };
            let action = program.test_run(options).unwrap().return_value;
            *seen.entry((index, action, out[..frame.len()] != frame[..])).or_insert(0) += 1;
        }
    }
    seen
}

#[test]
fn every_frame_is_judged_by_one_config() {
    let (old, numbers) = old().tables_of(&Numbers::default(), SHAPE);
    let (new, _) = new().tables_of(&numbers, SHAPE);
    let mut sandbox = load(&old);
    let (program, instance) = sandbox.parts().unwrap();
    let stop = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(program, &stop));
        let swapped = (0..SWAPS).try_for_each(|swap| {
            let tables = if swap % 2 == 0 { &new } else { &old };
            instance.put_in_force(tables, "", swap + 2)
        });
        stop.store(true, Ordering::Relaxed);
        swapped.unwrap();
        watcher.join().unwrap()
    });
    for (index, (.., old, new)) in FRAMES.iter().enumerate() {
        let ways: Vec<_> =
            seen.keys().filter(|(of, ..)| *of == index).map(|&(_, action, marked)| (action, marked)).collect();
        let mut legal = vec![(old.1, old.2), (new.1, new.2)];
        legal.sort_unstable();
        legal.dedup();
        // Both, or the frames did not meet the swaps.
        assert_eq!(ways, legal, "frame {index}");
    }
    let sent: u64 = seen.values().sum();
    println!("{sent} frames over {SWAPS} swaps: {seen:?}");
    let mut counted = summed(instance);
    // A frame that is dropped by both does not tell by which.
    let dropped = [Reason::Protocol, Reason::FieldMismatch].map(|reason| counted.remove(&(reason, Treatment::Drop)));
    counted.insert((Reason::Protocol, Treatment::Drop), dropped.into_iter().flatten().sum());
    assert_eq!(counted, done(&seen), "what was done is what was counted");
}

/// Packets by reason and treatment, of all services.
type Sums = BTreeMap<(Reason, Treatment), u64>;

fn summed(instance: &Instance) -> Sums {
    let mut sums = Sums::new();
    for service in 0..instance.meta.services {
        for (index, cell) in (0..).zip(instance.cells(service).unwrap()) {
            if cell.packets > 0 {
                let (reason, treatment, _) = ssa_common::verdict::Verdict::of_cell(index).unwrap();
                *sums.entry((reason, treatment)).or_insert(0) += cell.packets;
                assert_eq!(cell.bytes, cell.packets * frame(0, 0).len() as u64);
            }
        }
    }
    sums
}

/// What the actions say must have been counted.
fn done(seen: &BTreeMap<(usize, u32, bool), u64>) -> Sums {
    let mut sums = Sums::new();
    for (&(_, action, marked), count) in seen {
        let verdict = match (action, marked) {
            (DROP, _) => (Reason::Protocol, Treatment::Drop),
            (_, true) => (Reason::FieldMismatch, Treatment::LowPriority),
            (_, false) => (Reason::Conform, Treatment::Pass),
        };
        *sums.entry(verdict).or_insert(0) += count;
    }
    sums
}

fn packets(sandbox: &Sandbox, service: u32) -> u64 {
    sandbox.instance().cells(service).unwrap().iter().map(|cell| cell.packets).sum()
}

#[test]
fn services_keep_their_counters_and_new_ones_begin_at_zero() {
    let (both, numbers) = old().tables_of(&Numbers::default(), SHAPE);
    let (one, fewer) = Config::default().service(NEW_LINES).tables_of(&numbers, SHAPE);
    let (web, extra) = (numbers.get("web").unwrap(), numbers.get("extra").unwrap());
    let other = Config::default().service(NEW_LINES).service(&EXTRA.replace("extra", "other"));
    let (renamed, after) = other.tables_of(&fewer, SHAPE);
    assert_eq!(after.get("other"), Some(extra), "the number is free, and taken again");
    let mut sandbox = load(&both);
    let mut sent = 0;
    for (generation, (tables, has_extra)) in (2..).zip([(&both, true), (&one, false), (&both, true), (&renamed, true)])
    {
        let before = packets(&sandbox, extra);
        sandbox.instance().put_in_force(tables, "", generation).unwrap();
        match generation {
            // The same service goes on.
            2 => assert_eq!(before, 0),
            // Gone, back again, and another in its place: nothing of what was before.
            4 | 5 => assert_eq!(packets(&sandbox, extra), 0, "generation {generation}"),
            _ => {}
        }
        for count in 1..=generation {
            sandbox.run(&frame(443, OLD), None).unwrap();
            sent += 1;
            assert_eq!(packets(&sandbox, web), sent, "a service keeps its counters");
            sandbox.run(&tcp_to(443, SOURCE, PREFIX + (1 << 80), 0), None).unwrap();
            if has_extra {
                assert_eq!(packets(&sandbox, extra), count);
            }
        }
    }
}
