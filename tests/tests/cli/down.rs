//! Pins that somebody has removed, and instances beside each other, in; what `down` removes and what it leaves, out. Needs
//! root.

use std::fs;

use serde_json::json;
use ssa_tests::net::PinRoot;

use crate::site::{INTERFACE, PREFIX, Said, Site, config};

/// An endpoint whose hardware address is given, and the service.
fn text() -> String {
    let host = config(&[INTERFACE], "native", "any:*");
    let endpoint =
        "[[endpoint]]\nname = \"a\"\naddress = \"2001:db8:c:1::a\"\nmac = \"02:00:5e:00:53:0a\"\n[[service]]";
    host.replace("[[service]]", endpoint) + "slice_bits = 4\nsteer = \"l2\"\n"
}

/// A host with a route and a neighbour entry of ours.
fn site(label: &str) -> Site {
    let site = Site::new(label);
    // Not ours, and a prefix of the service all the same.
    site.host.ip(&["-6", "route", "del", "local", PREFIX, "dev", "lo"]).unwrap();
    site.apply(&text()).done();
    site.ctl(["endpoint", "host", "on"]).done();
    assert_eq!(ours(&site), [1, 1]);
    site
}

/// Routes and neighbour entries of ours.
fn ours(site: &Site) -> [usize; 2] {
    let count = |words: &[&str], own: &str| {
        let said = site.host.ip(words).unwrap();
        said.lines().filter(|line| line.contains(own)).count()
    };
    [
        count(&["-6", "route", "show", "table", "local"], "proto 250"),
        count(&["-6", "neighbour", "show", "nud", "all"], "proto 251"),
    ]
}

#[test]
fn what_carries_our_numbers_goes_without_pins_too() {
    let site = site("pinless");
    fs::remove_dir_all(site.pins.path()).unwrap();
    assert_eq!(ours(&site), [1, 1]);
    let down = site.ctl(["down"]).done();
    assert_eq!(
        down,
        json!({ "changed": true, "detached": [], "routes": [PREFIX], "neighbours": ["2001:db8:c:1::a"], "left_to": [] })
    );
    assert_eq!(ours(&site), [0, 0]);
    assert_eq!(site.ctl(["down"]).done()["changed"], false);
}

#[test]
fn people_are_told_what_was_left_behind() {
    let site = site("pinlesstext");
    fs::remove_dir_all(site.pins.path()).unwrap();
    let said = || Said::of(site.host.ssa_ctl(&site.pins).arg("down"));
    let first = said();
    assert_eq!(
        (first.code, first.out.as_str()),
        (
            Some(0),
            format!("removed the local routes of {PREFIX}\nremoved the neighbour entries of 2001:db8:c:1::a\n")
                .as_str()
        )
    );
    let second = said();
    assert_eq!(second.out, format!("nothing is loaded at {}\n", site.pins.path().display()));
}

#[test]
fn another_instance_keeps_what_is_shared() {
    let site = site("beside");
    let kept = site.pins.path().to_str().unwrap();
    // One that was never there, and one that was.
    let (never, once) = (PinRoot::new(), PinRoot::new());
    let down = |pins: &PinRoot| Said::of(site.host.ssa_ctl(pins).args(["--json", "down"])).done();
    let none = site.file("none.toml", &text().replace(&format!("[{INTERFACE:?}]"), "[]"));
    Said::of(site.host.ssa_ctl(&once).args(["--json", "apply", none.to_str().unwrap()])).done();
    let other = once.path().to_str().unwrap();
    for (pins, changed, left_to) in [(&never, false, vec![kept, other]), (&once, true, vec![kept])] {
        let said = down(pins);
        assert_eq!(
            said,
            json!({ "changed": changed, "detached": [], "routes": [], "neighbours": [], "left_to": left_to })
        );
        assert!(!pins.path().exists());
    }
    let said = Said::of(site.host.ssa_ctl(&never).arg("down"));
    assert_eq!(
        said.out,
        format!(
            "left the local routes and neighbour entries to {kept}, in this network namespace too\n\
             nothing is loaded at {}\n",
            never.path().display()
        )
    );
    assert_eq!(ours(&site), [1, 1]);
    // The last one takes them along.
    let last = site.ctl(["down"]).done();
    assert_eq!((&last["routes"], &last["left_to"]), (&json!([PREFIX]), &json!([])), "{last}");
    assert_eq!(ours(&site), [0, 0]);
}
