//! Suspects of services with each kind of low priority in; their octets, actions and counts, out.

use std::{thread, time::Duration};

use ssa_common::{
    layout::MARK_MAGIC,
    rows::MarkRow,
    verdict::{Reason, Treatment, Verdict},
};
use ssa_ctl::{
    kernel::stopwatch::OneCpu,
    plan::{low::Queue, numbers::Numbers},
};
use ssa_tests::run::{Config, DROP, PASS, REDIRECT, cell, load, moved};

use crate::{
    layers::Packet,
    site::{Fate, Site, sent, wrapped, wrong},
};

const MTU: u32 = 1500;
/// The host where it is one of the endpoints.
const HOST: usize = 0;
const MARK: u32 = 0xdead_beef;
const PRIORITY: u32 = 0x0001_0020;
/// A code point and both ECN bits; and what becomes of them.
const CLASS: u8 = 0b1011_1010;
const LOWER_EFFORT: u8 = 0b0000_0110;

/// What is said of suspects.
#[derive(Clone, Copy, Debug)]
struct Low {
    dscp: bool,
    cpu: bool,
    mark: bool,
    rate: Option<u32>,
}

impl Low {
    /// Every combination that a config may have.
    fn all() -> impl Iterator<Item = Self> {
        let of = |set: u32, rate: Option<u32>| {
            let has = |bit: u32| set >> bit & 1 != 0;
            Self { dscp: has(0), cpu: has(1), mark: has(2), rate }
        };
        let limited = (0..8).map(move |set| of(set, Some(10_000_000)));
        (1..8).map(move |set| of(set, None)).chain(limited)
    }

    /// All of it, and what is not the code point.
    fn some() -> impl Iterator<Item = Self> {
        [true, false].into_iter().map(|dscp| Self { dscp, cpu: true, mark: true, rate: Some(10_000_000) })
    }

    /// The lines of a service, and those of the host.
    fn lines(self) -> String {
        let ways = [(self.dscp, "dscp"), (self.cpu, "cpu"), (self.mark, "mark")];
        let ways: Vec<_> = ways.iter().filter(|(is_on, _)| *is_on).map(|(_, word)| word).collect();
        let rate = self.rate.map_or_else(String::new, |rate| format!("low_priority_rate = {rate}\n"));
        format!(
            "on_mismatch = \"lowprio\"\nlow_priority = {ways:?}\n{rate}\
             [host.low_priority]\ncpu = 0\nmark = {MARK}\npriority = \"1:20\"\n"
        )
    }

    /// What stands in front of a frame that stays.
    fn front(self) -> Vec<u8> {
        let row = MarkRow { magic: MARK_MAGIC, mark: MARK, priority: PRIORITY };
        if self.mark { bytemuck::bytes_of(&row).to_vec() } else { vec![] }
    }

    const fn class(self) -> u8 {
        if self.dscp { LOWER_EFFORT } else { CLASS }
    }
}

const QUEUE: Queue = Queue { cpu: 0, length: 64 };

#[test]
fn a_suspect_gets_each_treatment_alone_and_all_combined() {
    for low in Low::all() {
        let mut site = Site::new(None, "route", MTU, &low.lines());
        site.sandbox.instance().queues.make(QUEUE).unwrap();
        for tags in 0..=4 {
            let packet = wrong(1).class(CLASS).tagged(tags);
            let frame = [low.front(), packet.clone().class(low.class()).frame()].concat();
            let action = if low.cpu { REDIRECT } else { PASS };
            let fate = Fate { action, ..Fate::here(1, frame) };
            let fate = fate.counted(Reason::FieldMismatch, Treatment::LowPriority, false);
            site.expect(&format!("{low:?}, {tags} tags"), &packet.frame(), &fate);
            let good = Packet::to(1).class(CLASS).tagged(tags).frame();
            site.expect(&format!("{low:?}, conforming, {tags} tags"), &good, &Fate::here(1, good.clone()));
        }
        assert_eq!(site.sandbox.instance().unserved(1).unwrap(), (0, 0), "{low:?}");
        site.judge();
    }
}

#[test]
fn a_suspect_that_is_unwrapped_gets_them_too() {
    for low in Low::some() {
        let mut site = Site::new(Some(HOST), "ip6ip6", MTU, &low.lines());
        site.sandbox.instance().queues.make(QUEUE).unwrap();
        let packet = wrong(0).class(CLASS);
        let frame = [low.front(), packet.clone().class(low.class()).frame()].concat();
        let fate = Fate { action: if low.cpu { REDIRECT } else { PASS }, ..Fate::here(0, frame) };
        let fate = fate.counted(Reason::FieldMismatch, Treatment::LowPriority, false);
        site.expect(&format!("{low:?}"), &wrapped(1, HOST, true, &packet).frame(), &fate);
        site.judge();
    }
}

#[test]
fn what_is_sent_on_takes_its_code_point_alone() {
    for low in Low::some() {
        for steer in ["l2", "ip6ip6"] {
            let mut site = Site::new(Some(HOST), steer, MTU, &low.lines());
            for (slice, endpoint, tags) in [(1, 1, 0), (2, 2, 3)] {
                let packet = wrong(slice).class(CLASS).tagged(tags);
                let fate = Fate::to(endpoint, slice, &sent(steer, endpoint, &packet.clone().class(low.class())));
                let fate = fate.counted(Reason::FieldMismatch, Treatment::LowPriority, false);
                site.expect(&format!("{low:?}, {steer}, slice {slice}"), &packet.frame(), &fate);
            }
            site.judge();
        }
    }
}

#[test]
fn without_a_queue_suspects_go_on_and_are_told() {
    let low = Low { dscp: true, cpu: true, mark: true, rate: None };
    let mut site = Site::new(None, "route", MTU, &low.lines());
    let packet = wrong(1).class(CLASS);
    let fate = Fate::here(1, [low.front(), packet.clone().class(LOWER_EFFORT).frame()].concat());
    let fate = fate.counted(Reason::FieldMismatch, Treatment::LowPriority, false);
    for count in 1..=3 {
        site.expect("no queue", &packet.frame(), &fate);
        assert_eq!(site.sandbox.instance().unserved(1).unwrap(), (0, count));
    }
    site.judge();
}

#[test]
fn nothing_is_done_where_nothing_is_enforced() {
    let low = Low { dscp: true, cpu: true, mark: true, rate: Some(1) };
    let mut site = Site::new(None, "route", MTU, &format!("enforce = \"off\"\n{}", low.lines()));
    site.sandbox.instance().queues.make(QUEUE).unwrap();
    let frame = wrong(1).class(CLASS).frame();
    for _ in 0..20 {
        let fate = Fate::here(1, frame.clone()).because(Reason::FieldMismatch);
        site.expect("not enforced", &frame, &fate);
    }
    site.judge();
}

/// Frames a second that there is room for, ten of them at once.
const RATE: u32 = 100;
const AT_ONCE: u64 = 10;

fn limited(name: &str, prefix: &str, rate: Option<u32>) -> String {
    let rate = rate.map_or_else(String::new, |rate| format!("low_priority = []\nlow_priority_rate = {rate}\n"));
    format!(
        "name = \"{name}\"\nprefixes = [\"{prefix}\"]\nrule = \"any:16 const(0x5a5a):16 any:*\"\n\
         on_mismatch = \"lowprio\"\n{rate}"
    )
}

#[test]
fn more_suspects_than_there_is_room_for_are_dropped() {
    let config = Config::default().service(&limited("web", "2001:db8:1::/48", Some(RATE))).service(&limited(
        "other",
        "2001:db8:2::/48",
        Some(RATE),
    ));
    let (tables, numbers) = config.tables(&Numbers::default());
    let mut sandbox = load(&tables);
    let _here = OneCpu::stay().unwrap();
    let web = wrong(1);
    let other = Packet { destination: web.destination + (1 << 80), ..web.clone() };
    let at = |name: &str, treatment| {
        let service = numbers.get(name).unwrap();
        cell(&Verdict { service, reason: Reason::FieldMismatch, treatment, would_drop: false })
    };
    let mut flood = |packet: &Packet, name: &str, count: u64| {
        let before = sandbox.counts().unwrap();
        let actions: Vec<u32> = (0..count).map(|_| sandbox.run(&packet.frame(), None).unwrap().action).collect();
        let moved = moved(&before, &sandbox.counts().unwrap());
        let passed = actions.iter().filter(|action| **action == PASS).count() as u64;
        assert_eq!(actions.iter().filter(|action| **action == DROP).count() as u64, count - passed);
        let octets = packet.frame().len() as u64;
        let wanted = [(at(name, Treatment::LowPriority), passed), (at(name, Treatment::Drop), count - passed)];
        let wanted = wanted.into_iter().filter(|(_, packets)| *packets > 0);
        let wanted: Vec<_> = wanted.map(|(at, packets)| (at, packets, packets * octets)).collect();
        assert_eq!(moved, wanted, "{name}: each frame is in one of two cells");
        (passed, actions)
    };
    let (_, actions) = flood(&web, "web", AT_ONCE);
    assert!(actions.iter().all(|action| *action == PASS), "so many at once");
    // Far more than there is room for in any time that this may take.
    let (passed, _) = flood(&web, "web", 20_000);
    assert!(passed < 10_000, "{passed} of 20,000 have found room");
    let (_, actions) = flood(&other, "other", AT_ONCE);
    assert!(actions.iter().all(|action| *action == PASS), "another service has room of its own");
    // sleep: that is how room comes.
    thread::sleep(Duration::from_millis(300));
    let (_, actions) = flood(&web, "web", AT_ONCE);
    assert!(actions.iter().all(|action| *action == PASS), "there is room again");
}
