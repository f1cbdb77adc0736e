//! Ways that the controller and the kernel know in; frames that take them, out.

use std::{fs, net::Ipv6Addr};

use ssa_common::{rows::HopRow, verdict::Reason};
use ssa_tests::{
    net::Namespace,
    run::{BACK, REDIRECT},
};

use crate::{
    layers::{ACK, Packet, tcp},
    site::{ENDPOINTS, Fate, Site, out},
};

const MTU: u32 = 1500;
/// This host.
const HOST: usize = 0;

#[test]
fn where_no_way_is_known_there_is_none() {
    let namespace = Namespace::new("way").unwrap();
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
    let namespace = Namespace::new("routes").unwrap();
    let [to, from] = [[2, 0x11, 0x22, 0x33, 0x44, 1], [2, 0xbb, 0xcc, 0xdd, 0xee, 1]]
        .map(|station: [u8; 6]| station.map(|octet| format!("{octet:02x}")).join(":"));
    let address = Ipv6Addr::from_bits(ENDPOINTS[1]).to_string();
    namespace
        .ip(&["link", "add", "way", "mtu", "1400", "address", &from, "type", "veth", "peer", "name", "end"])
        .unwrap();
    namespace.ip(&["link", "set", "end", "up"]).unwrap();
    namespace.ip(&["link", "set", "way", "up"]).unwrap();
    namespace.ip(&["route", "add", &address, "dev", "way"]).unwrap();
    namespace.ip(&["neigh", "add", &address, "lladdr", &to, "dev", "way", "nud", "permanent"]).unwrap();
    let run = || {
        for interface in ["all", "lo"] {
            fs::write(format!("/proc/sys/net/ipv6/conf/{interface}/forwarding"), "1").unwrap();
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
