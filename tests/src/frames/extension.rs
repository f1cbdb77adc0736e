//! Extension headers: each kind, chains up to the bound and past it, headers that claim more than there is.

use ssa_common::verdict::Reason;

use super::{
    case::Cases,
    packet::{Extension, tcp},
};

pub(super) fn add(cases: &mut Cases) {
    each_kind(cases);
    chains(cases);
    long_chains(cases);
    cut(cases);
}

fn each_kind(cases: &mut Cases) {
    for (name, header) in [
        ("hop-by-hop", Extension::hop_by_hop()),
        ("hop-by-hop of 64 octets", Extension::eights(0, 64)),
        ("destination options", Extension::destination_options()),
        ("destination options of 2,048 octets", Extension::eights(60, 2048)),
        ("routing type 0", Extension::routing(0)),
        ("routing type 2", Extension::routing(2)),
        ("routing type 4", Extension::routing(4)),
        ("authentication of 24 octets", Extension::authentication(24)),
        ("authentication of 12 octets", Extension::authentication(12)),
        ("authentication of 1,028 octets", Extension::authentication(1028)),
        ("mobility", Extension::eights(135, 16)),
        ("a fragment header that does nothing", Extension::fragment(0, false)),
    ] {
        let behind = std::slice::from_ref(&header);
        cases.by_rule(name, "strict", |packet| packet.behind(behind).frame());
        // To look for a port, the header has to be measured rightly.
        cases.by_rule(name, "web", |packet| packet.behind(behind).frame());
        let name = format!("port 80 behind {name}");
        cases.whatever_rule(&name, "web", Reason::Protocol, |packet| packet.carrying(tcp(80)).behind(behind).frame());
    }
}

fn chains(cases: &mut Cases) {
    let all = [
        Extension::hop_by_hop(),
        Extension::destination_options(),
        Extension::routing(0),
        Extension::authentication(24),
        Extension::eights(135, 8),
        Extension::destination_options(),
        Extension::destination_options(),
    ];
    cases.by_rule("every kind in a row", "strict", |packet| packet.behind(&all).frame());
    cases.by_rule("every kind in a row", "web", |packet| packet.behind(&all).frame());
    for count in [2, 7, 8, 9, 10, 30] {
        let chain = vec![Extension::destination_options(); count];
        let name = format!("{count} destination options");
        cases.by_rule(&name, "strict", |packet| packet.behind(&chain).frame());
        if count <= 8 {
            cases.by_rule(&name, "web", |packet| packet.behind(&chain).frame());
        } else {
            cases.whatever_rule(&name, "web", Reason::Unparsable, |packet| packet.behind(&chain).frame());
        }
    }
}

fn long_chains(cases: &mut Cases) {
    for (octets, within) in [([1024, 1024], true), ([2040, 8], true), ([1024, 1032], false), ([2048, 8], false)] {
        let chain = octets.map(|octets| Extension::eights(60, octets));
        let name = format!("extension headers of {} and {} octets", octets[0], octets[1]);
        cases.by_rule(&name, "strict", |packet| packet.behind(&chain).frame());
        if within {
            cases.by_rule(&name, "web", |packet| packet.behind(&chain).frame());
        } else {
            cases.whatever_rule(&name, "web", Reason::Unparsable, |packet| packet.behind(&chain).frame());
        }
    }
}

fn cut(cases: &mut Cases) {
    for kind in [0, 43, 44, 51, 60, 135] {
        // What is left of the header: nothing, its first octet, all but what says how long it is.
        for octets in [0, 1, 3] {
            let name = format!("extension header {kind} cut after {octets} octets");
            let left = (kind, vec![6, 0, 0][..octets].to_vec());
            cases.by_rule(&name, "strict", |packet| packet.carrying(left.clone()).frame());
            cases.whatever_rule(&name, "web", Reason::Unparsable, |packet| packet.carrying(left.clone()).frame());
        }
    }
    for (name, kind) in [("hop-by-hop", 0), ("destination options", 60), ("routing", 43), ("mobility", 135)] {
        let name = format!("{name} that claims 2,048 octets of 16");
        let claims = (kind, [&[6, 255], &[0; 14][..]].concat());
        cases.by_rule(&name, "strict", |packet| packet.carrying(claims.clone()).frame());
        cases.whatever_rule(&name, "web", Reason::Unparsable, |packet| packet.carrying(claims.clone()).frame());
    }
    let claims = (51, [&[58, 255], &[135; 30][..]].concat());
    cases.by_rule("authentication that claims 1,028 octets of 32", "strict", |packet| {
        packet.carrying(claims.clone()).hops(255).frame()
    });
}
