//! Protocols that a service takes and does not take, and what cannot be told.

use ssa_common::verdict::Reason;

use super::{
    case::Cases,
    packet::{Extension, icmp, tcp, udp},
};

pub(super) fn add(cases: &mut Cases) {
    cases.by_rule("TCP to 443", "web", |packet| packet.carrying(tcp(443)).frame());
    for kind in [0, 5, 100, 127, 128, 129, 130, 131, 132, 138, 139, 143, 151, 255] {
        let name = format!("ICMPv6 type {kind}");
        cases.by_rule(&name, "web", |packet| packet.carrying(icmp(kind, 0, 1, b"echo")).frame());
    }
    for port in [0, 80, 442, 444, 0xbb01, 65535] {
        let name = format!("TCP to {port}");
        cases.whatever_rule(&name, "web", Reason::Protocol, |packet| packet.carrying(tcp(port)).frame());
    }
    cases.whatever_rule("UDP to 443", "web", Reason::Protocol, |packet| packet.carrying(udp(443)).frame());
    for next in [4, 33, 41, 47, 50, 59, 132, 136, 139, 140, 253, 254, 255] {
        let name = format!("protocol {next} that looks like TCP to 443");
        let (_, octets) = tcp(443);
        cases.whatever_rule(&name, "web", Reason::Protocol, |packet| packet.carrying((next, octets.clone())).frame());
    }
    for octets in [0, 1, 2, 3] {
        let name = format!("{octets} octets of TCP");
        cases.whatever_rule(&name, "web", Reason::Unparsable, |packet| packet.cut(40 + octets));
        let name = format!("{octets} octets of UDP");
        let left = udp(443).1[..octets].to_vec();
        cases.whatever_rule(&name, "web", Reason::Protocol, |packet| packet.carrying((17, left.clone())).frame());
    }
    cases.by_rule("4 octets of TCP", "web", |packet| packet.cut(44));
    // ICMPv6 with one octet is ICMPv6, and no exemption.
    cases.by_rule("1 octet of ICMPv6", "web", |packet| packet.carrying((58, vec![135])).hops(255).frame());
    let options = [Extension::destination_options()];
    cases.whatever_rule("TCP behind options, cut before its port", "web", Reason::Unparsable, |packet| {
        packet.behind(&options).cut(50)
    });
    // Another service takes everything.
    cases.by_rule("TCP to 80", "audit", |packet| packet.carrying(tcp(80)).frame());
}
