//! Endpoints that are there, late, and gone in; the ways that hosts know to them, and what is said of those, out.

use std::time::Duration;

use serde_json::Value;
use ssa_tests::net::wait_until;

use crate::{
    fleet::{ENDPOINT_LAN, FILTER_END, FILTER_LAN, Fleet, Host, called, config, lan, service},
    servers::{ask_udp, start},
    site::{CLIENT, Said},
    stream::LONGEST,
};

/// How long an answer is waited for that does not come.
const SHORT: Duration = Duration::from_millis(200);
fn warnings(done: &Value) -> Vec<&str> {
    done["warnings"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

/// What `endpoints` says of the way to an endpoint.
fn way(host: &Host, name: &str) -> (Value, Value) {
    let said = host.ctl(["endpoints"]).done();
    let all = said["endpoints"].as_array().unwrap();
    let one = all.iter().find(|endpoint| endpoint["name"] == name).unwrap();
    (one["way"].clone(), one["no_way"].clone())
}

#[test]
fn a_late_neighbour_is_a_way_and_no_other_config() {
    let fleet = Fleet::new("late");
    let filter = &fleet.filter;
    let late = &fleet.endpoint("c").namespace;
    let its = format!("{}/64", lan("c"));
    let text = config(FILTER_END, &service("l2", ""));
    for forwarding in [false, true] {
        filter.ctl(["down"]).done();
        fleet.set_forwarding(forwarding);
        late.ip(&["-6", "address", "del", &its, "dev", ENDPOINT_LAN]).unwrap();
        filter.namespace.ip(&["-6", "neighbour", "flush", "all"]).unwrap();
        let done = filter.apply(&text).done();
        let [warning] = warnings(&done)[..] else { panic!("{done}") };
        assert!(warning.contains("the endpoint c") && warning.contains("does not answer"), "{warning}");
        let owners = filter.owners();
        let destination = called(u32::try_from(owners.iter().position(|owner| owner == "c").unwrap()).unwrap(), 1);
        let explain = || filter.ctl(["explain", CLIENT, &destination.to_string()]).done();
        let doctor = || {
            let said = filter.ctl(["doctor"]).json();
            let findings = said["findings"].as_array().unwrap();
            let of_way = findings.iter().filter(|finding| finding["check"] == "way");
            of_way.map(|finding| finding["level"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let (none, why) = way(filter, "c");
        assert!(none.is_null() && why.as_str().unwrap().contains("does not answer"), "{none} {why}");
        let said = explain();
        assert_eq!((&said["reason"], &said["treatment"]), (&"no-endpoint".into(), &"drop".into()), "{said}");
        assert_eq!((&said["agree"], &said["no_way"]), (&true.into(), &why), "{said}");
        assert_eq!(doctor(), ["ok", "ok", "warning"]);

        late.ip(&["-6", "address", "add", &its, "dev", ENDPOINT_LAN, "nodad"]).unwrap();
        let mut done = Value::Null;
        let found = || {
            done = filter.apply(&text).done();
            done["changed"] == true
        };
        wait_until("the endpoint to be found", LONGEST, found).unwrap();
        let [step] = &done["steps"].as_array().unwrap()[..] else { panic!("{done}") };
        assert_eq!((&step["step"], &step["object"]), (&"way".into(), &"c".into()), "{done}");
        let detail = step["detail"].as_str().unwrap();
        assert!(detail.starts_with("by fe0 to ") && detail.ends_with("there was none"), "{detail}");
        let again = filter.apply(&text).done();
        assert_eq!((&again["changed"], warnings(&again).len()), (&false.into(), 0), "{again}");

        let (found, why) = way(filter, "c");
        let mac = fleet.endpoint("c").mac(ENDPOINT_LAN).map(|octet| format!("{octet:02x}")).join(":");
        assert_eq!(
            (&found["interface"], &found["mac"], &found["mtu"]),
            (&FILTER_LAN.into(), &mac.into(), &1500.into())
        );
        assert!(why.is_null());
        let said = explain();
        assert_eq!((&said["treatment"], &said["agree"], &said["way"]), (&"forward".into(), &true.into(), &found));
        assert_eq!(doctor(), ["ok"; 3]);
    }
}

#[test]
fn the_mtu_of_a_way_is_the_one_that_the_filter_takes() {
    let fleet = Fleet::new("waymtu");
    let filter = &fleet.filter;
    fleet.set_forwarding(true);
    let text = config(FILTER_END, &service("l2", ""));
    filter.apply(&text).done();
    let mtu = || {
        let (way, _) = way(filter, "a");
        let slice = filter.owners().iter().position(|owner| owner == "a").unwrap();
        let destination = called(u32::try_from(slice).unwrap(), 1).to_string();
        let said = filter.ctl(["explain", CLIENT, &destination]).done();
        assert_eq!((&said["way"], &said["agree"]), (&way, &true.into()), "{said}");
        way["mtu"].as_u64().unwrap()
    };
    let to_a = format!("{}/128", lan("a"));
    let route = |metrics: &[&str]| {
        let all = [&["-6", "route", "replace", &to_a, "dev", FILTER_LAN], metrics].concat();
        filter.namespace.ip(&all).unwrap();
    };
    assert_eq!(mtu(), 1500);
    // The kernel tells a program of no route's own MTU.
    route(&["mtu", "1400"]);
    assert_eq!(mtu(), 1500);
    let done = filter.apply(&text).done();
    let [step] = &done["steps"].as_array().unwrap()[..] else { panic!("{done}") };
    assert!(step["step"] == "way" && step["detail"].as_str().unwrap().contains("MTU 1400; it was"), "{done}");
    assert_eq!(mtu(), 1400);
    // But of one that is locked, at once.
    route(&["mtu", "lock", "1300"]);
    assert_eq!(mtu(), 1300);
    // What the last command has found holds until the next.
    filter.namespace.ip(&["-6", "route", "del", &to_a, "dev", FILTER_LAN]).unwrap();
    assert_eq!(mtu(), 1400);
    assert_eq!(filter.apply(&text).done()["steps"].as_array().unwrap().len(), 1);
    assert_eq!(mtu(), 1500);
}

#[test]
fn without_a_route_there_is_no_way() {
    let fleet = Fleet::new("routeless");
    let filter = &fleet.filter;
    let text = config(FILTER_END, &service("ip6ip6", "")).replace(&lan("c"), "2001:db8:9::c");
    let done = filter.apply(&text).done();
    assert!(warnings(&done)[..].iter().any(|text| text.contains("no route leads to 2001:db8:9::c")), "{done}");
    let (none, why) = way(filter, "c");
    assert_eq!((none, why), (Value::Null, "no route leads to 2001:db8:9::c".into()));
    // This host needs no way to itself.
    assert_eq!(way(filter, "filter"), (Value::Null, Value::Null));
}

#[test]
fn a_file_is_explained_as_this_host() {
    let fleet = Fleet::new("asfile");
    let host = fleet.endpoint("a");
    let text = config(ENDPOINT_LAN, &service("ip6ip6", ""));
    let file = host.file("explained.toml", &text);
    host.apply(&text).done();
    for (slice, owner) in (0..).zip(host.owners()) {
        let destination = called(slice, 1).to_string();
        let said = host.ctl(["explain", CLIENT, &destination, "--config", &file]).done();
        let treatment = if owner == "a" { "pass" } else { "forward" };
        assert_eq!((&said["endpoint"], &said["treatment"]), (&owner.into(), &treatment.into()), "{said}");
    }
}

#[test]
fn a_stranger_wraps_in_vain_and_is_warned() {
    let fleet = Fleet::new("stranger");
    fleet.endpoints.iter().for_each(|host| start(&host.namespace, host.name));
    let own = format!("[[endpoint]]\nname = \"filter\"\naddress = \"{}\"\n", lan("filter"));
    fleet.set_forwarding(false);
    let mut warned = Vec::new();
    for host in fleet.hosts() {
        let interface = if host.name == "filter" { FILTER_END } else { ENDPOINT_LAN };
        let done = host.apply(&config(interface, &service("ip6ip6", "")).replace(&own, "")).done();
        warned.push(warnings(&done).iter().filter(|text| text.contains("web is steered by ip6ip6")).count());
    }
    assert_eq!(warned, [1, 0, 0, 0]);
    for host in &fleet.endpoints {
        host.ctl(["endpoint", "host", "on"]).done();
    }
    let owner = fleet.endpoint(&fleet.owners()[0]);
    assert!(ask_udp(&fleet.client, called(0, 1), SHORT).is_err());
    assert_eq!(fleet.filter.packets(&["treatments", "forward"]), 1, "{}", fleet.filter.counted());
    assert_eq!(owner.packets(&["received"]), 0, "{}", owner.counted());
    let said = fleet.filter.ctl(["doctor"]).json();
    let tunnel = said["findings"].as_array().unwrap().iter().find(|finding| finding["check"] == "tunnel");
    assert_eq!(tunnel.unwrap()["level"], "warning", "{said}");
}

#[test]
fn ways_are_for_people_too() {
    let fleet = Fleet::new("waytext");
    let filter = &fleet.filter;
    filter.apply(&config(FILTER_END, &service("l2", "")).replace(&lan("c"), "2001:db8:9::c")).done();
    let said = |arguments: &[&str]| Said::of(filter.namespace.ssa_ctl(&filter.pins).args(arguments)).out;
    let endpoints = said(&["endpoints"]);
    let a = endpoints.lines().find(|line| line.trim_start().starts_with("a ")).unwrap();
    assert!(a.contains("by fe0 to ") && a.contains("MTU 1500"), "{endpoints}");
    assert!(endpoints.contains("none: no route leads to 2001:db8:9::c"), "{endpoints}");
    let slice = filter.owners().iter().position(|owner| owner == "c").unwrap();
    let explained = said(&["explain", CLIENT, &called(u32::try_from(slice).unwrap(), 1).to_string()]);
    assert!(explained.contains("way        none: no route leads to 2001:db8:9::c\n"), "{explained}");
    assert!(explained.contains("agrees: no-endpoint, drop"), "{explained}");
    assert!(said(&["doctor"]).contains("to c: none: no route leads"), "{}", said(&["doctor"]));
}
