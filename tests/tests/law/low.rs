//! Services with each kind of low priority in; what the law says of their suspects, with and without room for them, out.

use ssa_common::{
    judge::{Judged, Tables, judge, judge_whole},
    rows::{
        BankRow, EndpointRow, FLAG_LOW_CPU, FLAG_LOW_LIMIT, FLAG_LOW_MARK, FLAG_LOW_PLAIN, LOW_OTHERWISE, PrefixRow,
        PreviousRow, ServiceRow, SliceWord,
    },
    verdict::Treatment,
};
use ssa_tests::frames::{cases, services};

use crate::{
    frames::{DEADLINE, TIME, judge_at},
    tables::{Boot, HERTZ, Memory},
};

/// Tables whose services have no room for suspects.
struct Full(Memory);

impl Tables for Full {
    fn bank(&self) -> Option<&BankRow> {
        self.0.bank()
    }

    fn prefix(&self, slot: u32) -> Option<&PrefixRow> {
        self.0.prefix(slot)
    }

    fn previous(&self, slot: u32) -> Option<&PreviousRow> {
        self.0.previous(slot)
    }

    fn service(&self, index: u32) -> Option<&ServiceRow> {
        self.0.service(index)
    }

    fn slice(&self, place: u32) -> SliceWord {
        self.0.slice(place)
    }

    fn endpoint(&self, place: u32) -> Option<&EndpointRow> {
        self.0.endpoint(place)
    }

    fn has_room(&self, _: u32, _: u32) -> bool {
        false
    }
}

/// The tables with these flags on all services.
fn with(flags: u32) -> Memory {
    let mut memory = Memory::new(&services(), DEADLINE);
    for row in memory.prefixes.iter_mut().filter(|row| row.length != 0) {
        row.flags |= flags;
    }
    memory
}

/// Each set of the flags.
fn sets() -> impl Iterator<Item = u32> {
    let flags = [FLAG_LOW_CPU, FLAG_LOW_MARK, FLAG_LOW_LIMIT, FLAG_LOW_PLAIN];
    (0..16).map(move |set| flags.iter().enumerate().map(|(bit, flag)| (set >> bit & 1) * flag).sum())
}

#[test]
fn verdicts_stay_as_they_are_where_there_is_room() {
    for flags in sets() {
        let memory = with(flags);
        for case in cases(TIME) {
            let judged = judge_at(&case.frame, &memory, TIME);
            let verdict = judged.verdict();
            let expected = (case.reason, case.treatment, case.would_drop);
            assert_eq!((verdict.reason, verdict.treatment, verdict.would_drop), expected, "{}", case.name);
            let low = if case.treatment == Treatment::LowPriority { flags & LOW_OTHERWISE } else { 0 };
            assert_eq!(judged.low, low, "{}", case.name);
        }
    }
}

#[test]
fn without_room_suspects_alone_are_dropped() {
    let (full, free) = (Full(with(FLAG_LOW_LIMIT)), Full(with(LOW_OTHERWISE & !FLAG_LOW_LIMIT)));
    let clock = Boot::at(TIME * u64::from(HERTZ));
    for case in cases(TIME) {
        let frame = &&case.frame[..];
        let said = |judged: Judged| (judged.verdict(), judged.treatment);
        for (tables, treatment) in [
            (&full, if case.treatment == Treatment::LowPriority { Treatment::Drop } else { case.treatment }),
            (&free, case.treatment),
        ] {
            let judged = judge(frame, tables, &clock);
            assert_eq!(said(judged), said(judge_whole(frame, tables, &clock)), "{}", case.name);
            let (verdict, done) = said(judged);
            assert_eq!((verdict.reason, verdict.treatment, done), (case.reason, treatment, treatment), "{}", case.name);
            assert_eq!(verdict.would_drop, case.would_drop, "{}", case.name);
        }
    }
}
