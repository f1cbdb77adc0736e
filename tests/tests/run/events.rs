//! Frames in; which of them the program keeps as events, with what, and how many at most, out.

use std::{thread, time::Duration, time::Instant};

use aya::programs::{TestRun as _, TestRunOptions};
use ssa_common::{
    judge::is_event,
    rows::EventRow,
    verdict::{Reason, Verdict},
};
use ssa_ctl::{
    kernel::{create::cpus, events::Slot, sandbox::Sandbox},
    plan::numbers::Numbers,
};
use ssa_tests::{
    frames::{Case, cases, services},
    run::{Config, load},
};

use crate::kernel;

/// A quarter past an hour.
const TIME: u64 = 1_700_000_100;
/// When the previous rules end.
const DEADLINE: u64 = 4_102_444_800;
/// As many events a second as can be asked for.
const MOST: u32 = 10_000;

fn sandbox(events: u32) -> (Sandbox, Numbers) {
    let (tables, numbers) = Config::frames(&services(), DEADLINE).events(events).tables(&Numbers::default());
    let sandbox = load(&tables);
    sandbox.set_clock(TIME).unwrap();
    (sandbox, numbers)
}

fn written(sandbox: &Sandbox) -> Vec<u64> {
    sandbox.instance().own_rings().unwrap().written()
}

/// The events that were written since there were so many of each CPU.
fn since(sandbox: &Sandbox, before: &[u64]) -> Vec<EventRow> {
    let rings = sandbox.instance().own_rings().unwrap();
    let of_cpu = |(cpu, (before, after)): (usize, (&u64, u64))| {
        (*before..after)
            .map(|number| match rings.read(cpu, number) {
                Slot::Whole(row) => row,
                other => panic!("event {number} of CPU {cpu}: {other:?}"),
            })
            .collect::<Vec<_>>()
    };
    before.iter().zip(rings.written()).enumerate().flat_map(of_cpu).collect()
}

fn linear(case: &Case) -> Option<u32> {
    case.linear.map(|linear| u32::try_from(linear).unwrap())
}

#[test]
fn each_frame_that_is_not_plainly_good_is_kept_as_it_came() {
    let (mut sandbox, numbers) = sandbox(MOST);
    // Each CPU's share comes again meanwhile.
    let pause = Duration::from_millis(cpus().unwrap().into());
    let (mut kept, mut reasons, mut lengths) = (0, vec![], vec![]);
    for case in cases(TIME).into_iter().filter(|case| case.linear.is_none() || kernel::since(6, 18)) {
        let before = written(&sandbox);
        let begin = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        sandbox.run(&case.frame, linear(&case)).unwrap();
        let events = since(&sandbox, &before);
        if !is_event(case.reason, case.treatment) {
            assert_eq!(events, [], "{}", case.name);
            continue;
        }
        let [event] = events[..] else { panic!("{}: {} events", case.name, events.len()) };
        let Case { reason, treatment, would_drop, .. } = case;
        let service = case.service.map_or(0, |name| numbers.get(name).unwrap());
        let cell = Verdict { service, reason, treatment, would_drop }.cell();
        assert_eq!((event.service, event.cell), (service, cell), "{}", case.name);
        let head = &case.frame[..case.frame.len().min(128)];
        assert_eq!(event.octets as usize, case.frame.len(), "{}", case.name);
        assert_eq!(&event.head[..event.captured as usize], head, "{}", case.name);
        assert_eq!((event.generation, event.interface, event.queue), (1, 1, 0), "{}", case.name);
        let nanos = begin.tv_sec.unsigned_abs() * 1_000_000_000 + begin.tv_nsec.unsigned_abs();
        assert!(event.time >= nanos, "{}: {} is before {nanos}", case.name, event.time);
        kept += 1;
        reasons.push(reason);
        lengths.push((case.frame.len() > 128, case.linear.is_some()));
        // sleep: what each CPU may write comes again with time.
        thread::sleep(pause);
    }
    let of_rules =
        [Reason::FieldMismatch, Reason::MacMismatch, Reason::PowMissing, Reason::BadSource, Reason::Malformed];
    assert!(of_rules.iter().all(|reason| reasons.contains(reason)), "{kept}: {reasons:?}");
    assert!(lengths.contains(&(true, false)) && lengths.contains(&(false, false)));
    assert!(!kernel::since(6, 18) || lengths.iter().any(|(_, split)| *split));
}

/// Runs a frame so often, and says how long that took.
fn flood(sandbox: &mut Sandbox, frame: &[u8], times: u32) -> Duration {
    let begin = Instant::now();
    let options = TestRunOptions { data_in: Some(frame), repeat: times, ..TestRunOptions::default() };
    sandbox.parts().unwrap().0.test_run(options).unwrap();
    begin.elapsed()
}

fn case(wanted: impl Fn(&Case) -> bool) -> Case {
    let mut cases = cases(TIME).into_iter();
    cases.find(|case| case.linear.is_none() && wanted(case)).expect("there is such a case")
}

#[test]
fn a_flood_has_no_more_events_than_were_asked_for() {
    let wrong = case(|case| case.reason == Reason::FieldMismatch);
    for events in [1, 100, MOST] {
        let (mut sandbox, _) = sandbox(events);
        let took = flood(&mut sandbox, &wrong.frame, 100_000);
        let all: u64 = written(&sandbox).iter().sum();
        let seconds = took.as_secs() + 1;
        let most = seconds * u64::from(events) + u64::from(cpus().unwrap());
        assert!((1..=most).contains(&all), "{all} events in {took:?}, at most {events} a second");
    }
}

#[test]
fn the_rings_keep_the_newest() {
    let wrong = case(|case| case.reason == Reason::FieldMismatch);
    let (mut sandbox, _) = sandbox(MOST);
    let slots = sandbox.instance().own_rings().unwrap().slots();
    // Until one CPU has gone around.
    while written(&sandbox).iter().all(|written| *written <= slots + 10) {
        flood(&mut sandbox, &wrong.frame, 10_000);
    }
    let rings = sandbox.instance().own_rings().unwrap();
    let written = rings.written();
    let (cpu, &count) = written.iter().enumerate().max_by_key(|(_, count)| **count).unwrap();
    for number in 0..count {
        let is_whole = matches!(rings.read(cpu, number), Slot::Whole(row) if row.ticket == number + 1);
        assert_eq!(is_whole, number >= count - slots, "event {number} of {count}");
    }
}

#[test]
fn good_frames_and_those_of_whom_nobody_asks_are_not_kept() {
    let (mut sandbox, _) = sandbox(MOST);
    for reason in [Reason::Conform, Reason::Control, Reason::IcmpError, Reason::Other] {
        let good = case(|case| case.reason == reason);
        flood(&mut sandbox, &good.frame, 1000);
    }
    assert_eq!(written(&sandbox).iter().sum::<u64>(), 0);
    let (mut quiet, _) = self::sandbox(0);
    for reason in [Reason::FieldMismatch, Reason::BadSource, Reason::Malformed] {
        let wrong = case(|case| case.reason == reason);
        flood(&mut quiet, &wrong.frame, 1000);
    }
    assert_eq!(written(&quiet).iter().sum::<u64>(), 0);
}

#[test]
fn another_rate_holds_at_once() {
    let wrong = case(|case| case.reason == Reason::FieldMismatch);
    let (mut sandbox, _) = sandbox(1);
    flood(&mut sandbox, &wrong.frame, 100);
    let (tables, _) = Config::frames(&services(), DEADLINE).events(MOST).tables(&Numbers::default());
    sandbox.instance().put_in_force(&tables, "", 2).unwrap();
    let before = written(&sandbox);
    flood(&mut sandbox, &wrong.frame, 100);
    let events = since(&sandbox, &before);
    // The second of a CPU that had one was a long time away.
    assert!(events.len() > 1 && events.iter().all(|event| event.generation == 2), "{}", events.len());
    let (tables, _) = Config::frames(&services(), DEADLINE).events(0).tables(&Numbers::default());
    sandbox.instance().put_in_force(&tables, "", 3).unwrap();
    let before = written(&sandbox);
    flood(&mut sandbox, &wrong.frame, 100);
    assert_eq!(written(&sandbox), before);
}
