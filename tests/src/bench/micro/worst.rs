//! The table of frames in; the most costly one out, and costly ones that the table does not have.

use std::cmp::Reverse;

use anyhow::{Context as _, Result};
use ssa_common::verdict::{Reason, Treatment};

use super::{
    cases::{case, error},
    filter::Filter,
    subject::Subject,
};
use crate::{
    bench::Context,
    frames::{
        CLIENT, Case, KEYS, Service, cases,
        packet::{C_TAG, Extension, Packet},
        services,
    },
    run::Config,
};

/// When the previous rules end.
const DEADLINE: u64 = 4_102_444_800;
/// The service of the table whose frames may cost a SHA-256.
const WITH_WORK: &str = "proof";
/// Single runs of each frame: a glance is cheap, and wrong by some dozen nanoseconds.
const GLANCES: usize = 40;
/// How many of the most costly, by that, get a closer look; and the runs of such a look.
const FINALISTS: usize = 12;
const LOOK: u32 = 20_000;
/// Where nothing depends on it, one frame of so many is looked at.
const BRIEF: usize = 50;

/// The filter of the table, its most costly frame, and the one of those that cost a proof of work.
pub(super) fn of_the_table(time: u64, context: &Context) -> Result<(Filter, [Case; 2])> {
    let mut filter = Filter::new(&Config::frames(&services(), DEADLINE), time)?;
    let mut kinds = [vec![], vec![]];
    let every = if context.brief { BRIEF } else { 1 };
    let cases: Vec<Case> = cases(time).into_iter().step_by(every).collect();
    let phase = context.phase("micro: looking for the worst frame", cases.len() as u64);
    for case in cases {
        let mut subject = filter.subject(&case)?;
        let mut least = u32::MAX;
        for _ in 0..GLANCES {
            least = least.min(subject.run(1)?.nanos);
        }
        kinds[usize::from(case.service == Some(WITH_WORK))].push((least, subject, case));
        phase.step()?;
    }
    let finalists = if context.brief { 1 } else { FINALISTS };
    let [worst, with_work] = kinds.map(|kind| most_costly(kind, finalists));
    Ok((filter, [worst?, with_work?]))
}

fn most_costly(mut cases: Vec<(u32, Subject, Case)>, finalists: usize) -> Result<Case> {
    cases.sort_by_key(|(nanos, ..)| Reverse(*nanos));
    let mut worst = None;
    for (_, mut subject, case) in cases.into_iter().take(finalists) {
        let nanos = subject.run(LOOK)?.nanos;
        if worst.as_ref().is_none_or(|(most, _)| *most < nanos) {
            worst = Some((nanos, case));
        }
    }
    worst.map(|(_, case)| case).context("the table has no such frames")
}

/// Two rules that both ask for a `mac`, or for work, of two keys in each epoch there is.
const TWICE_MAC: Service = Service {
    name: "twice-mac",
    prefix: 0x2001_0db8_0000_0001 << 64,
    length: 64,
    rule: "any:16 mac(48,key=k1,period=1h):48",
    previous: Some("any:8 mac(48,key=k1,period=1h):56"),
    allow: &["tcp/443", "icmpv6"],
    low_priority: false,
    enforce: true,
    deny_source_in_service: true,
    off: 127,
    mismatch: Reason::MacMismatch,
};
const TWICE_WORK: Service = Service {
    name: "twice-work",
    prefix: 0x2001_0db8_0000_0002 << 64,
    rule: "any:16 pow(64,zeros=8,period=1h):48",
    previous: Some("any:8 pow(64,zeros=8,period=1h):56"),
    mismatch: Reason::PowMissing,
    ..TWICE_MAC
};

/// Errors about addresses of no rule, behind all tags and extension headers that are looked behind: a filter, and the
/// two frames for it.
pub(super) fn built(time: u64) -> Result<(Filter, [Case; 2])> {
    let services = [TWICE_MAC, TWICE_WORK];
    let filter = Filter::new(&Config::keyed(&services, &KEYS, DEADLINE), time)?;
    let names = ["worst that was built: two rules with mac", "the same with pow"];
    let frames = [0, 1].map(|index| {
        let service = services[index];
        let wrong = Packet::new(CLIENT, service.wrong_address(CLIENT, time));
        let packet = error(&wrong).behind(&vec![Extension::destination_options(); 8]).tagged(&[(C_TAG, 9); 4]);
        case(&service, names[index], Reason::BadIcmpError, Treatment::Drop, packet.frame())
    });
    Ok((filter, frames))
}
