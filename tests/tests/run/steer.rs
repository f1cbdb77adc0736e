//! Frames to the slices of other endpoints in; the same frames on their way there, exactly counted, out.

use etherparse::{Icmpv6Slice, Icmpv6Type, Ipv6HeaderSlice, icmpv6};
use ssa_common::{
    rows::HopRow,
    verdict::{Reason, Treatment},
};
use ssa_tests::run::{BACK, REDIRECT, moved, name as cell_name};

use crate::{
    kernel,
    layers::{
        ACK, CLIENT, Packet, STATIONS, behind_options, destination, icmp, later_fragment, solicitation, tcp, too_big,
        udp,
    },
    site::{ENDPOINTS, Fate, NOBODY, Site, out, owner, wrapped, wrong},
};

const MTU: u32 = 1500;
/// The host where it is one of the endpoints.
const HOST: usize = 0;

/// A packet as it arrives at `endpoint`.
fn sent(steer: &str, endpoint: usize, packet: &Packet) -> Packet {
    let packet = Packet { tags: vec![], ..packet.on() };
    if steer == "l2" { packet } else { wrapped(HOST, endpoint, true, &packet) }
}

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
                    Fate::here(slice, packet.frame()).counted(reason, Treatment::Pass, false)
                } else {
                    let fate = Fate::to(endpoint, slice, &sent(steer, endpoint, &packet));
                    fate.counted(reason, Treatment::Forward, false)
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
                let fate = Fate::here(slice, packet.frame()).counted(reason, Treatment::Pass, false);
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
            site.expect("discovery", &frame, &fate.counted(Reason::Control, Treatment::Pass, false));
        }
        site.judge();
    }
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
        let packet = Packet::to(HOST as u32).carrying(tcp(ACK, 5000));
        for (tags, linear) in [(0, 54), (0, 60), (0, 94), (0, 1000), (2, 62), (4, 500)] {
            let name = format!("{steer}, wrapped, {tags} tags, split at {linear}");
            let frame = wrapped(1, HOST, true, &packet).tagged(tags).frame();
            let left = packet.clone().tagged(tags).frame();
            site.expect_split(&name, &frame, Some(linear), &Fate::here(HOST as u32, left));
        }
        site.judge();
    }
}

#[test]
fn where_no_way_is_known_there_is_none() {
    let namespace = ssa_tests::net::Namespace::new("way").unwrap();
    let run = || {
        let mut site = Site::new(Some(HOST), "l2", MTU, "");
        // What the sandbox believed is forgotten, and the kernel of a host that is no router says nothing.
        site.sandbox.instance().put_in_force(&site.tables, "", 2).unwrap();
        let packet = Packet::to(1);
        site.expect("what the controller found", &packet.frame(), &Fate::to(1, 1, &packet.on()));
        site.tables.endpoints[1].hop = HopRow::default();
        site.sandbox.instance().put_in_force(&site.tables, "", 3).unwrap();
        let frame = packet.frame();
        site.expect("nothing", &frame, &Fate::dropped(Reason::NoEndpoint, frame.clone()));
        site.judge();
    };
    namespace.enter(run).unwrap();
}

#[test]
fn the_way_that_the_kernel_knows_is_taken() {
    let namespace = ssa_tests::net::Namespace::new("routes").unwrap();
    let [to, from] = [[2, 0x11, 0x22, 0x33, 0x44, 1], [2, 0xbb, 0xcc, 0xdd, 0xee, 1]]
        .map(|station: [u8; 6]| station.map(|octet| format!("{octet:02x}")).join(":"));
    let address = std::net::Ipv6Addr::from_bits(ENDPOINTS[1]).to_string();
    namespace
        .ip(&["link", "add", "way", "mtu", "1400", "address", &from, "type", "veth", "peer", "name", "end"])
        .unwrap();
    namespace.ip(&["link", "set", "end", "up"]).unwrap();
    namespace.ip(&["link", "set", "way", "up"]).unwrap();
    namespace.ip(&["route", "add", &address, "dev", "way"]).unwrap();
    namespace.ip(&["neigh", "add", &address, "lladdr", &to, "dev", "way", "nud", "permanent"]).unwrap();
    let run = || {
        for interface in ["all", "lo"] {
            std::fs::write(format!("/proc/sys/net/ipv6/conf/{interface}/forwarding"), "1").unwrap();
        }
        let mut site = Site::new(Some(HOST), "l2", MTU, "");
        for row in &mut site.tables.endpoints {
            row.hop = HopRow::default();
        }
        site.sandbox.instance().put_in_force(&site.tables, "", 2).unwrap();
        let packet = Packet::to(1);
        let fate = Fate { action: REDIRECT, ..Fate::to(1, 1, &packet.on()) };
        site.expect("by the route", &packet.frame(), &fate);
        let long = Packet::to(4).carrying(tcp(ACK, 1400 - 60));
        site.expect(
            "as long as the link takes",
            &long.frame(),
            &Fate { slice: Some(4), frame: out(1, &long.on()), ..fate },
        );
        let frame = Packet::to(2).frame();
        site.expect("without a route", &frame, &Fate::dropped(Reason::NoEndpoint, frame.clone()));
        let longer = Packet::to(4).carrying(tcp(ACK, 1400 - 59));
        assert_eq!(site.sandbox.run(&longer.frame(), None).unwrap().action, BACK, "an error for the sender");
        site.judge();
    };
    namespace.enter(run).unwrap();
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
    let mut labels = std::collections::BTreeSet::new();
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

#[test]
fn too_long_a_packet_is_answered() {
    for (steer, host, mtu) in
        [("l2", Some(HOST), MTU), ("l2", None, MTU), ("ip6ip6", Some(HOST), MTU), ("l2", Some(HOST), 1280)]
    {
        let mut site = Site::new(host, steer, mtu, "");
        let room = if steer == "l2" { 0 } else { 40 };
        let fits = (mtu - room) as usize;
        let fit = Packet::to(1).carrying(tcp(ACK, fits - 60));
        site.expect("what fits", &fit.frame(), &Fate::to(1, 1, &sent(steer, 1, &fit)));
        for (longer, tags) in [(1, 0), (1, 2), (400, 0), (7500 - fits, 0)] {
            let packet = Packet::to(1).carrying(tcp(ACK, fits - 60 + longer)).tagged(tags);
            let name = format!("{steer}, {host:?}, mtu {mtu}, {longer} more, {tags} tags");
            let before = site.sandbox.counts().unwrap();
            let answer = site.answer(&packet.frame());
            let after = site.sandbox.counts().unwrap();
            let counted = moved(&before, &after);
            assert_eq!(counted.len(), 1, "{name}: {counted:?}");
            assert!(cell_name(counted[0].0).contains("NoEndpoint, Drop, false"), "{name}");
            check_answer(&answer, &packet, host, fits, &name);
        }
        assert_eq!(site.sandbox.instance().slice_frames(site.place).unwrap().iter().sum::<u64>(), 1, "what went on");
        site.judge();
    }
}

fn check_answer(answer: &[u8], packet: &Packet, host: Option<usize>, mtu: usize, name: &str) {
    assert_eq!(answer.len(), 14 + 1280, "{name}");
    assert_eq!([&answer[6..12], &answer[..6]].concat(), STATIONS, "{name}: back to the station that sent it");
    assert_eq!(answer[12..14], [0x86, 0xdd], "{name}");
    let header = Ipv6HeaderSlice::from_slice(&answer[14..]).unwrap().to_header();
    assert_eq!(header.payload_length, 1240, "{name}");
    assert_eq!(header.next_header.0, 58, "{name}");
    assert_eq!(header.hop_limit, 64, "{name}");
    let from = host.map_or(destination(1), |host| ENDPOINTS[host]);
    assert_eq!(u128::from_be_bytes(header.source), from, "{name}");
    assert_eq!(u128::from_be_bytes(header.destination), CLIENT, "{name}");
    let message = Icmpv6Slice::from_slice(&answer[54..]).unwrap();
    assert!(message.is_checksum_valid(header.source, header.destination), "{name}: checksum");
    let mtu = u32::try_from(mtu).unwrap();
    assert_eq!(message.icmp_type(), Icmpv6Type::PacketTooBig { mtu }, "{name}");
    assert_eq!(message.type_u8(), icmpv6::TYPE_PACKET_TOO_BIG);
    // The packet is as it came, its hop limit too.
    assert_eq!(message.payload(), &packet.packet()[..1232], "{name}");
}

#[test]
fn nothing_is_asked_to_be_shorter_than_ipv6_allows() {
    for (steer, mtu, fits) in [("l2", 1279, 1279), ("ip6ip6", 1319, 1279), ("ip6ip6", 1280, 1240)] {
        let mut site = Site::new(Some(HOST), steer, mtu, "");
        let fit = Packet::to(1).carrying(tcp(ACK, fits - 60));
        site.expect("what fits", &fit.frame(), &Fate::to(1, 1, &sent(steer, 1, &fit)));
        let frame = Packet::to(1).carrying(tcp(ACK, fits - 59)).frame();
        site.expect("what does not", &frame, &Fate::dropped(Reason::NoEndpoint, frame.clone()));
        site.judge();
    }
}

#[test]
fn a_packet_that_only_claims_to_be_long_is_not_answered() {
    let mut site = Site::new(Some(HOST), "l2", MTU, "");
    for octets in [40, 60, 1000, 1231] {
        let mut frame = Packet::to(1).carrying(tcp(ACK, 1500)).frame();
        frame.truncate(14 + octets);
        // sleep: a second answer in the same tick is refused anyway.
        std::thread::sleep(std::time::Duration::from_millis(20));
        site.expect(&format!("{octets} octets"), &frame, &Fate::dropped(Reason::NoEndpoint, frame.clone()));
    }
    site.judge();
}
