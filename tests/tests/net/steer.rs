//! Clients that call slices of a service in; answers from the endpoints that own them out, steered in every way.

use std::{fs, time::Duration};

use ssa_tests::net::wait_until;

use crate::{
    fleet::{BITS, ENDPOINT_LAN, Fleet, called, config, service},
    servers::{ask_tcp, ask_udp, start},
    stream::{LONGEST, up_and_down},
};

/// Slices.
const SLICES: u32 = 1 << BITS;
/// How long an answer is waited for that may not come.
const SHORT: Duration = Duration::from_millis(200);

/// Asks in every slice, and checks who answers and what was counted.
fn check(fleet: &Fleet, steer: &str) {
    let owners = fleet.owners();
    let treatment = if steer == "route" { "pass" } else { "forward" };
    let look = || {
        let at = |path: &[&str]| fleet.filter.packets(path);
        [at(&["received"]), at(&["reasons", "conform"]), at(&["treatments", treatment])]
    };
    let by_slice = || (fleet.filter.frames(), fleet.endpoints.each_ref().map(crate::fleet::Host::frames));
    let (before, (slices, ends)) = (look(), by_slice());
    for (slice, owner) in (0..).zip(&owners) {
        let answered = ask_udp(&fleet.client, called(slice, 1), LONGEST);
        assert_eq!(answered.unwrap_or_else(|error| panic!("UDP, slice {slice} of {owner}: {error}")), *owner);
    }
    let moved: Vec<u64> = look().iter().zip(before).map(|(now, before)| now - before).collect();
    assert_eq!(moved, [u64::from(SLICES); 3], "{steer}: {}", fleet.filter.counted());
    let (slices_now, ends_now) = by_slice();
    for slice in 0..SLICES as usize {
        assert_eq!(slices_now[slice] - slices[slice], 1, "{steer}: slice {slice}");
        for (host, (now, before)) in fleet.endpoints.iter().zip(ends_now.iter().zip(&ends)) {
            let owns = u64::from(host.name == owners[slice]);
            assert_eq!(
                now[slice] - before[slice],
                owns,
                "{steer}: slice {slice} of {} at {}",
                owners[slice],
                host.name
            );
        }
    }
    for (slice, owner) in (0..).zip(&owners) {
        let answered = ask_tcp(&fleet.client, called(slice, 2));
        assert_eq!(answered.unwrap_or_else(|error| panic!("TCP, slice {slice} of {owner}: {error}")), *owner);
    }
    let now = look();
    assert_eq!((now[0], now[0]), (now[1], now[2]), "{steer}: {}", fleet.filter.counted());
}

fn check_all(steer: &str, forwarding: &[bool]) {
    let fleet = Fleet::new(steer);
    fleet.endpoints.iter().for_each(|host| start(&host.namespace, host.name));
    for &on in forwarding {
        fleet.set_forwarding(on);
        fleet.apply(&service(steer, ""));
        if steer == "route" {
            fleet.route_slices();
        }
        check(&fleet, steer);
    }
}

#[test]
fn slices_are_reached_by_routes() {
    check_all("route", &[true]);
}

#[test]
fn slices_are_reached_by_hardware_addresses() {
    check_all("l2", &[false, true]);
}

#[test]
fn slices_are_reached_through_tunnels() {
    check_all("ip6ip6", &[false, true]);
}

/// A packet counter of a host's stack.
fn stack_count(namespace: &ssa_tests::net::Namespace, name: &str) -> u64 {
    let text = namespace.enter(|| fs::read_to_string("/proc/thread-self/net/snmp6")).unwrap().unwrap();
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap()
}

#[test]
fn a_narrow_lan_says_so() {
    let fleet = Fleet::new("narrow");
    fleet.set_lan_mtu(1400);
    for on in [false, true] {
        fleet.set_forwarding(on);
        // As if it had never heard of the narrow place.
        fleet.client.ip(&["-6", "route", "flush", "cache"]).unwrap();
        fleet.apply(&service("ip6ip6", ""));
        let before = stack_count(&fleet.client, "Icmp6InPktTooBigs");
        let owner = fleet.endpoint(&fleet.owners()[3]);
        up_and_down(&fleet.client, &called(3, 1 + u16::from(on)).to_string(), &owner.namespace);
        let told = stack_count(&fleet.client, "Icmp6InPktTooBigs") - before;
        assert!(told > 0, "nobody told the client: {}", fleet.filter.counted());
        let from_tunnel = owner.packets(&["received"]);
        assert!(from_tunnel > 1000, "{}", owner.counted());
    }
    // What is too long is answered once in a tick, and dropped.
    let (dropped, nowhere) = (["treatments", "drop"], ["reasons", "no-endpoint"]);
    assert_eq!(fleet.filter.packets(&dropped), fleet.filter.packets(&nowhere), "{}", fleet.filter.counted());
}

/// A slice of an endpoint.
fn slice_of(fleet: &Fleet, name: &str) -> u32 {
    let place = fleet.owners().iter().position(|owner| owner == name).unwrap();
    u32::try_from(place).unwrap()
}

#[test]
fn an_endpoint_that_nobody_knows_gets_nothing() {
    let fleet = Fleet::new("absent");
    fleet.endpoints.iter().for_each(|host| start(&host.namespace, host.name));
    let absent = fleet.endpoint("c");
    let its = format!("{}/64", crate::fleet::lan("c"));
    for (steer, on) in [("l2", false), ("ip6ip6", true)] {
        fleet.filter.ctl(["down"]).done();
        fleet.set_forwarding(on);
        absent.namespace.ip(&["-6", "address", "del", &its, "dev", ENDPOINT_LAN]).unwrap();
        fleet.filter.namespace.ip(&["-6", "neighbour", "flush", "all"]).unwrap();
        let text = config(crate::fleet::FILTER_END, &service(steer, ""));
        fleet.filter.apply(&text).done();
        let slice = slice_of(&fleet, "c");
        for number in 0..5 {
            let asked = ask_udp(&fleet.client, called(slice, number), SHORT);
            assert!(asked.is_err(), "{steer}: {asked:?}");
        }
        assert_eq!(fleet.filter.packets(&["reasons", "no-endpoint"]), 5, "{}", fleet.filter.counted());
        // The endpoint comes. A kernel that forwards asks for it by itself; else the controller is to.
        absent.namespace.ip(&["-6", "address", "add", &its, "dev", ENDPOINT_LAN, "nodad"]).unwrap();
        fleet.apply(&service(steer, ""));
        let answers = || {
            // A neighbour that has not answered before is asked again after a while.
            fleet.filter.apply(&text).done();
            ask_udp(&fleet.client, called(slice, 9), SHORT).is_ok_and(|name| name == "c")
        };
        wait_until("the endpoint to be found", LONGEST, answers).unwrap();
    }
}

#[test]
fn an_endpoint_with_another_hardware_address_is_found_again() {
    let fleet = Fleet::new("mac");
    fleet.endpoints.iter().for_each(|host| start(&host.namespace, host.name));
    fleet.set_forwarding(true);
    let host = &fleet.endpoint("b").namespace;
    // It tells its neighbours. Else they notice when they ask again, as with every router.
    host.run("sysctl", ["-qw", &format!("net.ipv6.conf.{ENDPOINT_LAN}.ndisc_notify=1")]).unwrap();
    for steer in ["l2", "ip6ip6"] {
        fleet.apply(&service(steer, ""));
        let slice = slice_of(&fleet, "b");
        let answers = || ask_udp(&fleet.client, called(slice, 1), SHORT).is_ok_and(|name| name == "b");
        assert!(answers(), "{steer}");
        let mac = if steer == "l2" { "02:00:5e:00:53:01" } else { "02:00:5e:00:53:02" };
        host.ip(&["link", "set", "dev", ENDPOINT_LAN, "address", mac]).unwrap();
        wait_until("frames to reach the new hardware address", LONGEST, answers).unwrap();
        assert_eq!(fleet.filter.packets(&["treatments", "drop"]), 0, "{}", fleet.filter.counted());
    }
}
