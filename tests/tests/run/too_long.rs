//! Packets that the way to an endpoint does not take in; ICMPv6 errors for their senders, or nothing, out.

use std::{thread, time::Duration};

use etherparse::{Icmpv6Slice, Icmpv6Type, Ipv6HeaderSlice, icmpv6};
use ssa_common::verdict::Reason;
use ssa_tests::run::{moved, name as cell_name};

use crate::{
    layers::{ACK, CLIENT, Packet, STATIONS, destination, icmp, tcp, too_big},
    site::{ENDPOINTS, Fate, Site, sent},
};

const MTU: u32 = 1500;
/// This host, where it is an endpoint.
const HOST: usize = 0;

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
        for (longer, tags) in [(1, 0), (1, 1), (1, 4), (400, 2), (400, 0), (7500 - fits, 0)] {
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
    let (link, answer) = answer.split_at(14 + 4 * packet.tags.len());
    assert_eq!(answer.len(), 1280, "{name}");
    assert_eq!([&link[6..12], &link[..6]].concat(), STATIONS, "{name}: back to the station that sent it");
    assert_eq!(link[12..], packet.frame()[12..link.len()], "{name}: on the same VLAN");
    let header = Ipv6HeaderSlice::from_slice(answer).unwrap().to_header();
    assert_eq!(header.payload_length, 1240, "{name}");
    assert_eq!(header.next_header.0, 58, "{name}");
    assert_eq!(header.hop_limit, 64, "{name}");
    let from = host.map_or(destination(1), |host| ENDPOINTS[host]);
    assert_eq!(u128::from_be_bytes(header.source), from, "{name}");
    assert_eq!(u128::from_be_bytes(header.destination), CLIENT, "{name}");
    let message = Icmpv6Slice::from_slice(&answer[40..]).unwrap();
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
fn an_error_is_not_answered() {
    let mut site = Site::new(Some(HOST), "l2", MTU, "");
    let (kind, mut error) = too_big(1);
    error.resize(MTU as usize, 0x5a);
    let packet = Packet::to(1).carrying((kind, error));
    let hidden = Packet::to(1).carrying((60, [&[58, 0, 1, 4, 0, 0, 0, 0], &packet.payload[..]].concat()));
    for (name, packet) in [("an error", packet.clone()), ("tagged", packet.tagged(2)), ("behind options", hidden)] {
        // sleep: a second answer in the same tick is refused anyway.
        thread::sleep(Duration::from_millis(20));
        site.expect(name, &packet.frame(), &Fate::dropped(Reason::NoEndpoint, packet.frame()));
    }
    let echo = Packet::to(1).carrying(icmp(128, 0, &[0x5a; 1500]));
    check_answer(&site.answer(&echo.frame()), &echo, Some(HOST), MTU as usize, "what is no error");
    site.judge();
}

#[test]
fn a_packet_that_only_claims_to_be_long_is_not_answered() {
    let mut site = Site::new(Some(HOST), "l2", MTU, "");
    for octets in [40, 60, 1000, 1231] {
        let mut frame = Packet::to(1).carrying(tcp(ACK, 1500)).frame();
        frame.truncate(14 + octets);
        // sleep: a second answer in the same tick is refused anyway.
        thread::sleep(Duration::from_millis(20));
        site.expect(&format!("{octets} octets"), &frame, &Fate::dropped(Reason::NoEndpoint, frame.clone()));
    }
    site.judge();
}
