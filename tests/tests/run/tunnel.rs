//! Frames that another endpoint wrapped in; what was in them, or the same octets where they are not for this host, out.

use ssa_common::{
    rows::SliceWord,
    verdict::{Reason, Treatment},
};

use crate::{
    layers::{ACK, CLIENT, Packet, icmp, later_fragment, solicitation, tcp, too_big, udp},
    site::{ENDPOINTS, Fate, NOBODY, Site, wrapped, wrong},
};

const HOST: usize = 1;
const OTHER: usize = 2;
/// A slice of this host's.
const OWN: u32 = 1;

/// The frame with an outer header, and what is left without it: the same link header, and the inner packet.
fn both(tags: usize, steered: bool, inner: &Packet) -> (Vec<u8>, Vec<u8>) {
    let outer = wrapped(OTHER, HOST, steered, inner).tagged(tags);
    (outer.frame(), Packet { tags: outer.tags, ..inner.clone() }.frame())
}

#[test]
fn what_an_endpoint_wrapped_is_unwrapped() {
    for steer in ["route", "l2", "ip6ip6"] {
        let mut site = Site::new(Some(HOST), steer, 1500, "");
        let to = || Packet::to(OWN);
        for (name, inner, reason) in [
            ("a SYN", to(), Reason::Conform),
            ("an ACK", to().carrying(tcp(ACK, 1400)), Reason::Conform),
            ("a datagram", to().carrying(udp()), Reason::Conform),
            ("nothing", to().carrying((59, vec![])), Reason::Conform),
            ("a later fragment", to().carrying(later_fragment()), Reason::Conform),
            ("a class and a label", Packet { class: 0xff, label: 0xf_ffff, ..to() }, Reason::Conform),
            ("hop limit 0", to().hops(0), Reason::Conform),
            ("hop limit 254", to().hops(254), Reason::Conform),
            ("an error", to().carrying(too_big(OWN)), Reason::IcmpError),
            ("what is no discovery from afar", to().carrying(solicitation(OWN)).hops(254), Reason::Conform),
        ] {
            for (tags, steered) in [(0, true), (0, false), (1, true), (2, false), (3, true), (4, true)] {
                let (frame, left) = both(tags, steered, &inner);
                let fate = Fate::here(OWN, left).because(reason);
                site.expect(&format!("{steer}: {name}, {tags} tags, {steered}"), &frame, &fate);
            }
        }
        site.judge();
    }
}

#[test]
fn what_was_wrapped_is_judged_and_goes_no_further() {
    for steer in ["route", "l2", "ip6ip6"] {
        let mut site = Site::new(Some(HOST), steer, 1500, "");
        for steered in [true, false] {
            for tags in [0, 2] {
                // Two hosts that disagree about a slice.
                for slice in [0, 2, 3] {
                    let (frame, left) = both(tags, steered, &Packet::to(slice));
                    site.expect(&format!("{steer}: another's slice {slice}"), &frame, &Fate::here(slice, left));
                }
                for (name, inner, reason) in [
                    ("a mismatch", wrong(OWN), Reason::FieldMismatch),
                    ("a bad source", Packet { source: 1, ..Packet::to(OWN) }, Reason::BadSource),
                    ("a bad error", Packet::to(OWN).carrying(icmp(1, 0, &[0; 48])), Reason::BadIcmpError),
                    ("nobody's slice", Packet::to(NOBODY), Reason::NoEndpoint),
                ] {
                    let (frame, _) = both(tags, steered, &inner);
                    site.expect(&format!("{steer}: {name}"), &frame, &Fate::dropped(reason, frame.clone()));
                }
            }
        }
        site.judge();
    }
}

#[test]
fn suspects_that_were_wrapped_are_marked_and_unwrapped() {
    for (lines, treatment, would_drop, class) in [
        ("on_mismatch = \"lowprio\"\n", Treatment::LowPriority, false, 0b110),
        ("enforce = \"off\"\n", Treatment::Pass, true, 0b10),
    ] {
        let mut site = Site::new(Some(HOST), "ip6ip6", 1500, lines);
        for tags in [0, 1, 4] {
            let (frame, _) = both(tags, true, &wrong(OWN).class(0b10));
            let (_, left) = both(tags, true, &wrong(OWN).class(class));
            let fate = Fate::here(OWN, left).counted(Reason::FieldMismatch, treatment, would_drop);
            site.expect(&format!("{lines}{tags} tags"), &frame, &fate);
        }
        site.judge();
    }
}

/// Frames that are none of an endpoint for this one.
fn others() -> Vec<(String, Vec<u8>)> {
    let good = wrapped(OTHER, HOST, true, &Packet::to(OWN));
    let mut others = vec![
        ("from a stranger".to_owned(), Packet { source: CLIENT, ..good.clone() }.frame()),
        ("from next to an endpoint".into(), Packet { source: ENDPOINTS[OTHER] + 1, ..good.clone() }.frame()),
        ("from this host".into(), Packet { source: ENDPOINTS[HOST], ..good.clone() }.frame()),
        ("from ::".into(), Packet { source: 0, ..good.clone() }.frame()),
        ("to another endpoint".into(), wrapped(OTHER, 0, true, &Packet::to(OWN)).frame()),
        ("to nobody".into(), Packet { destination: CLIENT, ..good.clone() }.frame()),
        ("behind options".into(), {
            let options = [&[41, 0, 1, 4, 0, 0, 0, 0], &good.payload[..]].concat();
            Packet { next: 60, payload: options, ..good.clone() }.frame()
        }),
        ("IPv4 in it".into(), Packet { next: 4, ..good.clone() }.frame()),
    ];
    let inner = |name: &str, inner: Packet| (name.to_owned(), wrapped(OTHER, HOST, true, &inner).frame());
    others.push(inner("to no service", Packet { destination: CLIENT, ..Packet::to(OWN) }));
    others.push(inner("to this host itself", Packet { destination: ENDPOINTS[HOST], ..Packet::to(OWN) }));
    others.push(inner("wrapped twice", wrapped(OTHER, HOST, true, &Packet::to(OWN))));
    others.push(inner("discovery from afar", Packet::to(OWN).carrying(solicitation(OWN)).hops(255)));
    others.push(inner("what no endpoint has sent on", Packet::to(OWN).hops(255)));
    let mut other_version = good.clone();
    other_version.payload[0] = 0x45;
    others.push(("version 4".into(), other_version.frame()));
    for octets in [0, 1, 39] {
        let mut cut = good.clone();
        cut.payload.truncate(octets);
        others.push((format!("{octets} octets"), cut.frame()));
        others.push((format!("{octets} octets under a tag"), cut.tagged(1).frame()));
    }
    others
}

#[test]
fn what_is_not_from_an_endpoint_for_this_one_is_left_alone() {
    let mut site = Site::new(Some(HOST), "ip6ip6", 1500, "");
    for (name, frame) in others() {
        site.expect(&name, &frame, &Fate::other(frame.clone()));
    }
    site.judge();
    // A host that is no endpoint unwraps nothing.
    let mut site = Site::new(None, "l2", 1500, "");
    for (name, frame) in others() {
        site.expect(&name, &frame, &Fate::other(frame.clone()));
    }
    let (frame, _) = both(0, true, &Packet::to(OWN));
    site.expect("good where there are endpoints", &frame, &Fate::other(frame.clone()));
    site.judge();
}

/// Not capable, capable in two ways, and congestion met (RFC 3168 §5).
const ECN: [u8; 4] = [0b00, 0b01, 0b10, 0b11];

/// What RFC 6040 §4.2 says of the inner and the outer words, but for what cannot be: congestion was met by a packet that was
/// wrapped as one of a transport that is not capable.
fn decapsulated(inner: u8, outer: u8) -> u8 {
    match (inner, outer) {
        (0b01 | 0b10, 0b11) => 0b11,
        (0b10, 0b01) => 0b01,
        (inner, _) => inner,
    }
}

#[test]
fn congestion_that_was_met_on_the_way_is_told() {
    const DSCP: u8 = 0b1011_1000;
    const ANOTHERS: u32 = 0;
    let mut site = Site::new(Some(HOST), "ip6ip6", 1500, "");
    for (inner, outer) in ECN.into_iter().flat_map(|inner| ECN.map(|outer| (inner, outer))) {
        let name = format!("{outer:02b} around {inner:02b}");
        let class = DSCP | decapsulated(inner, outer);
        let [met, told] = [DSCP | inner, class].map(|class| Packet::to(OWN).class(class));
        let outside = |packet: &Packet| wrapped(OTHER, HOST, true, packet).class(outer);
        for tags in [0, 2] {
            let left = Packet { tags: outside(&met).tagged(tags).tags, ..told.clone() }.frame();
            site.expect(&name, &outside(&met).tagged(tags).frame(), &Fate::here(OWN, left));
        }
        // A connection that this host does not have, in a slice that it does not own: it goes on, in another wrap.
        let [met, told] = [met, told].map(|p| Packet { destination: Packet::to(ANOTHERS).destination, ..p });
        let [met, told] = [met, told].map(|packet| packet.carrying(tcp(ACK, 10)));
        let fate = Fate::to(0, ANOTHERS, &wrapped(HOST, 0, false, &told.on()));
        site.expect(&format!("{name}, sent on"), &outside(&met).frame(), &fate);
    }
    site.judge();
}

#[test]
fn a_slice_that_is_given_up_is_nobodys_in_a_wrap_too() {
    let mut site = Site::new(Some(HOST), "ip6ip6", 1500, "");
    let (frame, left) = both(0, true, &Packet::to(OWN));
    site.expect("owned", &frame, &Fate::here(OWN, left.clone()));
    site.set(OWN, SliceWord::default());
    site.expect("given up", &frame, &Fate::dropped(Reason::NoEndpoint, frame.clone()));
    site.set(OWN, SliceWord::of(0));
    site.expect("another's", &frame, &Fate::here(OWN, left));
    site.judge();
}
