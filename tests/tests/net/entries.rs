//! Hosts with endpoints, and without them again, in; the neighbour entries that they keep out.

use serde_json::Value;
use ssa_tests::net::Namespace;

use crate::{
    fleet::{ENDPOINT_LAN, FILTER_END, FILTER_LAN, Fleet, config, lan, service},
    site::strict,
};

/// An address that nobody has.
const NOBODY: &str = "2001:db8:e::99";

/// What `ip` says of a neighbour on the LAN; nothing where there is no entry.
fn entry(namespace: &Namespace, address: &str) -> String {
    let said = namespace.ip(&["-6", "neighbour", "show", "to", address, "dev", FILTER_LAN]).unwrap();
    said.trim().to_owned()
}

fn is_kept(namespace: &Namespace, address: &str) -> bool {
    let entry = entry(namespace, address);
    entry.contains("managed") && entry.contains("proto 250")
}

/// A step of each of the given kinds: what to.
fn objects(done: &Value, kind: &str) -> Vec<String> {
    let steps = done["steps"].as_array().unwrap().iter().filter(|step| step["step"] == kind);
    steps.map(|step| step["object"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn our_neighbour_entries_go_and_others_stay() {
    let fleet = Fleet::new("entries");
    let (filter, host) = (&fleet.filter, &fleet.filter.namespace);
    let [a, b, c] = ["a", "b", "c"].map(lan);
    let replace = |address: &str, words: &[&str]| {
        let all = [&["-6", "neighbour", "replace", address, "dev", FILTER_LAN], words].concat();
        host.ip(&all).unwrap();
    };
    // An operator's: one for good, and one that the kernel keeps.
    let mac = fleet.endpoint("b").mac(ENDPOINT_LAN).map(|octet| format!("{octet:02x}")).join(":");
    replace(&b, &["lladdr", &mac, "nud", "permanent"]);
    replace(NOBODY, &["managed"]);
    let theirs = || {
        let permanent = entry(host, &b);
        assert!(
            permanent.contains(&mac) && permanent.contains("PERMANENT") && !permanent.contains("proto"),
            "{permanent}"
        );
        let managed = entry(host, NOBODY);
        assert!(managed.contains("managed") && !managed.contains("proto"), "{managed}");
    };
    let text = config(FILTER_END, &service("l2", ""));
    let is_there = |address: &str| !entry(host, address).is_empty();
    filter.apply(&text).done();
    assert!(is_kept(host, &a) && is_kept(host, &c), "{} {}", entry(host, &a), entry(host, &c));
    theirs();
    assert_eq!(filter.apply(&text).done()["changed"], false);

    let done = filter.ctl(["endpoint", "remove", "c"]).done();
    assert_eq!(objects(&done, "forget"), [c.as_str()], "{done}");
    assert!(is_kept(host, &a) && !is_there(&c), "{}", entry(host, &c));
    theirs();

    // No endpoint is left.
    let none = strict().replace(crate::site::INTERFACE, FILTER_END);
    let dry = filter.file("none.toml", &none);
    let planned = filter.ctl(["apply", "--dry-run", &dry]);
    assert_eq!((planned.code, objects(&planned.json(), "forget")), (Some(3), vec![a.clone()]), "{planned:?}");
    assert!(is_kept(host, &a));
    assert_eq!(objects(&filter.apply(&none).done(), "forget"), [a.as_str()]);
    assert!(!is_there(&a));
    theirs();

    // What a killed command has left goes with the next one.
    replace("2001:db8:e::77", &["managed", "protocol", "250"]);
    let done = filter.apply(&none).done();
    assert_eq!((objects(&done, "forget"), done["steps"].as_array().unwrap().len()), (vec!["2001:db8:e::77".into()], 1));
    assert!(!is_there("2001:db8:e::77"));
    assert_eq!(filter.apply(&none).done()["changed"], false);

    filter.apply(&text).done();
    assert!(is_kept(host, &a) && is_kept(host, &c));
    // Whoever makes one of ours permanent has it.
    replace(&a, &["lladdr", "02:00:5e:00:53:aa", "nud", "permanent"]);
    let down = filter.ctl(["down"]).done();
    assert_eq!(down["neighbours"], serde_json::json!([c]), "{down}");
    assert!(!is_there(&c) && entry(host, &a).contains("02:00:5e:00:53:aa"), "{}", entry(host, &a));
    theirs();
}

#[test]
fn entries_with_given_hardware_addresses_go_too() {
    let fleet = Fleet::new("given");
    let (filter, host, a) = (&fleet.filter, &fleet.filter.namespace, lan("a"));
    let text = config(FILTER_END, &service("l2", ""));
    let with_mac =
        text.replace(&format!("address = \"{a}\""), &format!("address = \"{a}\"\nmac = \"02:00:5e:00:53:0a\""));
    filter.apply(&with_mac).done();
    let given = entry(host, &a);
    assert!(given.contains("02:00:5e:00:53:0a") && given.contains("PERMANENT"), "{given}");
    // Without it, the kernel is asked again.
    filter.apply(&text).done();
    assert!(is_kept(host, &a), "{}", entry(host, &a));
    filter.apply(&with_mac).done();
    filter.ctl(["down"]).done();
    assert_eq!(entry(host, &a), "");

    // Behind a router, it is not the router's.
    let behind = with_mac.replace(&format!("\"{a}\""), "\"2001:db8:9::a\"");
    host.ip(&["-6", "route", "add", "2001:db8:9::/64", "via", &lan("b")]).unwrap();
    filter.apply(&behind).done();
    assert!(is_kept(host, &lan("b")) && !entry(host, &lan("b")).contains("00:53:0a"), "{}", entry(host, &lan("b")));
}
