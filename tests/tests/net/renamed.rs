//! Interfaces that go, come back, change names or places in; a filter on those that the config names, out.

use ssa_tests::net::veth;

use crate::site::{INTERFACE, PEER, RULE, Site, attached, config, names, strict};

fn rename(site: &Site, from: &str, to: &str) {
    for arguments in [["link", "set", "dev", from, "down", ""], ["link", "set", "dev", from, "name", to]] {
        let arguments: Vec<_> = arguments.into_iter().filter(|word| !word.is_empty()).collect();
        site.host.ip(&arguments).unwrap();
    }
    site.host.ip(&["link", "set", "dev", to, "up"]).unwrap();
}

/// Both are filtered, natively, and nobody else; a further apply has nothing to do.
fn settled(site: &Site, interfaces: &[&str], text: &str) {
    for interface in interfaces {
        assert!(attached(&site.host, interface).is_some_and(|attached| attached.native), "{interface}");
        assert_eq!(site.interface(interface)["attached"], true, "{interface}");
    }
    assert_eq!(names(&site.pins.path().join("links")), interfaces);
    assert_eq!(site.apply(text).done()["changed"], false);
}

#[test]
fn an_interface_made_anew_is_filtered_anew() {
    let site = Site::new("anew");
    site.apply(&strict()).done();
    site.host.ip(&["link", "del", INTERFACE]).unwrap();
    assert_eq!(site.interface(INTERFACE)["attached"], false);
    veth((&site.host, INTERFACE), (&site.client, PEER)).unwrap();
    assert_eq!(site.interface(INTERFACE)["attached"], false);
    site.apply(&strict()).done();
    settled(&site, &[INTERFACE], &strict());
}

#[test]
fn a_link_follows_its_interface() {
    let site = Site::new("follows");
    site.apply(&strict()).done();
    let link = site.interface(INTERFACE)["link_id"].clone();
    rename(&site, INTERFACE, "cc0");
    assert_eq!(site.interface("cc0")["link_id"], link);
    assert_eq!(site.interface(INTERFACE)["attached"], false);
    let text = config(&["cc0"], "native", RULE);
    site.apply(&text).done();
    settled(&site, &["cc0"], &text);
    assert_eq!(site.interface("cc0")["link_id"], link);

    // To another name and another mode at once.
    rename(&site, "cc0", "dd0");
    let text = config(&["dd0"], "generic", RULE);
    site.apply(&text).done();
    assert_eq!(site.interface("dd0")["mode"], "generic");
    assert_eq!(names(&site.pins.path().join("links")), ["dd0"]);
}

#[test]
fn names_may_be_swapped() {
    let site = Site::new("swapped");
    veth((&site.host, "aa1"), (&site.client, "bb1")).unwrap();
    let text = config(&[INTERFACE, "aa1"], "native", RULE);
    site.apply(&text).done();
    let links = [INTERFACE, "aa1"].map(|name| site.interface(name)["link_id"].clone());
    rename(&site, INTERFACE, "cc0");
    rename(&site, "aa1", INTERFACE);
    rename(&site, "cc0", "aa1");
    site.apply(&text).done();
    settled(&site, &[INTERFACE, "aa1"], &text);
    assert_eq!(["aa1", INTERFACE].map(|name| site.interface(name)["link_id"].clone()), links);
}

#[test]
fn a_name_may_be_inherited() {
    let site = Site::new("heir");
    veth((&site.host, "aa1"), (&site.client, "bb1")).unwrap();
    site.apply(&config(&[INTERFACE, "aa1"], "native", RULE)).done();
    let link = site.interface("aa1")["link_id"].clone();
    site.host.ip(&["link", "del", INTERFACE]).unwrap();
    rename(&site, "aa1", INTERFACE);
    site.apply(&strict()).done();
    settled(&site, &[INTERFACE], &strict());
    assert_eq!(site.interface(INTERFACE)["link_id"], link);

    // The same where the one before lives on under another name, and is no longer wanted.
    veth((&site.host, "aa1"), (&site.client, "bb2")).unwrap();
    let text = config(&[INTERFACE, "aa1"], "native", RULE);
    site.apply(&text).done();
    rename(&site, INTERFACE, "cc0");
    rename(&site, "aa1", INTERFACE);
    site.apply(&strict()).done();
    settled(&site, &[INTERFACE], &strict());
    assert_eq!(attached(&site.host, "cc0"), None);
}

#[test]
fn an_interface_may_move_away() {
    let site = Site::new("moved");
    veth((&site.host, "aa1"), (&site.client, "bb1")).unwrap();
    site.apply(&config(&[INTERFACE, "aa1"], "native", RULE)).done();
    site.host.ip(&["link", "set", "dev", "aa1", "netns", site.client.name()]).unwrap();
    assert_eq!(site.interface("aa1")["attached"], false);
    site.apply(&strict()).done();
    settled(&site, &[INTERFACE], &strict());
    assert_eq!(attached(&site.client, "aa1"), None);
    // And come back.
    site.client.ip(&["link", "set", "dev", "aa1", "netns", site.host.name()]).unwrap();
    site.host.ip(&["link", "set", "dev", "aa1", "up"]).unwrap();
    let text = config(&[INTERFACE, "aa1"], "native", RULE);
    site.apply(&text).done();
    settled(&site, &[INTERFACE, "aa1"], &text);
}
