//! ICMPv6 errors from routers: judged by the packet they carry, whoever sends them.

use ssa_common::verdict::Reason;

use super::{
    case::Cases,
    packet::{C_TAG, Extension, Packet, icmp},
    service::CLIENT,
};

/// A router that cannot follow any rule.
const ROUTER: u128 = 0x2001_0db8_00ff << 80 | 1;
const LINK_LOCAL: u128 = 0xfe80 << 112 | 1;
/// The period of `hopping`, in seconds.
const PERIOD: u64 = 3600;

/// What the service sent to the client, as an error carries it.
fn answer(packet: &Packet) -> Packet {
    Packet::new(packet.destination, packet.source)
}

/// The same packet from the router, carrying an error.
fn error(packet: &Packet, kind: u8, field: u32, embedded: &[u8]) -> Packet {
    Packet { source: ROUTER, ..packet.clone() }.carrying(icmp(kind, 0, field, embedded))
}

pub(super) fn add(cases: &mut Cases) {
    for service in ["strict", "web", "slow", "audit", "wide", "hopping", "proof", "inner", "turned", "narrow"] {
        for kind in 1..=4 {
            let name = format!("error {kind}");
            twins(cases, &name, service, |packet| error(packet, kind, 1400, &answer(packet).packet()).frame());
        }
    }
    embedded(cases);
    too_big(cases);
    behind(cases);
    sources(cases);
    windows(cases);
    for kind in [0, 5, 6, 99, 100, 127] {
        let name = format!("error {kind}, which is none");
        cases.by_rule(&name, "strict", |packet| {
            let embedded = answer(&packet).packet();
            packet.carrying(icmp(kind, 0, 1400, &embedded)).frame()
        });
    }
}

/// An error about a packet to a client that conforms, and about one to a client that does not.
fn twins(cases: &mut Cases, name: &str, service: &str, make: impl Fn(&Packet) -> Vec<u8>) {
    let (good, wrong) = (make(&cases.good(service)), make(&cases.wrong(service)));
    cases.inside(format!("{name}, good answer"), service, Reason::IcmpError, good);
    cases.inside(format!("{name}, wrong answer"), service, Reason::BadIcmpError, wrong);
}

fn embedded(cases: &mut Cases) {
    let good = cases.good("strict");
    for kind in 1..=4 {
        for (octets, reason) in [
            (40, Reason::IcmpError),
            (41, Reason::IcmpError),
            (39, Reason::BadIcmpError),
            (8, Reason::BadIcmpError),
            (0, Reason::BadIcmpError),
        ] {
            let frame = error(&good, kind, 1400, &answer(&good).packet()[..octets]).frame();
            cases.inside(format!("error {kind} with {octets} octets"), "strict", reason, frame);
        }
        for octets in [2, 4, 7] {
            let frame = error(&good, kind, 1400, &[]).cut(40 + octets);
            cases.inside(format!("{octets} octets of error {kind}"), "strict", Reason::BadIcmpError, frame);
        }
        for version in [0, 4, 15] {
            let frame = error(&good, kind, 1400, &Packet { version, ..answer(&good) }.packet()).frame();
            cases.inside(format!("error {kind} about version {version}"), "strict", Reason::BadIcmpError, frame);
        }
        for bit in [0, 63, 64, 127] {
            let other = Packet { source: good.destination ^ 1 << bit, ..answer(&good) };
            let frame = error(&good, kind, 1400, &other.packet()).frame();
            cases.inside(format!("error {kind} about source bit {bit}"), "strict", Reason::BadIcmpError, frame);
        }
        // Bits 0 to 49 of the client's address are in the rule of this service.
        for (bit, reason) in [(0, Reason::BadIcmpError), (49, Reason::BadIcmpError), (50, Reason::IcmpError)] {
            let other = Packet { destination: CLIENT ^ 1 << (127 - bit), ..answer(&good) };
            let frame = error(&good, kind, 1400, &other.packet()).frame();
            cases.inside(format!("error {kind} about client bit {bit}"), "strict", reason, frame);
        }
    }
}

fn too_big(cases: &mut Cases) {
    let good = cases.good("strict");
    let answer = answer(&good).packet();
    for (mtu, reason) in [
        (0, Reason::BadIcmpError),
        (68, Reason::BadIcmpError),
        (1279, Reason::BadIcmpError),
        (1280, Reason::IcmpError),
        (1500, Reason::IcmpError),
        (u32::MAX, Reason::IcmpError),
    ] {
        let frame = error(&good, 2, mtu, &answer).frame();
        cases.inside(format!("too big with an MTU of {mtu}"), "strict", reason, frame);
    }
    for kind in [1, 3, 4] {
        let frame = error(&good, kind, 0, &answer).frame();
        cases.inside(format!("error {kind} has no MTU"), "strict", Reason::IcmpError, frame);
    }
}

fn behind(cases: &mut Cases) {
    let make = |packet: &Packet| error(packet, 2, 1400, &answer(packet).packet());
    for count in [1, 8] {
        let headers = vec![Extension::destination_options(); count];
        let name = format!("error behind {count} extension headers");
        twins(cases, &name, "strict", |packet| make(packet).behind(&headers).frame());
    }
    for count in [9, 30] {
        let headers = vec![Extension::destination_options(); count];
        let name = format!("error behind {count} extension headers");
        // No exemption: the router's address does not conform.
        let reason = Reason::FieldMismatch;
        cases.whatever_rule(&name, "strict", reason, |packet| make(&packet).behind(&headers).frame());
        cases.whatever_rule(&name, "web", Reason::Unparsable, |packet| make(&packet).behind(&headers).frame());
    }
    twins(cases, "error under 4 tags", "strict", |packet| make(packet).tagged(&[(C_TAG, 9); 4]).frame());
}

fn sources(cases: &mut Cases) {
    for service in ["strict", "web", "slow", "audit"] {
        // The client's own source conforms, and does not help.
        let make = |packet: &Packet| error(packet, 1, 0, &answer(packet).packet());
        let mut bad = cases.good(service);
        let target = bad.destination;
        bad = bad.carrying(icmp(1, 0, 0, &Packet::new(target, ROUTER).packet()));
        cases.inside("bad error from a client that conforms", service, Reason::BadIcmpError, bad.frame());
        for (source, good, wrong) in [
            (LINK_LOCAL, Reason::IcmpError, Reason::BadSource),
            (0, Reason::BadSource, Reason::BadSource),
            (1, Reason::BadSource, Reason::BadSource),
            (0xff02 << 112 | 1, Reason::BadSource, Reason::BadSource),
            (0xffff_0102_0304, Reason::BadSource, Reason::BadSource),
        ] {
            let from = |packet: &Packet| Packet { source, ..make(packet) }.frame();
            let (good_frame, wrong_frame) = (from(&cases.good(service)), from(&cases.wrong(service)));
            let address = std::net::Ipv6Addr::from_bits(source);
            cases.inside(format!("error from {address}, good answer"), service, good, good_frame);
            cases.inside(format!("error from {address}, wrong answer"), service, wrong, wrong_frame);
        }
    }
}

fn windows(cases: &mut Cases) {
    let service = cases.service("hopping");
    for (ago, packet_reason, error_reason) in [
        (0, Reason::Conform, Reason::IcmpError),
        (1, Reason::MacMismatch, Reason::IcmpError),
        (2, Reason::MacMismatch, Reason::BadIcmpError),
    ] {
        let packet = Packet::new(CLIENT, service.address(CLIENT, cases.time() - ago * PERIOD));
        let about = error(&packet, 2, 1400, &answer(&packet).packet());
        cases.inside(format!("an address of {ago} epochs ago"), "hopping", packet_reason, packet.frame());
        cases.inside(format!("error about an address of {ago} epochs ago"), "hopping", error_reason, about.frame());
    }
    for ahead in [1, 2] {
        let packet = Packet::new(CLIENT, service.address(CLIENT, cases.time() + ahead * PERIOD));
        let about = error(&packet, 2, 1400, &answer(&packet).packet());
        cases.inside(format!("an address {ahead} epochs ahead"), "hopping", Reason::MacMismatch, packet.frame());
        let name = format!("error about an address {ahead} epochs ahead");
        cases.inside(name, "hopping", Reason::BadIcmpError, about.frame());
    }
    let turned = cases.service("turned");
    let old = turned.compile_previous().map(|rule| super::service::address(&rule, CLIENT, cases.time()));
    if let Some(old) = old {
        let packet = Packet::new(CLIENT, old);
        let about = error(&packet, 2, 1400, &answer(&packet).packet());
        cases.inside("an address of the previous rule", "turned", Reason::Conform, packet.frame());
        cases.inside("error about an address of the previous rule", "turned", Reason::IcmpError, about.frame());
        let packet = Packet::new(CLIENT, old ^ 1);
        cases.inside("an address of no rule", "turned", Reason::FieldMismatch, packet.frame());
    }
}
