//! Neighbour discovery and its kin: exempt from every rule; and what only looks like them.

use ssa_common::verdict::Reason;

use super::{
    case::Cases,
    packet::{C_TAG, Extension, Packet, discovery, icmp},
};

/// Types that are exempt.
const KINDS: [u8; 9] = [133, 134, 135, 136, 137, 141, 142, 148, 149];
/// Their neighbours, which are not.
const OTHERS: [u8; 12] = [128, 129, 130, 131, 132, 138, 139, 140, 143, 144, 147, 150];

const LINK_LOCAL: u128 = 0xfe80 << 112 | 0x1234;

pub(super) fn add(cases: &mut Cases) {
    for service in ["strict", "web", "slow", "audit", "wide", "hopping", "proof", "inner", "turned", "narrow"] {
        let target = cases.good(service).destination;
        for kind in KINDS {
            let name = format!("discovery {kind}");
            let message = move |packet: Packet| packet.carrying(discovery(kind, 0, target)).hops(255);
            cases.whatever_rule(&name, service, Reason::Control, |packet| message(packet).frame());
            let name = format!("discovery {kind} from a link-local source");
            let from = |packet: Packet| Packet { source: LINK_LOCAL, ..message(packet) };
            cases.whatever_rule(&name, service, Reason::Control, |packet| from(packet).frame());
        }
    }
    let target = cases.good("strict").destination;
    for kind in KINDS {
        for (name, code, hop_limit) in [("hop limit 254", 0, 254), ("hop limit 0", 0, 0), ("code 1", 1, 255)] {
            let name = format!("discovery {kind} with {name}");
            let message = |packet: Packet| packet.carrying(discovery(kind, code, target)).hops(hop_limit);
            cases.by_rule(&name, "strict", |packet| message(packet).frame());
            let name = format!("{name} from a link-local source");
            cases.whatever_rule(&name, "strict", Reason::BadSource, |packet| {
                Packet { source: LINK_LOCAL, ..message(packet) }.frame()
            });
        }
    }
    for kind in OTHERS {
        cases.by_rule(&format!("ICMPv6 type {kind} with hop limit 255"), "strict", |packet| {
            packet.carrying(discovery(kind, 0, target)).hops(255).frame()
        });
    }
    behind(cases, target);
    cut(cases);
}

fn behind(cases: &mut Cases, target: u128) {
    let message = |packet: Packet| packet.carrying(discovery(135, 0, target)).hops(255);
    for (name, headers) in [
        ("a destination option", vec![Extension::destination_options()]),
        ("a hop-by-hop header", vec![Extension::hop_by_hop()]),
        ("a routing header", vec![Extension::routing(0)]),
        ("an authentication header", vec![Extension::authentication(24)]),
        ("8 headers", vec![Extension::destination_options(); 8]),
        ("2,048 octets", vec![Extension::eights(60, 2048)]),
    ] {
        let name = format!("discovery behind {name}");
        cases.whatever_rule(&name, "strict", Reason::Control, |packet| message(packet).behind(&headers).frame());
    }
    for (name, headers) in [
        ("9 headers", vec![Extension::destination_options(); 9]),
        ("2,056 octets", vec![Extension::eights(60, 1024), Extension::eights(60, 1032)]),
    ] {
        let name = format!("discovery behind {name}");
        cases.by_rule(&name, "strict", |packet| message(packet).behind(&headers).frame());
    }
    cases.whatever_rule("discovery under 4 tags", "strict", Reason::Control, |packet| {
        message(packet).tagged(&[(C_TAG, 0); 4]).frame()
    });
}

fn cut(cases: &mut Cases) {
    let whole = |packet: Packet| packet.carrying(icmp(135, 0, 0, &[0; 16])).hops(255);
    cases.by_rule("discovery without a first octet", "strict", |packet| whole(packet).cut(40));
    cases.by_rule("discovery cut after its type", "strict", |packet| whole(packet).cut(41));
    // Type and code make it exempt; the stack refuses what is too short.
    cases.whatever_rule("discovery cut after its code", "strict", Reason::Control, |packet| whole(packet).cut(42));
}
