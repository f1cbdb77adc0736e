//! Sources that cannot be, the addresses next to them, and sources inside a service.

use std::net::Ipv6Addr;

use ssa_common::verdict::Reason;

use super::{
    case::Cases,
    packet::{Packet, discovery, icmp, udp},
};

const IMPOSSIBLE: [&str; 12] = [
    "::",
    "::1",
    "ff02::1",
    "ff00::",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "::ffff:1.2.3.4",
    "::ffff:0:0",
    "::ffff:ffff:ffff",
    "fe80::1",
    "fe80::",
    "fe80:0:0:1::1",
    "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
];

const POSSIBLE: [&str; 13] = [
    "::2",
    "::1.2.3.4",
    "::fffe:1.2.3.4",
    "::1:0:0:0",
    "0:0:0:1::1",
    "::ffff:0:102:304",
    "64:ff9b::102:304",
    "fe7f:ffff::1",
    "fec0::1",
    "fc00::1",
    "feff::1",
    "2001:db8::",
    "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
];

pub(super) fn add(cases: &mut Cases) {
    let parse = |text: &str| text.parse::<Ipv6Addr>().expect("the table holds addresses").to_bits();
    for service in ["strict", "web", "slow", "audit", "hopping"] {
        let row = cases.service(service);
        for text in IMPOSSIBLE {
            let source = parse(text);
            // Even when its bits match.
            let packet = Packet::new(source, row.address(source, cases.time()));
            cases.inside(format!("from {text}"), service, Reason::BadSource, packet.frame());
            let echo = packet.clone().carrying(icmp(128, 0, 1, b"echo"));
            cases.inside(format!("echo from {text}"), service, Reason::BadSource, echo.frame());
            let datagram = Packet::new(source, row.wrong_address(source, cases.time())).carrying(udp(9));
            cases.inside(format!("UDP from {text}, one bit off"), service, Reason::BadSource, datagram.frame());
        }
        for text in POSSIBLE {
            let source = parse(text);
            let packet = Packet::new(source, row.address(source, cases.time()));
            cases.inside(format!("from {text}"), service, Reason::Conform, packet.frame());
            let packet = Packet::new(source, row.wrong_address(source, cases.time()));
            cases.inside(format!("from {text}, one bit off"), service, row.mismatch, packet.frame());
        }
        // Discovery from where nobody can be: duplicate address detection asks a multicast group, never a service.
        let packet = Packet::new(0, row.address(0, cases.time())).carrying(discovery(135, 0, 1)).hops(255);
        cases.inside("discovery from ::", service, Reason::BadSource, packet.frame());
    }
    inside_a_service(cases);
}

fn inside_a_service(cases: &mut Cases) {
    let sources = ["strict", "inner", "wide", "narrow"].map(|name| (name, cases.service(name).prefix | 0x1234));
    for (of, source) in sources {
        for (service, conforming) in [("strict", Reason::Conform), ("inner", Reason::BadSource)] {
            let row = cases.service(service);
            let packet = Packet::new(source, row.address(source, cases.time()));
            cases.inside(format!("from an address of {of}"), service, conforming, packet.frame());
            let packet = packet.carrying(discovery(136, 0, source)).hops(255);
            cases.inside(format!("discovery from an address of {of}"), service, Reason::Control, packet.frame());
        }
    }
    let row = cases.service("inner");
    let narrow = cases.service("narrow").prefix;
    for (name, source) in [("before", narrow - 1), ("after", narrow + (1 << 48))] {
        let packet = Packet::new(source, row.address(source, cases.time()));
        cases.inside(format!("from just {name} a service"), "inner", Reason::Conform, packet.frame());
    }
}
