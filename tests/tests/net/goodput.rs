//! Conforming traffic and ten times what the way takes of suspects in; how much of the former arrives, out (DESIGN §9).

use std::{
    fs,
    net::{Ipv6Addr, UdpSocket},
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;
use ssa_tests::net::{Namespace, address, classify_code_points, heard, interface, narrow, neighbour, route, veth};

use crate::{
    low::low,
    site::{GOOD, PEER, PREFIX, Site, WRONG},
    traffic::{PORT, Wire},
};

/// The host's interface to the server, by which all must leave.
const OUT: &str = "cc0";
/// Turns of the sender, and how long each lasts.
const TURNS: u32 = 250;
const TURN: Duration = Duration::from_millis(4);
/// Suspects of a turn, beside one datagram that conforms: 100 Mbit/s beside 2.
const SUSPECTS: u32 = 50;
/// Octets of a datagram.
const OCTETS: usize = 1000;
/// A server hears nothing for so long where nothing more comes.
const SILENCE: Duration = Duration::from_millis(1500);

/// A client, a host that routes, and a server behind 10 Mbit/s.
struct Road {
    site: Site,
    server: Namespace,
}

impl Road {
    fn new(label: &str) -> Self {
        let site = Site::new(label);
        let server = Namespace::new(&format!("{label}-s")).unwrap();
        veth((&site.host, OUT), (&server, "dd0")).unwrap();
        address(&site.host, OUT, "2001:db8:d::1/64").unwrap();
        address(&server, "dd0", "2001:db8:d::2/64").unwrap();
        let forward = || fs::write("/proc/sys/net/ipv6/conf/all/forwarding", "1");
        site.host.enter(forward).unwrap().unwrap();
        site.host.ip(&["-6", "route", "del", "local", PREFIX, "dev", "lo"]).unwrap();
        route(&site.host, &[PREFIX, "via", "2001:db8:d::2"]).unwrap();
        route(&server, &["local", PREFIX, "dev", "lo"]).unwrap();
        let road = Self { site, server };
        narrow(&road.site.host, OUT).unwrap();
        // Nobody needs to ask for an address in the flood.
        let mac = interface(&road.server, "dd0").unwrap().mac;
        neighbour(&road.site.host, OUT, "2001:db8:d::2", mac).unwrap();
        road
    }

    /// What left by a class: packets.
    fn left_by(&self, class: &str) -> u64 {
        let said = self.site.host.run("tc", ["-s", "class", "show", "dev", OUT, "classid", class]).unwrap();
        let words: Vec<&str> = said.split_whitespace().collect();
        let packets = words.windows(2).find(|pair| pair[1] == "pkt").and_then(|pair| pair[0].parse().ok());
        packets.unwrap_or_else(|| panic!("tc counts nothing of {class}: {said}"))
    }

    /// Frames that the client's end could not send, as the host took none for a moment.
    fn lost(&self) -> u64 {
        let said = self.site.client.ip(&["-j", "-s", "link", "show", "dev", PEER]).unwrap();
        let links: Value = serde_json::from_str(&said).unwrap();
        links[0]["stats64"]["tx"]["dropped"].as_u64().unwrap()
    }

    /// Sends both kinds; the share of what conforms that arrives. What the filter has counted is exact.
    fn share(&self, lines: &str) -> f64 {
        self.site.apply(&low("native", lines)).done();
        let counted = |path: &[&str]| self.site.packets(path);
        let before = (counted(&["reasons", "conform"]), counted(&["reasons", "field-mismatch"]), self.lost());
        let treated = counted(&["treatments", "lowprio"]) + counted(&["treatments", "drop"]);
        let socket = self.server.enter(|| UdpSocket::bind((Ipv6Addr::UNSPECIFIED, PORT))).unwrap().unwrap();
        socket.set_read_timeout(Some(SILENCE)).unwrap();
        let arrived = thread::scope(|scope| {
            let server = scope.spawn(|| heard(&socket, b'g').unwrap());
            self.flood();
            server.join().unwrap()
        });
        let [conform, mismatch] =
            [counted(&["reasons", "conform"]) - before.0, counted(&["reasons", "field-mismatch"]) - before.1];
        let lost = self.lost() - before.2;
        assert_eq!(conform + mismatch + lost, u64::from(TURNS * (SUSPECTS + 1)), "{lines}: {lost} were never there");
        let after = counted(&["treatments", "lowprio"]) + counted(&["treatments", "drop"]);
        assert_eq!(after - treated, mismatch, "{lines}: suspects went behind the others, or nowhere");
        f64::from(arrived) / f64::from(TURNS)
    }

    fn flood(&self) {
        let wire = Wire::new(&self.site);
        let frame = |to: &str, text: &str| wire.datagram(to, &[], &text.repeat(OCTETS));
        let (good, suspect) = (frame(GOOD, "g"), frame(WRONG, "s"));
        let mut due = Instant::now();
        for _ in 0..TURNS {
            for _ in 0..SUSPECTS / 2 {
                let _ = wire.send(&suspect);
            }
            let _ = wire.send(&good);
            for _ in 0..SUSPECTS / 2 {
                let _ = wire.send(&suspect);
            }
            due += TURN;
            // sleep: until the next turn.
            thread::sleep(due.saturating_duration_since(Instant::now()));
        }
    }
}

#[test]
fn in_one_queue_suspects_drown_what_conforms() {
    let share = Road::new("one").share("low_priority = [\"dscp\"]");
    assert!(share < 0.5, "{share} of it arrive where nobody looks at the mark");
}

#[test]
fn behind_a_class_of_their_own_suspects_take_nothing_from_what_conforms() {
    for ways in ["\"mark\"", "\"cpu\", \"mark\""] {
        let road = Road::new("class");
        let share = road.share(&format!("low_priority = [{ways}]"));
        assert!(share >= 0.95, "{ways}: {share}");
        assert!(road.left_by("1:20") > 0, "{ways}: suspects take what is left");
    }
}

#[test]
fn the_code_point_alone_is_enough_for_a_queue_that_looks_at_it() {
    let road = Road::new("dscp");
    classify_code_points(&road.site.host, OUT).unwrap();
    let share = road.share("low_priority = [\"dscp\"]");
    assert!(share >= 0.95, "{share}");
    assert!(road.left_by("1:20") > 0, "suspects take what is left");
}

#[test]
fn a_rate_alone_keeps_the_way_free() {
    let road = Road::new("rate");
    let share = road.share("low_priority = []\nlow_priority_rate = 100");
    assert!(share >= 0.95, "{share}");
    assert!(road.site.packets(&["treatments", "lowprio"]) > 0 && road.site.packets(&["treatments", "drop"]) > 0);
    assert_eq!(road.left_by("1:20"), 0, "nothing is marked");
}
