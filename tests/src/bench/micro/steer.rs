//! Services whose slices belong to this host and to others in; frames for them, and what becomes of those, out.

use std::{array, net::Ipv6Addr, ops::Range};

use anyhow::{Context as _, Result, ensure};
use aya::programs::ProgramFd;
use ssa_common::{
    rows::HopRow,
    verdict::{Reason, Treatment},
};

use super::{
    cases::{BIT, Measured, case, datagram},
    filter::Filter,
    restore::Restore,
    subject::Subject,
};
use crate::{
    frames::{
        CLIENT, Case, Service,
        packet::{Packet, Upper, tcp},
    },
    run::{BACK, Config, PASS, REDIRECT},
};

/// The endpoints in the order of their numbers: this host, one behind the interface that frames come in by, and one behind
/// another interface.
const ADDRESSES: [u128; 3] = [EXAMPLE | 0xa, EXAMPLE | 0xb, EXAMPLE | 0xc];
const EXAMPLE: u128 = 0x2001_0db8_000e << 80;
const HERE: usize = 0;
const BEHIND: usize = 1;
const BEYOND: usize = 2;
/// Test runs come in by the loopback, whose number is 1, and go nowhere.
const INTERFACES: [u32; 3] = [0, 1, 2];
/// The hardware addresses that frames are sent on with.
const LINK: [u8; 12] = [0x02, 0, 0, 0, 0, 4, 0x02, 0, 0, 0, 0, 3];
/// Seconds, long enough for a bench.
const DAY: i64 = 86_400;

/// Where the IPv6 header is in a frame without tags, and the flow label in it.
const NETWORK: usize = 14;
const FLOW_LABEL: Range<usize> = 15..18;
/// Octets of an IPv6 header, where its hop limit is, and what says that it carries another.
const HEADER: usize = 40;
const HOP_LIMIT: usize = 7;
const IPV6: u8 = 41;
/// Where the flags are in a TCP header, and the one of a connection that has begun.
const FLAGS: usize = 13;
const ACK: u8 = 0x10;

const fn service(number: u128, name: &'static str) -> Service {
    Service { name, prefix: (0x2001_0db8_0000_0000 + number) << 64, ..BIT }
}

const OWN: Service = service(1, "own");
const COUNTED: Service = service(2, "counted");
const PAST: Service = service(3, "past");
const HANDED: Service = service(4, "handed");
const L2: Service = service(5, "l2");
const L2_OUT: Service = service(6, "l2-out");
const WRAP: Service = service(7, "wrap");
const WRAP_OUT: Service = service(8, "wrap-out");

/// The filter over them.
pub(super) fn filter(time: u64) -> Result<Filter> {
    let config = ADDRESSES.iter().enumerate().fold(Config::default(), |config, (number, address)| {
        let way = HopRow {
            link: u64::from_ne_bytes(array::from_fn(|at| LINK[at])),
            link_end: u32::from_ne_bytes(array::from_fn(|at| LINK[8 + at])),
            interface: INTERFACES[number],
            mtu: 1500,
            ..HopRow::default()
        };
        let address = Ipv6Addr::from_bits(*address).to_string();
        config.endpoint(&format!("e{number}"), &address, (number != HERE).then_some(way))
    });
    let services = [
        (OWN, "route", HERE),
        (COUNTED, "route", HERE),
        (PAST, "ip6ip6", HERE),
        (HANDED, "ip6ip6", HERE),
        (L2, "l2", BEHIND),
        (L2_OUT, "l2", BEYOND),
        (WRAP, "ip6ip6", BEHIND),
        (WRAP_OUT, "ip6ip6", BEYOND),
    ];
    let config = services.into_iter().fold(config, |config, (service, steer, owner)| {
        let Service { name, prefix, length, rule, .. } = service;
        config.service(&format!(
            "name = \"{name}\"\nprefixes = [\"{}/{length}\"]\nrule = \"{rule}\"\nslice_bits = 14\nsteer = \"{steer}\"\n\
             pinned = [\"0-16383 e{owner}\"]\nslice_counters = {}\n",
            Ipv6Addr::from_bits(prefix),
            name == COUNTED.name,
        ))
    });
    let filter = Filter::new(&config, time)?;
    let before = u32::try_from(BEHIND)?;
    filter.hand_over(PAST.name, before, -DAY)?;
    filter.hand_over(HANDED.name, before, DAY)?;
    Ok(filter)
}

/// Frames for slices of this host. They stay as they are.
pub(super) fn own(time: u64) -> [Measured; 4] {
    [
        (OWN, "slice/own", "own slice"),
        (COUNTED, "slice/counted", "own slice, counted"),
        (PAST, "slice/handover-past", "own slice, its handover past"),
        (HANDED, "slice/handover", "own slice in handover, UDP"),
    ]
    .map(|(service, id, name)| Measured {
        id,
        case: case(&service, name, Reason::Conform, Treatment::Pass, packet(&service, time, datagram()).frame()),
    })
}

/// A way in which frames are changed, and some to which that happens.
pub(super) struct Change {
    /// Words of 8 octets behind the Ethernet header that are not what they were.
    words: usize,
    /// Octets by which the frame begins earlier.
    grown: Option<i32>,
    pub(super) frames: Vec<Changed>,
}

/// A frame that is changed, and what it becomes.
pub(super) struct Changed {
    pub(super) id: &'static str,
    pub(super) case: Case,
    action: u32,
    /// All of it, but for the flow label of an outer header.
    becomes: Vec<u8>,
}

/// What is sent on as it is, what is sent on in a packet of its own, and what came in such a packet.
pub(super) fn changes(time: u64) -> [Change; 3] {
    let bare = |service: &Service, id, name, action| {
        let packet = packet(service, time, datagram());
        let becomes = [&LINK[..], &packet.frame()[LINK.len()..NETWORK], &on_its_way(&packet)].concat();
        sent(service, id, name, action, &packet, becomes)
    };
    let wrapped = |service: &Service, id, name, action, upper| {
        let packet = packet(service, time, upper);
        let to = if action == BACK { BEHIND } else { BEYOND };
        let outer = Packet::new(ADDRESSES[HERE], ADDRESSES[to]).carrying((IPV6, on_its_way(&packet)));
        let becomes = [&LINK[..], &outer.frame()[LINK.len()..]].concat();
        sent(service, id, name, action, &packet, becomes)
    };
    let inner = packet(&OWN, time, datagram());
    let outer = Packet::new(ADDRESSES[BEHIND], ADDRESSES[HERE]).carrying((IPV6, inner.packet()));
    let unpacked = Changed {
        id: "steer/unpack",
        case: case(&OWN, "unpacked by the endpoint", Reason::Conform, Treatment::Pass, outer.frame()),
        action: PASS,
        becomes: inner.frame(),
    };
    let header = i32::try_from(HEADER).expect("a header");
    [
        Change {
            words: 1,
            grown: None,
            frames: vec![
                bare(&L2, "steer/l2", "sent on by l2", BACK),
                bare(&L2_OUT, "steer/l2-out", "sent on by l2, another interface", REDIRECT),
            ],
        },
        Change {
            words: 1,
            grown: Some(header),
            frames: vec![
                wrapped(&WRAP, "steer/ip6ip6", "sent on by ip6ip6", BACK, datagram()),
                wrapped(&WRAP_OUT, "steer/ip6ip6-out", "sent on by ip6ip6, another interface", REDIRECT, datagram()),
                wrapped(
                    &HANDED,
                    "slice/handover-tcp",
                    "own slice in handover, TCP of the owner before",
                    BACK,
                    segment(),
                ),
            ],
        },
        Change { words: HEADER / 8, grown: Some(-header), frames: vec![unpacked] },
    ]
}

impl Change {
    /// Sees that a frame becomes what it should; then it does so in each run, as it is made anew before.
    pub(super) fn subject(&self, changed: &Changed, filter: &mut Filter) -> Result<Subject> {
        let Changed { case, action, becomes, .. } = changed;
        let mut left = filter.left(case, *action)?;
        if left.len() > case.frame.len() {
            left[FLOW_LABEL].copy_from_slice(&becomes[FLOW_LABEL]);
        }
        ensure!(left == *becomes, "{}: the frame becomes {left:02x?}, and should be {becomes:02x?}", case.name);
        let restore = self.restore(changed);
        let (program, slot) = restore.before(filter.program())?;
        Ok(Subject::new(program, restore.left(), None, *action).holding(slot))
    }

    /// The same frame, made anew before a program that does nothing.
    pub(super) fn base(&self, empty: &ProgramFd) -> Result<Subject> {
        let changed = self.frames.first().context("a change of no frames")?;
        let (program, slot) = self.restore(changed).before_nothing(empty)?;
        Ok(Subject::new(program, changed.case.frame.clone(), None, PASS).holding(slot))
    }

    fn restore<'a>(&self, changed: &'a Changed) -> Restore<'a> {
        Restore { frame: &changed.case.frame, words: self.words, grown: self.grown }
    }
}

fn sent(service: &Service, id: &'static str, name: &str, action: u32, packet: &Packet, becomes: Vec<u8>) -> Changed {
    let case = case(service, name, Reason::Conform, Treatment::Forward, packet.frame());
    Changed { id, case, action, becomes }
}

/// A packet to a service.
fn packet(service: &Service, time: u64, upper: Upper) -> Packet {
    Packet::new(CLIENT, service.address(CLIENT, time)).carrying(upper)
}

/// The octets of a packet that was sent on.
fn on_its_way(packet: &Packet) -> Vec<u8> {
    let mut octets = packet.packet();
    octets[HOP_LIMIT] -= 1;
    octets
}

/// A TCP segment in the middle of a connection, as long as the datagram.
fn segment() -> Upper {
    let (protocol, mut octets) = tcp(443);
    octets[FLAGS] = ACK;
    octets.resize(datagram().1.len(), 0x5a);
    (protocol, octets)
}
