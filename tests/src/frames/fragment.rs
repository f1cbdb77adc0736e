//! Fragments: first, middle, last, atomic; and ICMPv6 look-alikes in them.

use ssa_common::verdict::Reason;

use super::{
    case::Cases,
    packet::{Extension, Packet, discovery, icmp, tcp},
    service::CLIENT,
};

/// Name, offset in units of 8 octets, more fragments, whether it has the upper-layer header.
const FRAGMENTS: [(&str, u16, bool, bool); 6] = [
    ("first fragment", 0, true, true),
    ("atomic fragment", 0, false, true),
    ("middle fragment", 1, true, false),
    ("another middle fragment", 185, true, false),
    ("last fragment", 370, false, false),
    ("fragment past the end", 0x1fff, false, false),
];

pub(super) fn add(cases: &mut Cases) {
    for (name, offset, more, has_upper) in FRAGMENTS {
        let header = [Extension::fragment(offset, more)];
        cases.by_rule(name, "strict", |packet| packet.behind(&header).frame());
        cases.by_rule(name, "web", |packet| packet.behind(&header).frame());
        // Only a fragment with a header has a port.
        let port_80 = |packet: Packet| packet.carrying(tcp(80)).behind(&header).frame();
        let of_port_80 = format!("{name} of TCP to 80");
        if has_upper {
            cases.whatever_rule(&of_port_80, "web", Reason::Protocol, port_80);
        } else {
            cases.by_rule(&of_port_80, "web", port_80);
        }
        look_alikes(cases, name, &header);
        let options = [Extension::hop_by_hop(), Extension::fragment(offset, more), Extension::destination_options()];
        cases.by_rule(&format!("{name} between options"), "strict", |packet| packet.behind(&options).frame());
        cases.by_rule(&format!("{name} between options"), "web", |packet| packet.behind(&options).frame());
        look_alikes(cases, &format!("{name} between options"), &options);
    }
    let first = [Extension::fragment(0, true)];
    for octets in [48, 49, 51] {
        let name = format!("first fragment that ends {} octets into TCP", octets - 48);
        cases.by_rule(&name, "strict", |packet| packet.behind(&first).cut(octets));
        cases.whatever_rule(&name, "web", Reason::Unparsable, |packet| packet.behind(&first).cut(octets));
    }
    let mut chain = vec![Extension::destination_options(); 7];
    chain.push(Extension::fragment(185, true));
    cases.by_rule("middle fragment as eighth header", "web", |packet| packet.behind(&chain).frame());
    chain.insert(0, Extension::destination_options());
    cases.by_rule("middle fragment as ninth header", "strict", |packet| packet.behind(&chain).frame());
    let ninth = |packet: Packet| packet.behind(&chain).frame();
    cases.whatever_rule("middle fragment as ninth header", "web", Reason::Unparsable, ninth);
}

/// Discovery and errors in a fragment are ordinary traffic.
fn look_alikes(cases: &mut Cases, name: &str, headers: &[Extension]) {
    let target = cases.good("strict").destination;
    for kind in [133, 135, 136, 137] {
        let name = format!("discovery {kind} in a {name}");
        cases.by_rule(&name, "strict", |packet| {
            packet.carrying(discovery(kind, 0, target)).hops(255).behind(headers).frame()
        });
    }
    for kind in 1..=4 {
        let name = format!("error {kind} in a {name}");
        cases.by_rule(&name, "strict", |packet| {
            let embedded = Packet::new(packet.destination, CLIENT).packet();
            packet.carrying(icmp(kind, 0, 1500, &embedded)).behind(headers).frame()
        });
    }
}
