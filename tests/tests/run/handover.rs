//! Frames to slices that move in; each connection at the host that has it, out.

use std::{
    net::{Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener, TcpStream},
    time::Duration,
};

use ssa_common::verdict::{Reason, Treatment};

use crate::{
    layers::{ACK, Packet, SYN, behind_options, destination, icmp, later_fragment, solicitation, tcp, too_big, udp},
    site::{Fate, Site, wrapped, wrong},
};

/// This host, who has or had the slice, and a third.
const HOST: usize = 0;
const OTHER: usize = 1;
const THIRD: usize = 2;
const SLICE: u32 = 6;
const RST: u8 = 4;
const FIN: u8 = 1;

/// A tick that never comes while a test runs.
fn later(site: &Site) -> u64 {
    site.sandbox.ticks().now() + 1_000_000
}

/// What belongs to no connection, or begins one.
fn beginnings() -> Vec<(&'static str, Packet)> {
    let to = || Packet::to(SLICE);
    let about_udp = Packet { source: destination(SLICE), destination: to().source, ..to() }.carrying(udp());
    vec![
        ("a SYN", to()),
        ("a SYN behind options", to().carrying(behind_options())),
        ("a SYN with data", to().carrying(tcp(SYN, 8))),
        ("a datagram", to().carrying(udp())),
        ("an echo", to().carrying(icmp(128, 1, b"echo"))),
        ("an error about a datagram", to().carrying(icmp(1, 0, &about_udp.packet()))),
        ("a later fragment", to().carrying(later_fragment())),
        ("half a TCP header", to().carrying((6, tcp(ACK, 0).1[..12].to_vec()))),
    ]
}

/// What belongs to a connection.
fn middles() -> Vec<(&'static str, Packet, Reason)> {
    let to = |flags, more| Packet::to(SLICE).carrying(tcp(flags, more));
    vec![
        ("an ACK", to(ACK, 0), Reason::Conform),
        ("data", to(ACK, 1000), Reason::Conform),
        ("a SYN with ACK", to(SYN | ACK, 0), Reason::Conform),
        ("a RST", to(RST, 0), Reason::Conform),
        ("a FIN", to(FIN | ACK, 0), Reason::Conform),
        ("no flags", to(0, 0), Reason::Conform),
        ("an error about a segment", Packet::to(SLICE).carrying(too_big(SLICE)), Reason::IcmpError),
    ]
}

#[test]
fn the_new_owner_sends_to_the_previous_one_what_it_has_not_begun() {
    for steer in ["route", "l2", "ip6ip6"] {
        let mut site = Site::new(Some(HOST), steer, 1500, "");
        let until = later(&site);
        site.hand_over(SLICE, HOST, OTHER, until);
        for (name, packet) in beginnings() {
            let name = format!("{steer}: {name}");
            let reason = if name.contains("error") { Reason::IcmpError } else { Reason::Conform };
            let here = |frame| Fate::here(SLICE, frame).because(reason);
            site.expect(&name, &packet.frame(), &here(packet.frame()));
            for steered in [true, false] {
                let frame = wrapped(THIRD, HOST, steered, &packet).frame();
                site.expect(&format!("{name}, wrapped"), &frame, &here(packet.frame()));
            }
        }
        for (name, packet, reason) in middles() {
            let name = format!("{steer}: {name}");
            let forward =
                |packet: &Packet| Fate::to(OTHER, SLICE, &wrapped(HOST, OTHER, false, packet)).because(reason);
            site.expect(&name, &packet.frame(), &forward(&packet.on()));
            site.expect(&format!("{name}, tagged"), &packet.clone().tagged(2).frame(), &forward(&packet.on()));
            for tags in [0, 1, 4] {
                // It may go once more.
                let once = wrapped(THIRD, HOST, true, &packet).tagged(tags);
                site.expect(&format!("{name}, wrapped, {tags} tags"), &once.frame(), &forward(&packet.on()));
                let last = wrapped(THIRD, HOST, false, &packet).tagged(tags);
                let here = Fate::here(SLICE, packet.clone().tagged(tags).frame()).because(reason);
                site.expect(&format!("{name}, wrapped, the last time"), &last.frame(), &here);
            }
        }
        let discovery = Packet::to(SLICE).carrying(solicitation(SLICE)).hops(255).frame();
        let here = Fate { slice: None, ..Fate::here(SLICE, discovery.clone()) };
        site.expect("discovery", &discovery, &here.because(Reason::Control));
        let frame = wrong(SLICE).carrying(tcp(ACK, 0)).frame();
        site.expect("a mismatch", &frame, &Fate::dropped(Reason::FieldMismatch, frame.clone()));
        site.judge();
    }
}

#[test]
fn the_previous_owner_sends_on_what_it_has_no_connection_for() {
    for steer in ["route", "l2", "ip6ip6"] {
        let mut site = Site::new(Some(HOST), steer, 1500, "");
        let until = later(&site);
        site.hand_over(SLICE, OTHER, HOST, until);
        let beginnings = beginnings().into_iter().filter(|(name, _)| !name.contains("error"));
        let beginnings = beginnings.map(|(name, packet)| (true, name, packet, Reason::Conform));
        let middles = middles().into_iter().map(|(name, packet, reason)| (false, name, packet, reason));
        for (begins, name, packet, reason) in beginnings.chain(middles) {
            let here = Fate::here(SLICE, packet.frame()).because(reason);
            let to_other = |packet: &Packet| Fate::to(OTHER, SLICE, packet).because(reason);
            let last = to_other(&wrapped(HOST, OTHER, false, &packet.on()));
            let fate = match steer {
                "route" if begins => here.clone(),
                // The routes that brought it here would bring it here again.
                "route" => last.clone(),
                "l2" => to_other(&packet.on()),
                _ => to_other(&wrapped(HOST, OTHER, true, &packet.on())),
            };
            site.expect(&format!("{steer}: {name}"), &packet.frame(), &fate);
            // From one that does not know yet, or that this host must be told of the move: a connection is with the owner.
            for steered in [true, false] {
                let frame = wrapped(OTHER, HOST, steered, &packet).frame();
                let fate = if steered && !begins { &last } else { &here };
                site.expect(&format!("{steer}: {name}, wrapped"), &frame, fate);
            }
        }
        site.judge();
    }
}

#[test]
fn who_neither_has_nor_had_a_slice_sends_all_to_its_owner() {
    for host in [Some(THIRD), None] {
        let mut site = Site::new(host, "l2", 1500, "");
        let until = later(&site);
        site.hand_over(SLICE, OTHER, HOST, until);
        for (name, packet, reason) in middles() {
            let fate = Fate::to(OTHER, SLICE, &packet.on()).because(reason);
            site.expect(name, &packet.frame(), &fate);
        }
        site.judge();
    }
}

#[test]
fn after_its_deadline_a_handover_is_over() {
    let mut site = Site::new(Some(HOST), "ip6ip6", 1500, "");
    for deadline in [0, 64, site.sandbox.ticks().now() - 64] {
        site.hand_over(SLICE, HOST, OTHER, deadline);
        for (name, packet, reason) in middles() {
            let fate = |frame| Fate::here(SLICE, frame).because(reason);
            site.expect(&format!("{name}, till {deadline}"), &packet.frame(), &fate(packet.frame()));
            let frame = wrapped(OTHER, HOST, true, &packet).frame();
            site.expect(&format!("{name}, wrapped, till {deadline}"), &frame, &fate(packet.frame()));
        }
    }
    site.judge();
}

#[test]
fn suspects_and_too_long_ones_are_handed_over_too() {
    let mut site = Site::new(Some(HOST), "route", 1500, "on_mismatch = \"lowprio\"\n");
    let until = later(&site);
    site.hand_over(SLICE, HOST, OTHER, until);
    let packet = wrong(SLICE).carrying(tcp(ACK, 0)).class(0b1011_1001);
    let marked = packet.clone().class(0b101).on();
    let fate = Fate::to(OTHER, SLICE, &wrapped(HOST, OTHER, false, &marked));
    let fate = fate.counted(Reason::FieldMismatch, Treatment::LowPriority, false);
    site.expect("a suspect", &packet.frame(), &fate);
    site.expect("a suspect, wrapped", &wrapped(THIRD, HOST, true, &packet).frame(), &fate);
    let last = Packet::to(SLICE).hops(1).carrying(tcp(ACK, 0)).frame();
    site.expect("hop limit 1", &last, &Fate::dropped(Reason::NoEndpoint, last.clone()));
    let long = Packet::to(SLICE).carrying(tcp(ACK, 1500 - 40 - 60));
    let fate = Fate::to(OTHER, SLICE, &wrapped(HOST, OTHER, false, &long.on()));
    site.expect("as long as it may be", &long.frame(), &fate);
    site.expect("the same, wrapped", &wrapped(THIRD, HOST, true, &long).frame(), &fate);
    let longer = Packet::to(SLICE).carrying(tcp(ACK, 1500 - 40 - 59));
    let answer = site.answer(&longer.frame());
    assert_eq!(answer[58..62], 1460_u32.to_be_bytes(), "the outer header has its place too");
    site.judge();
}

#[test]
fn what_its_owner_may_have_to_wrap_is_kept_short() {
    let mut site = Site::new(Some(HOST), "l2", 1500, "");
    let packet = |octets: usize| Packet::to(SLICE).carrying(tcp(ACK, octets - 60));
    let bare = |packet: &Packet| Fate::to(OTHER, SLICE, &packet.on());
    let until = later(&site);
    site.hand_over(SLICE, OTHER, THIRD, until);
    site.expect("with room for an outer header", &packet(1460).frame(), &bare(&packet(1460)));
    let answer = site.answer(&packet(1461).frame());
    assert_eq!(answer[58..62], 1460_u32.to_be_bytes(), "the owner may have to send it on in a packet of its own");
    let ended = site.sandbox.ticks().now() - 1000;
    site.hand_over(SLICE, OTHER, THIRD, ended);
    site.expect("without, when the handover is over", &packet(1500).frame(), &bare(&packet(1500)));
    site.judge();
}

/// A connection of this host to an address of the slice, and a segment of it that the client sent.
fn connect(remote: Ipv6Addr) -> ((TcpListener, TcpStream, TcpStream), Packet) {
    let local = SocketAddrV6::new(Ipv6Addr::from_bits(destination(SLICE)), 443, 0, 0);
    let listener = TcpListener::bind("[::]:443").unwrap();
    let client = TcpStream::connect_timeout(&local.into(), Duration::from_secs(10)).unwrap();
    let (server, from) = listener.accept().unwrap();
    let SocketAddr::V6(from) = from else { panic!("{from}") };
    assert_eq!(*from.ip(), remote);
    let mut segment = tcp(ACK, 10).1;
    segment[..2].copy_from_slice(&from.port().to_be_bytes());
    let packet = Packet { source: remote.to_bits(), ..Packet::to(SLICE) }.carrying((6, segment));
    ((listener, client, server), packet)
}

/// A segment, and an error about what the service has sent in answer to it.
fn with_error(segment: &Packet) -> [(&'static str, Packet, Reason); 2] {
    let mut answer = segment.payload.clone();
    answer[..4].rotate_left(2);
    let answer =
        Packet { source: segment.destination, destination: segment.source, payload: answer, ..segment.clone() };
    let error = segment.clone().carrying(icmp(1, 0, &answer.packet()));
    [("a segment", segment.clone(), Reason::Conform), ("an error", error, Reason::IcmpError)]
}

#[test]
fn a_connection_of_this_host_stays_here() {
    let namespace = ssa_tests::net::Namespace::new("sockets").unwrap();
    let address = Ipv6Addr::from_bits(destination(SLICE)).to_string();
    namespace.ip(&["route", "add", "local", "2001:db8:1::/48", "dev", "lo"]).unwrap();
    namespace.ip(&["address", "add", "2001:db8:77::1/128", "dev", "lo"]).unwrap();
    // A client in the service could have any source: this one has the one that it is given.
    namespace.ip(&["route", "replace", "local", &address, "dev", "lo", "src", "2001:db8:77::1"]).unwrap();
    namespace.enter(connection_of_this_host).unwrap();
}

fn connection_of_this_host() {
    let ((listener, client, server), segment) = connect("2001:db8:77::1".parse().unwrap());
    for steer in ["route", "l2", "ip6ip6"] {
        let mut site = Site::new(Some(HOST), steer, 1500, "");
        let until = later(&site);
        let mut stranger = segment.clone();
        stranger.payload[0] ^= 1;
        for (owner, previous) in [(HOST, OTHER), (OTHER, HOST)] {
            site.hand_over(SLICE, owner, previous, until);
            for (name, packet, reason) in with_error(&segment) {
                let name = format!("{steer}, {owner}: {name}");
                let here = Fate::here(SLICE, packet.frame()).because(reason);
                site.expect(&name, &packet.frame(), &here);
                for steered in [true, false] {
                    let frame = wrapped(THIRD, HOST, steered, &packet).frame();
                    site.expect(&format!("{name}, wrapped"), &frame, &here);
                }
            }
            for (name, packet, reason) in with_error(&stranger) {
                // The listener is no connection.
                let fate = match (owner, steer) {
                    (HOST, _) | (_, "route") => Fate::to(OTHER, SLICE, &wrapped(HOST, OTHER, false, &packet.on())),
                    (_, "l2") => Fate::to(OTHER, SLICE, &packet.on()),
                    _ => Fate::to(OTHER, SLICE, &wrapped(HOST, OTHER, true, &packet.on())),
                };
                let name = format!("{steer}, {owner}: {name} of another connection");
                site.expect(&name, &packet.frame(), &fate.because(reason));
            }
        }
        site.judge();
    }
    drop((listener, client, server));
}
