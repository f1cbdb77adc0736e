//! Services with suspects, known connections and shares in; frames for them, and what becomes of those, out.

use std::net::Ipv6Addr;

use anyhow::{Context as _, Result, ensure};
use aya::programs::ProgramFd;
use ssa_common::{
    layout::MARK_MAGIC,
    rows::MarkRow,
    verdict::{Reason, Treatment},
};
use ssa_ctl::plan::{low::Queue, numbers::Numbers};

use super::{
    ahead::{Ahead, Moved},
    cases::{BIT, case, datagram},
    filter::Filter,
    subject::Subject,
};
use crate::{
    frames::{CLIENT, Case, Service, packet::Packet},
    run::{self, Config, PASS, REDIRECT},
};

/// The queue that suspects wait in, and what their packets are marked with.
const QUEUE: Queue = Queue { cpu: 0, length: 64 };
const MARK: u32 = 7;
const HOST: &str = "[host.low_priority]\ncpu = 0\nmark = 7\n";
/// Octets of a link header, which every frame has.
const LINK: i32 = 14;

/// Services with the bit rule, in the order of their prefixes, and what else is said of them.
///
/// A measurement is of no more frames than a bucket of the largest rate holds, and fills again before the next.
const KINDS: [(&str, &str); 10] = [
    (OFF, ""),
    (DSCP, "on_mismatch = \"lowprio\""),
    (CPU, "on_mismatch = \"lowprio\"\nlow_priority = [\"cpu\"]"),
    (MARKED, "on_mismatch = \"lowprio\"\nlow_priority = [\"mark\"]"),
    (ALL, "on_mismatch = \"lowprio\"\nlow_priority = [\"dscp\", \"cpu\", \"mark\"]\nlow_priority_rate = 10000000"),
    (RATE, "on_mismatch = \"lowprio\"\nlow_priority = []\nlow_priority_rate = 10000000"),
    (EXCEEDED, "on_mismatch = \"lowprio\"\nlow_priority = []\nlow_priority_rate = 1"),
    (SOCKET, "established = \"socket\""),
    (FLOWS, "established = \"flows\""),
    (FAIR, "fair = { prefix = 48, share = \"50%\", above = 10000000 }"),
];
const OFF: &str = "off";
const DSCP: &str = "dscp";
const CPU: &str = "cpu";
const MARKED: &str = "mark";
const ALL: &str = "all";
const RATE: &str = "rate";
const EXCEEDED: &str = "exceeded";
const SOCKET: &str = "socket";
const FLOWS: &str = "flows";
const FAIR: &str = "fair";

/// A frame of such a service, and what becomes of it.
pub(super) struct Treated {
    pub(super) id: &'static str,
    pub(super) case: Case,
    /// Whether its mark stands in front of it, which is taken away before each run.
    pub(super) is_marked: bool,
    action: u32,
    becomes: Vec<u8>,
}

/// The filter over these services.
pub(super) fn filter(time: u64) -> Result<Filter> {
    let config = KINDS.iter().fold(Config::default(), |config, (name, lines)| {
        let Service { prefix, length, rule, .. } = service(name);
        let prefix = Ipv6Addr::from_bits(prefix);
        config.service(&format!("name = \"{name}\"\nprefixes = [\"{prefix}/{length}\"]\nrule = \"{rule}\"\n{lines}"))
    });
    let (mut tables, numbers) = config.also(HOST).tables(&Numbers::default());
    // One frame a second would get through, and be counted elsewhere.
    let exceeded = numbers.get(EXCEEDED).context("no such service")?;
    tables.services[exceeded as usize].low.rate = 0;
    let filter = Filter::over(&tables, numbers, time)?;
    filter.make_queue(QUEUE)?;
    Ok(filter)
}

/// Their frames.
pub(super) fn frames(time: u64) -> Vec<Treated> {
    let good = |kind, id, name| treated(kind, id, name, time, Reason::Conform, Treatment::Pass);
    let wrong = |kind, id, name, treatment| treated(kind, id, name, time, Reason::FieldMismatch, treatment);
    let suspect = |kind, id, name| wrong(kind, id, name, Treatment::LowPriority);
    vec![
        good(OFF, "off/conforming", "bit rule beside services with all of this, conforming"),
        wrong(OFF, "off/not-conforming", "bit rule beside services with all of this, not conforming", Treatment::Drop),
        good(ALL, "low/conforming", "bit rule with low priority, conforming"),
        suspect(DSCP, "low/dscp", "suspect, code point"),
        suspect(CPU, "low/cpu", "suspect, CPU"),
        suspect(MARKED, "low/mark", "suspect, mark"),
        suspect(ALL, "low/all", "suspect, rate, code point, mark and CPU"),
        suspect(RATE, "low/rate", "suspect, rate not reached"),
        wrong(EXCEEDED, "low/rate-exceeded", "suspect, rate exceeded", Treatment::Drop),
        good(SOCKET, "known/socket/conforming", "bit rule, sockets are known, conforming"),
        wrong(SOCKET, "known/socket/not-conforming", "not conforming, no socket", Treatment::Drop),
        good(FLOWS, "known/flows/conforming", "conforming, flow remembered"),
        wrong(FLOWS, "known/flows/not-conforming", "not conforming, flow unknown", Treatment::Drop),
        good(FAIR, "fair/conforming", "conforming, below the share of its source"),
    ]
}

/// Before a program that leaves the frame as it is: the work that is done before one that marks it.
pub(super) fn base(empty: &ProgramFd) -> Result<Subject> {
    let (program, slot) = front(0).of(empty)?;
    let frame = Packet::new(CLIENT, BIT.prefix).carrying(datagram()).frame();
    Ok(Subject::new(program, frame, None, PASS).holding(slot))
}

impl Treated {
    /// Sees that the frame becomes what it should; then it does so in each run.
    pub(super) fn subject(&self, filter: &mut Filter) -> Result<Subject> {
        let Self { case, action, becomes, .. } = self;
        let left = filter.left(case, *action)?;
        ensure!(left == *becomes, "{}: the frame becomes {left:02x?}, and should be {becomes:02x?}", case.name);
        let subject = |program| Subject::new(program, case.frame.clone(), None, *action);
        if self.is_marked {
            let (program, slot) = front(size_of::<MarkRow>()).of(filter.program())?;
            return Ok(subject(program).holding(slot));
        }
        Ok(subject(filter.program().try_clone()?))
    }
}

/// Takes away so many octets in front of the frame. The first run has none there, and takes away nothing.
fn front(octets: usize) -> Ahead {
    let octets = i32::try_from(octets).expect("some octets");
    Ahead { moved: Some(Moved::Front(octets)), octets: LINK, body: vec![] }
}

fn treated(kind: &str, id: &'static str, name: &str, time: u64, reason: Reason, treatment: Treatment) -> Treated {
    let service = service(kind);
    let conforms = reason == Reason::Conform;
    let to = if conforms { service.address(CLIENT, time) } else { service.wrong_address(CLIENT, time) };
    let frame = Packet::new(CLIENT, to).carrying(datagram()).frame();
    let case = case(&service, name, reason, treatment, frame);
    let is = |kinds: &[&str]| treatment == Treatment::LowPriority && kinds.contains(&kind);
    let row = MarkRow { magic: MARK_MAGIC, mark: MARK, priority: 0 };
    let is_marked = is(&[MARKED, ALL]);
    let front = if is_marked { bytemuck::bytes_of(&row) } else { &[] };
    let octets = case.output().filter(|_| is(&[DSCP, ALL])).unwrap_or_else(|| case.frame.clone());
    let action = if is(&[CPU, ALL]) { REDIRECT } else { run::action(treatment) };
    Treated { id, is_marked, action, becomes: [front, &octets].concat(), case }
}

fn service(kind: &str) -> Service {
    let (place, (name, _)) = (1..).zip(KINDS).find(|(_, (name, _))| *name == kind).expect("one of the kinds");
    Service { name, prefix: (0x2001_0db8_0000_0000 + place) << 64, ..BIT }
}
