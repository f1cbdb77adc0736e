//! What is not IPv6, what is under VLAN tags, what is too short or long, and frames in two buffers.

use ssa_common::verdict::Reason;

use super::{
    case::Cases,
    packet::{C_TAG, IPV4, IPV6, Packet, S_TAG, datagram_v4, discovery, ethernet, icmp},
    service::CLIENT,
};

pub(super) fn add(cases: &mut Cases) {
    foreign(cases);
    version_4(cases);
    of_no_service(cases);
    tags(cases);
    short_and_long(cases);
    in_two_buffers(cases);
}

fn foreign(cases: &mut Cases) {
    // The payload is a packet that a service would refuse, where it taken for one.
    let refused = cases.wrong("strict").packet();
    for (name, kind) in [
        ("IPv4", 0x0800),
        ("ARP", 0x0806),
        ("LLDP", 0x88cc),
        ("MPLS", 0x8847),
        ("PPPoE", 0x8864),
        ("0x9100", 0x9100),
        ("0x9200", 0x9200),
        ("LLC", 0x0026),
        ("802.1ah", 0x88e7),
        ("0xffff", 0xffff),
        ("0", 0),
    ] {
        cases.outside(name, Reason::Other, ethernet(&[], kind, &refused));
        cases.outside(format!("{name} under a tag"), Reason::Other, ethernet(&[(C_TAG, 7)], kind, &refused));
    }
    let snap = [&[0xaa, 0xaa, 3, 0, 0, 0, 0x86, 0xdd], &refused[..]].concat();
    cases.outside("LLC with SNAP", Reason::Other, ethernet(&[], 0x0050, &snap));
}

/// IPv4 says how long it is. It is believed only where the linear part ends there.
fn version_4(cases: &mut Cases) {
    let packet = datagram_v4(64);
    cases.outside("an IPv4 packet", Reason::Other, ethernet(&[], IPV4, &packet));
    cases.outside("an IPv4 packet under a tag", Reason::Other, ethernet(&[(C_TAG, 7)], IPV4, &packet));
    let padded = [&datagram_v4(2)[..], &[0; 16]].concat();
    cases.outside("an IPv4 packet with padding", Reason::Other, ethernet(&[], IPV4, &padded));
    cases.outside("half an IPv4 packet", Reason::Other, ethernet(&[], IPV4, &packet[..packet.len() / 2]));
    for linear in [14, 34, 54, 1000] {
        let name = format!("an IPv4 packet, split at {linear}");
        cases.outside_split(name, ethernet(&[], IPV4, &datagram_v4(5000)), linear);
    }
}

fn of_no_service(cases: &mut Cases) {
    let prefix = cases.service("strict").prefix;
    for (name, destination) in [
        ("to nobody", 0x2001_0db8_00ff << 80 | 1),
        ("to the /64 before", prefix - (1 << 64)),
        ("to a /64 after", prefix + (0x10 << 64)),
        ("to multicast", 0xff02 << 112 | 1),
        ("to ::", 0),
        ("to a service's last 64 bits", prefix >> 64),
    ] {
        cases.outside(name, Reason::Other, Packet::new(CLIENT, destination).frame());
        cases.outside(format!("{name} from ::"), Reason::Other, Packet::new(0, destination).frame());
    }
    let target = cases.good("strict").destination;
    let solicited = 0xff02_0000_0000_0000_0000_0001_ff00_0000 | target & 0xff_ffff;
    let multicast = Packet::new(0, solicited).carrying(discovery(135, 0, target)).hops(255);
    cases.outside("ND to the solicited-node group", Reason::Other, multicast.frame());
    let error = icmp(1, 0, 0, &Packet::new(target, CLIENT).packet());
    cases.outside("an error to nobody", Reason::Other, Packet::new(CLIENT, 1).carrying(error).frame());
}

fn tags(cases: &mut Cases) {
    let mixed = |depth: usize| (0..depth).map(|at| if at % 2 == 0 { (S_TAG, 0) } else { (C_TAG, 0x6064) }).collect();
    for depth in 0..=6 {
        for (name, tags) in [
            ("802.1Q, VID 0", vec![(C_TAG, 0); depth]),
            ("802.1Q, VID 100", vec![(C_TAG, 100); depth]),
            ("802.1ad, VID 0", vec![(S_TAG, 0xe000); depth]),
            ("802.1ad, VID 4094", vec![(S_TAG, 4094); depth]),
            ("802.1ad and 802.1Q", mixed(depth)),
        ] {
            let name = format!("{depth} tags of {name}");
            if depth <= 4 {
                cases.by_rule(&name, "strict", |packet| packet.tagged(&tags).frame());
            } else {
                let good = cases.good("strict").tagged(&tags).frame();
                let wrong = cases.wrong("strict").tagged(&tags).frame();
                cases.outside(format!("{name}, conforming"), Reason::Malformed, good);
                cases.outside(format!("{name}, one bit off"), Reason::Malformed, wrong);
                cases.outside(format!("{name}, ARP"), Reason::Malformed, ethernet(&tags, 0x0806, &[0; 28]));
            }
        }
    }
    // 0x9100 is no tag here: what follows is not looked at.
    let wrong = cases.wrong("strict").packet();
    cases.outside("0x9100 with IPv6 in it", Reason::Other, ethernet(&[(0x9100, 0)], IPV6, &wrong));
    cases.outside(
        "0x9100 with IPv6 in it, under a tag",
        Reason::Other,
        ethernet(&[(C_TAG, 0), (0x9100, 0)], IPV6, &wrong),
    );
    for octets in [14, 15, 16, 17] {
        let mut frame = ethernet(&[(C_TAG, 0)], IPV6, &[]);
        frame.truncate(octets);
        cases.outside(format!("a tag cut at {octets} octets"), Reason::Other, frame);
    }
}

fn short_and_long(cases: &mut Cases) {
    for octets in [14, 15, 53] {
        let mut frame = cases.good("strict").frame();
        frame.truncate(octets);
        cases.outside(format!("{octets} octets of IPv6"), Reason::Malformed, frame);
        let frame = vec![0; octets];
        cases.outside(format!("{octets} octets of nothing"), Reason::Other, frame);
    }
    cases.by_rule("54 octets", "strict", |packet| packet.carrying((59, vec![])).frame());
    cases.by_rule("54 octets that should hold TCP", "strict", |packet| packet.carrying((6, vec![])).frame());
    cases.by_rule("60 octets with Ethernet padding", "strict", |packet| {
        let mut frame = packet.carrying((59, vec![])).frame();
        frame.resize(60, 0);
        frame
    });
    for octets in [1514, 9014] {
        cases.by_rule(&format!("{octets} octets"), "strict", |packet| {
            let mut payload = packet.payload.clone();
            payload.resize(octets - 54, 0x5a);
            packet.carrying((6, payload)).frame()
        });
    }
}

fn in_two_buffers(cases: &mut Cases) {
    let long = |packet: Packet| {
        let mut payload = packet.payload.clone();
        payload.resize(5000, 0x5a);
        Packet { payload, ..packet }
    };
    for linear in [14, 15, 22, 40, 53, 54] {
        let name = format!("split at {linear}");
        cases.by_rule_split(&name, "strict", Some(linear), |packet| long(packet).frame());
        cases.by_rule_split(&name, "web", Some(linear), |packet| long(packet).frame());
        cases.by_rule_split(&name, "slow", Some(linear), |packet| long(packet).frame());
        let name = format!("two tags, split at {linear}");
        cases.by_rule_split(&name, "slow", Some(linear), |packet| {
            long(packet).tagged(&[(S_TAG, 5), (C_TAG, 6)]).frame()
        });
    }
}
