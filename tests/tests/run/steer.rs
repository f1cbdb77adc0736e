//! Frames to the slices of other endpoints in; the same frames on their way there, exactly counted, out.

use std::{collections::BTreeSet, ops::Range};

use ssa_common::verdict::{Reason, Treatment};

use crate::{
    kernel,
    layers::{ACK, CLIENT, Packet, behind_options, icmp, later_fragment, solicitation, tcp, too_big, udp},
    site::{Fate, NOBODY, Site, owner, sent, way, wrapped, wrong},
};

const MTU: u32 = 1500;
/// The host where it is one of the endpoints.
const HOST: usize = 0;

/// Frames that conform, whatever they carry.
fn good(slice: u32) -> Vec<(String, Packet, Reason)> {
    let to = || Packet::to(slice);
    let mut cases: Vec<_> = [
        ("a SYN", to()),
        ("an ACK", to().carrying(tcp(ACK, 100))),
        ("a datagram", to().carrying(udp())),
        ("an echo", to().carrying(icmp(128, 1, b"echo"))),
        ("a later fragment", to().carrying(later_fragment())),
        ("a segment behind options", to().carrying(behind_options())),
        ("no next header", to().carrying((59, vec![]))),
        ("an unknown protocol", to().carrying((253, vec![1, 2, 3]))),
        ("a traffic class and a flow label", Packet { class: 0xb9, label: 0xf_ffff, ..to() }),
        ("the largest hop limit", to().hops(255)),
        ("the smallest hop limit", to().hops(2)),
        ("the longest that fits", to().carrying(tcp(ACK, MTU as usize - 100))),
    ]
    .map(|(name, packet)| (name.to_owned(), packet, Reason::Conform))
    .into();
    for tags in 1..=4 {
        cases.push((format!("{tags} tags"), to().tagged(tags), Reason::Conform));
    }
    cases.push(("an error about a segment".into(), to().carrying(too_big(slice)), Reason::IcmpError));
    let router = Packet { source: 0xfe80 << 112 | 1, ..to().carrying(too_big(slice)) };
    cases.push(("an error from the link".into(), router, Reason::IcmpError));
    cases
}

#[test]
fn a_frame_goes_to_the_endpoint_of_its_slice() {
    for (steer, host) in [("l2", Some(HOST)), ("l2", None), ("ip6ip6", Some(HOST))] {
        let mut site = Site::new(host, steer, MTU, "");
        for slice in 0..NOBODY {
            let endpoint = owner(slice).unwrap() as usize;
            for (name, packet, reason) in good(slice) {
                let name = format!("{steer}, slice {slice}: {name}");
                let fate = if host == Some(endpoint) {
                    Fate::here(slice, packet.frame()).because(reason)
                } else {
                    let fate = Fate::to(endpoint, slice, &sent(steer, endpoint, &packet));
                    fate.because(reason)
                };
                site.expect(&name, &packet.frame(), &fate);
            }
        }
        site.judge();
    }
}

#[test]
fn a_frame_that_is_left_to_the_routes_passes() {
    for host in [Some(HOST), None] {
        let mut site = Site::new(host, "route", MTU, "");
        for slice in 0..NOBODY {
            for (name, packet, reason) in good(slice) {
                let fate = Fate::here(slice, packet.frame()).because(reason);
                site.expect(&format!("slice {slice}: {name}"), &packet.frame(), &fate);
            }
        }
        let frame = Packet::to(NOBODY).frame();
        site.expect("nobody's slice", &frame, &Fate::dropped(Reason::NoEndpoint, frame.clone()));
        site.judge();
    }
}

#[test]
fn what_may_not_go_on_goes_nowhere() {
    for (steer, host) in [("l2", Some(HOST)), ("l2", None), ("ip6ip6", Some(HOST))] {
        let mut site = Site::new(host, steer, MTU, "");
        let mut drop = |name: &str, reason, packet: Packet| {
            let frame = packet.frame();
            site.expect(&format!("{steer}: {name}"), &frame, &Fate::dropped(reason, frame.clone()));
        };
        for tags in [0, 1, 2] {
            drop("nobody's slice", Reason::NoEndpoint, Packet::to(NOBODY).tagged(tags));
            drop("hop limit 1", Reason::NoEndpoint, Packet::to(1).hops(1).tagged(tags));
            drop("hop limit 0", Reason::NoEndpoint, Packet::to(2).hops(0).tagged(tags));
            drop("a mismatch", Reason::FieldMismatch, wrong(1).tagged(tags));
        }
        drop("a bad source", Reason::BadSource, Packet { source: 1, ..Packet::to(1) });
        drop("a bad error", Reason::BadIcmpError, Packet::to(1).carrying(icmp(1, 0, &[0; 48])));
        // Control traffic stays here, whosever the slice.
        for slice in [0, 1, 2, NOBODY] {
            let frame = Packet::to(slice).carrying(solicitation(slice)).hops(255).frame();
            let fate = Fate { slice: None, ..Fate::here(slice, frame.clone()) };
            site.expect("discovery", &frame, &fate.because(Reason::Control));
        }
        site.judge();
    }
}

#[test]
fn who_is_no_endpoint_wraps_nothing() {
    let mut site = Site::new(None, "ip6ip6", MTU, "");
    for slice in 0..=NOBODY {
        let frame = Packet::to(slice).frame();
        site.expect(&format!("slice {slice}"), &frame, &Fate::dropped(Reason::NoEndpoint, frame.clone()));
    }
    site.judge();
}

#[test]
fn frames_of_several_buffers_are_steered() {
    if !kernel::since(6, 18) {
        println!("skipped: kernels before 6.18 cannot be given frames of several buffers");
        return;
    }
    for steer in ["l2", "ip6ip6"] {
        let mut site = Site::new(Some(HOST), steer, 9000, "");
        let packet = Packet::to(1).carrying(tcp(ACK, 5000));
        for (tags, linear) in [(0, 54), (0, 74), (0, 1000), (2, 62), (2, 500)] {
            let name = format!("{steer}, {tags} tags, split at {linear}");
            let frame = packet.clone().tagged(tags).frame();
            site.expect_split(&name, &frame, Some(linear), &Fate::to(1, 1, &sent(steer, 1, &packet)));
        }
        let packet = Packet::to(0).carrying(tcp(ACK, 5000));
        for (tags, linear) in [(0, 54), (0, 60), (0, 94), (0, 1000), (2, 62), (4, 500)] {
            let name = format!("{steer}, wrapped, {tags} tags, split at {linear}");
            let frame = wrapped(1, HOST, true, &packet).tagged(tags).frame();
            let left = packet.clone().tagged(tags).frame();
            site.expect_split(&name, &frame, Some(linear), &Fate::here(0, left));
        }
        site.judge();
    }
}

#[test]
fn suspects_are_marked_and_steered() {
    for steer in ["l2", "ip6ip6", "route"] {
        let mut site = Site::new(Some(HOST), steer, MTU, "on_mismatch = \"lowprio\"\n");
        for (slice, tags) in [(0, 0), (0, 2), (1, 0), (1, 1), (2, 0), (2, 4)] {
            let packet = wrong(slice).class(0b1011_1010).tagged(tags);
            // Lower effort (RFC 8622), and the two ECN bits as they were.
            let marked = packet.clone().class(0b0000_0110);
            let fate = if slice == 0 || steer == "route" {
                Fate::here(slice, marked.frame())
            } else {
                Fate::to(slice as usize, slice, &sent(steer, slice as usize, &marked))
            };
            let fate = fate.counted(Reason::FieldMismatch, Treatment::LowPriority, false);
            site.expect(&format!("{steer}, slice {slice}, {tags} tags"), &packet.frame(), &fate);
        }
        site.judge();
    }
}

#[test]
fn what_would_be_dropped_is_steered() {
    for steer in ["l2", "ip6ip6", "route"] {
        let mut site = Site::new(Some(HOST), steer, MTU, "enforce = \"off\"\n");
        for slice in 0..3 {
            let packet = wrong(slice);
            let fate = if slice == 0 || steer == "route" {
                Fate::here(slice, packet.frame()).counted(Reason::FieldMismatch, Treatment::Pass, true)
            } else {
                let fate = Fate::to(slice as usize, slice, &sent(steer, slice as usize, &packet));
                fate.counted(Reason::FieldMismatch, Treatment::Forward, true)
            };
            site.expect(&format!("{steer}, slice {slice}"), &packet.frame(), &fate);
        }
        site.judge();
    }
}

#[test]
fn flows_spread_over_flow_labels() {
    let mut site = Site::new(Some(HOST), "ip6ip6", MTU, "");
    let mut labels = BTreeSet::new();
    for client in 0..200 {
        let packet = Packet { source: CLIENT + client, ..Packet::to(1) };
        let mut label = |frame: &[u8]| {
            let ran = site.sandbox.run(frame, None).unwrap();
            u32::from_be_bytes(ran.frame[14..18].try_into().unwrap()) & 0xf_ffff
        };
        let one = label(&packet.frame());
        assert_eq!(one, label(&packet.clone().carrying(udp()).frame()), "a client's addresses alone decide");
        assert_eq!(one >> 19, 1, "it may go once more");
        labels.insert(one);
    }
    assert!(labels.len() > 195, "{} labels of 200 clients", labels.len());
}

/// What has the other endpoint's hardware address in front: as its sender, or as whom it was for.
fn had_been_sent_on(part: Range<usize>) {
    for (steer, goes_on) in [("l2", false), ("ip6ip6", true)] {
        let mut site = Site::new(Some(HOST), steer, MTU, "");
        let packet = Packet::to(1);
        let mut frame = packet.frame();
        frame[part.clone()].copy_from_slice(&way(1, MTU).link.to_ne_bytes()[..6]);
        let fate = if goes_on {
            Fate::to(1, 1, &sent(steer, 1, &packet))
        } else {
            Fate::here(1, frame.clone()).because(Reason::Conform)
        };
        site.expect(steer, &frame, &fate);
        site.judge();
    }
}

#[test]
fn what_came_from_an_endpoint_is_not_sent_back_to_it() {
    had_been_sent_on(6..12);
}

/// A switch floods what is for an endpoint that it has not heard of: hosts that get it send it there no more.
#[test]
fn what_was_for_an_endpoint_is_not_sent_to_it_again() {
    had_been_sent_on(0..6);
}
