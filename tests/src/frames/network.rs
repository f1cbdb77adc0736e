//! IPv6 headers: versions, lengths that lie, and every kind of next header.

use ssa_common::verdict::Reason;

use super::{
    case::Cases,
    packet::{C_TAG, Extension, Packet, icmp, tcp, udp},
};

pub(super) fn add(cases: &mut Cases) {
    for version in [0, 1, 4, 5, 7, 14, 15] {
        let frame = Packet { version, ..cases.good("strict") }.frame();
        cases.outside(format!("version {version}"), Reason::Malformed, frame);
        let frame = Packet { version, ..Packet::new(1 << 125, 1) }.frame();
        cases.outside(format!("version {version} to nobody"), Reason::Malformed, frame);
    }
    for octets in [0, 1, 8, 39] {
        let frame = cases.good("strict").cut(octets);
        cases.outside(format!("{octets} octets of an IPv6 header"), Reason::Malformed, frame);
        let frame = cases.good("strict").tagged(&[(C_TAG, 0)]).cut(octets);
        cases.outside(format!("{octets} octets of an IPv6 header under a tag"), Reason::Malformed, frame);
    }
    for length in [0, 1, 19, 21, 0x7fff, 0xffff] {
        cases.by_rule(&format!("payload length {length}"), "strict", |packet| {
            Packet { length: Some(length), ..packet }.frame()
        });
    }
    for hop_limit in [0, 1, 255] {
        cases.by_rule(&format!("hop limit {hop_limit}"), "strict", |packet| packet.hops(hop_limit).frame());
    }
    cases.by_rule("flow label and traffic class", "strict", |packet| {
        Packet { flow_label: 0xf_ffff, traffic_class: 0xff, ..packet }.frame()
    });
    upper_layers(cases);
    jumbogram(cases);
}

fn upper_layers(cases: &mut Cases) {
    for service in ["strict", "wide", "narrow"] {
        cases.by_rule("TCP", service, |packet| packet.carrying(tcp(80)).frame());
        cases.by_rule("UDP", service, |packet| packet.carrying(udp(53)).frame());
        for (name, kind) in [("request", 128), ("reply", 129)] {
            let name = format!("ICMPv6 echo {name}");
            cases.by_rule(&name, service, |packet| packet.carrying(icmp(kind, 0, 1, b"echo")).frame());
        }
        // What they carry is not looked at, however it begins.
        let looks_like_discovery = icmp(135, 0, 0, &[0; 16]).1;
        for (name, next) in [
            ("SCTP", 132),
            ("GRE", 47),
            ("ESP", 50),
            ("IPv4", 4),
            ("DCCP", 33),
            ("UDP-Lite", 136),
            ("HIP", 139),
            ("Shim6", 140),
            ("Ethernet", 143),
            ("ICMP of IPv4", 1),
            ("no next header", 59),
            ("253", 253),
            ("254", 254),
            ("255", 255),
        ] {
            cases.by_rule(name, service, |packet| packet.carrying((next, looks_like_discovery.clone())).frame());
        }
        let inner = cases.good(service).packet();
        cases.by_rule("an inner IPv6 that conforms", service, |packet| packet.carrying((41, inner.clone())).frame());
    }
    for octets in 40..60 {
        let name = format!("TCP, {octets} octets in all");
        cases.by_rule(&name, "strict", |packet| packet.cut(octets));
    }
}

fn jumbogram(cases: &mut Cases) {
    // RFC 2675 §2: payload length 0, and the true one in an option of type 0xc2.
    let option = Extension { kind: 0, octets: vec![0, 0, 0xc2, 4, 0, 1, 0, 0] };
    cases.by_rule("jumbogram", "strict", |packet| {
        Packet { length: Some(0), ..packet.behind(std::slice::from_ref(&option)) }.frame()
    });
    cases.by_rule("jumbogram", "web", |packet| {
        Packet { length: Some(0), ..packet.behind(std::slice::from_ref(&option)) }.frame()
    });
}
