//! The table of frames in; the law says of each what the table says, out. The loaded program is asked the same elsewhere.

use std::collections::BTreeSet;

use ssa_common::{
    bits::Words,
    judge::{Judged, is_event, judge, judge_whole, treat},
    verdict::{Reason, Treatment, Verdict},
};
use ssa_tests::frames::{CLIENT, Case, Service, cases, services};

use crate::{
    random::Random,
    tables::{Boot, HERTZ, Memory},
};

/// A quarter past an hour.
pub const TIME: u64 = 1_700_000_100;
/// When the previous rules end.
pub const DEADLINE: u64 = 4_102_444_800;

pub fn judge_at(frame: &[u8], memory: &Memory, time: u64) -> Judged {
    let clock = Boot::at(time * u64::from(HERTZ));
    let judged = judge(&frame, memory, &clock);
    let whole = judge_whole(&frame, memory, &clock);
    assert_eq!(judged.verdict(), whole.verdict(), "the common way says what the whole law says: {frame:02x?}");
    let way = |judged: &Judged| (judged.to, judged.wrap, judged.slice, judged.slice_cells, judged.strip);
    assert_eq!(way(&judged), way(&whole), "and sends it the same way: {frame:02x?}");
    assert!(judged.service == 0 || judged.octets == whole.octets, "{frame:02x?}");
    let Verdict { reason, treatment, .. } = judged.verdict();
    let is_sent = judged.to != 0 || reason == Reason::NoEndpoint;
    let events = if is_event(reason, treatment) { memory.bank.events } else { 0 };
    // The common way leaves it to the whole law to make events, when it is time for one.
    assert!(is_sent || whole.events == events, "{} events of {reason:?}: {frame:02x?}", whole.events);
    judged
}

#[test]
fn every_frame_gets_its_verdict() {
    let services = services();
    let memory = Memory::new(&services, DEADLINE);
    let mut wrong = vec![];
    for case in cases(TIME) {
        let number = |name| services.iter().position(|service: &Service| service.name == name).unwrap() + 1;
        let expected = Verdict {
            service: case.service.map_or(0, |name| u32::try_from(number(name)).unwrap()),
            reason: case.reason,
            treatment: case.treatment,
            would_drop: case.would_drop,
        };
        let judged = judge_at(&case.frame, &memory, TIME);
        if judged.verdict() != expected {
            wrong.push(format!("{}: {:?}, not {expected:?}", case.name, judged.verdict()));
        }
        if judged.verdict().service != 0 {
            let at = network(&case);
            let payload = u16::from_be_bytes([case.frame[at + 4], case.frame[at + 5]]);
            assert_eq!(judged.octets as usize, at + 40 + usize::from(payload), "{}", case.name);
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Where IPv6 begins, from the end: the destination's prefix stands 24 octets behind it.
fn network(case: &Case) -> usize {
    let at = case.frame.windows(2).position(|pair| pair == [0x86, 0xdd]).unwrap();
    at + 2
}

#[test]
fn no_service_at_all_passes_everything_that_is_well_formed() {
    let unset = Memory { bank: bytemuck::Zeroable::zeroed(), ..Memory::new(&services(), DEADLINE) };
    for memory in [Memory::new(&[], DEADLINE), unset] {
        for case in cases(TIME) {
            let expected = if case.reason == Reason::Malformed { Reason::Malformed } else { Reason::Other };
            assert_eq!(judge_at(&case.frame, &memory, TIME).verdict().reason, expected, "{}", case.name);
        }
    }
}

#[test]
fn the_table_is_sound() {
    let cases = cases(TIME);
    let mut seen = BTreeSet::new();
    let twice: Vec<_> = cases.iter().map(|case| &case.name).filter(|name| !seen.insert(*name)).collect();
    assert!(twice.is_empty(), "each name once: {twice:?}");
    assert!(cases.len() > 1000);
    let of_other_steps = [Reason::Established, Reason::Blocked, Reason::NoEndpoint];
    for reason in Reason::ALL.into_iter().filter(|reason| !of_other_steps.contains(reason)) {
        assert!(cases.iter().any(|case| case.reason == reason), "{reason:?} has a case");
    }
    for treatment in [Treatment::Pass, Treatment::LowPriority, Treatment::Drop] {
        assert!(cases.iter().any(|case| case.treatment == treatment && !case.would_drop), "{treatment:?} has a case");
    }
    assert!(cases.iter().any(|case| case.would_drop));
    for case in &cases {
        assert!(case.frame.len() >= 14, "{}: an Ethernet header is the least a driver hands over", case.name);
        assert!(case.linear.is_none_or(|linear| (14..case.frame.len()).contains(&linear)), "{}", case.name);
        assert_eq!(case.output().is_none(), case.treatment == Treatment::Drop, "{}", case.name);
    }
}

#[test]
fn low_priority_changes_six_bits() {
    for case in cases(TIME).iter().filter(|case| case.treatment == Treatment::LowPriority) {
        let output = case.output().unwrap();
        let network = network(case);
        assert_eq!(output.len(), case.frame.len());
        for (at, (before, after)) in case.frame.iter().zip(&output).enumerate() {
            let may_change = if at == network {
                0x0f
            } else if at == network + 1 {
                0xc0
            } else {
                0
            };
            assert_eq!((before ^ after) & !may_change, 0, "{} at {at}", case.name);
        }
        let class = output[network] << 4 | output[network + 1] >> 4;
        assert_eq!(class >> 2, 1, "{}: LE is 000001", case.name);
    }
}

#[test]
fn the_previous_rule_ends_at_its_deadline() {
    let services = services();
    let turned = *services.iter().find(|service| service.name == "turned").unwrap();
    let memory = Memory::new(&services, TIME);
    let frames = cases(TIME);
    let of_previous = |case: &&Case| case.name == "turned: an address of the previous rule";
    let case = frames.iter().find(of_previous).unwrap();
    for (time, reason) in [(TIME - 1, Reason::Conform), (TIME, turned.mismatch), (TIME + 1, turned.mismatch)] {
        assert_eq!(judge_at(&case.frame, &memory, time).verdict().reason, reason, "at {time}");
    }
    let of_previous = |case: &&Case| case.name == "turned: error about an address of the previous rule";
    let case = frames.iter().find(of_previous).unwrap();
    for (time, reason) in [(TIME - 1, Reason::IcmpError), (TIME, Reason::BadIcmpError)] {
        assert_eq!(judge_at(&case.frame, &memory, time).verdict().reason, reason, "at {time}");
    }
}

#[test]
fn a_share_of_the_sources_is_enforced_and_always_the_same() {
    let services = services();
    let mut row = *Memory::new(&services, DEADLINE).slot("strict", &services);
    let random = &mut Random(25);
    let sources: Vec<u128> = (0..20_000).map(|_| random.wide()).collect();
    let drops = |row: &_, source: u128| {
        let verdict = treat(row, Words::from_u128(source), Reason::FieldMismatch);
        assert_eq!(verdict.would_drop, verdict.treatment == Treatment::Pass);
        verdict.treatment == Treatment::Drop
    };
    let mut before = BTreeSet::new();
    for percent in [0u32, 1, 25, 50, 99, 100] {
        row.enforce = (u64::from(percent) << 32) / 100;
        let dropped: BTreeSet<u128> = sources.iter().copied().filter(|&source| drops(&row, source)).collect();
        assert!(dropped.is_superset(&before), "a source once enforced stays so as the share grows");
        let share = f64::from(u32::try_from(dropped.len()).unwrap()) / 20_000.0;
        assert!((share - f64::from(percent) / 100.0).abs() < 0.015, "{percent}%: {share}");
        before = dropped;
    }
    assert_eq!(before.len(), sources.len(), "100% is all");
    row.enforce = (25 << 32) / 100;
    for source in sources {
        // One network is enforced or not, whichever of its addresses sends.
        assert_eq!(drops(&row, source), drops(&row, source ^ random.wide() >> 48));
    }
    for reason in [Reason::BadSource, Reason::Malformed] {
        row.enforce = 0;
        assert_eq!(treat(&row, Words::from_u128(CLIENT), reason).treatment, Treatment::Drop, "in every mode");
    }
}
