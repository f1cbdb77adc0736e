//! What others do to a filter that is attached in; seen by `status`, mended by the next `apply`, out.

use std::fs;

use bytemuck::Zeroable as _;
use ssa_common::rows::ActiveRow;
use ssa_ctl::kernel::{map::Map, object::MAPS};

use crate::site::{INTERFACE, Site, attached, bpftool, names, strict};

#[test]
fn netlink_takes_no_filter_away() {
    let site = Site::new("off");
    site.apply(&strict()).done();
    let before = site.interface(INTERFACE);
    let refused = site.host.ip(&["link", "set", "dev", INTERFACE, "xdp", "off"]);
    assert!(refused.is_err(), "somebody may switch the filter off unseen");
    for (from, to) in [("down", "up"), ("up", "up")] {
        site.host.ip(&["link", "set", "dev", INTERFACE, from]).unwrap();
        site.host.ip(&["link", "set", "dev", INTERFACE, to]).unwrap();
    }
    assert_eq!(site.interface(INTERFACE), before);
    assert_eq!(site.apply(&strict()).done()["changed"], false);
}

#[test]
fn a_detached_link_is_seen_and_mended() {
    let site = Site::new("detach");
    site.apply(&strict()).done();
    let pin = site.pins.path().join("links").join(INTERFACE);
    bpftool(&["link", "detach", "pinned", pin.to_str().unwrap()]);
    assert_eq!(attached(&site.host, INTERFACE), None);
    assert_eq!(site.interface(INTERFACE)["attached"], false);
    let said = site.ctl(["apply", "--dry-run", site.file("config.toml", &strict()).to_str().unwrap()]);
    assert_eq!(said.code, Some(3));
    site.apply(&strict()).done();
    mended(&site);
}

fn mended(site: &Site) {
    assert_eq!(site.interface(INTERFACE)["attached"], true);
    let program = site.interface(INTERFACE)["program_id"].as_u64().unwrap();
    assert_eq!(attached(&site.host, INTERFACE).unwrap().program, program);
    assert_eq!(site.status()["program"]["id"], program);
    assert_eq!(names(site.pins.path()), ["links", "maps", "progs"]);
    assert_eq!(names(&site.pins.path().join("progs")), ["ssa_clock", "ssa_filter"]);
    assert_eq!(names(&site.pins.path().join("maps")).len(), MAPS.len());
    assert_eq!(site.apply(&strict()).done()["changed"], false);
}

#[test]
fn pins_removed_by_hand_are_mended() {
    let site = Site::new("unpin");
    site.apply(&strict()).done();
    for pin in ["maps/meta", "maps/prefixes", "maps/counters", "progs/ssa_filter", "progs/ssa_clock"] {
        fs::remove_file(site.pins.path().join(pin)).unwrap();
        let said = site.ctl(["status"]);
        assert!(said.code != Some(0) && said.json()["error"]["hint"].is_string(), "{pin}: {said:?}");
        assert_eq!(site.apply(&strict()).done()["changed"], true, "{pin}");
        mended(&site);
    }

    fs::remove_file(site.pins.path().join("links").join(INTERFACE)).unwrap();
    assert_eq!(site.interface(INTERFACE)["attached"], false);
    // The kernel lets go of the link when it has the time.
    ssa_tests::net::wait_until("the link to go", std::time::Duration::from_secs(5), || {
        attached(&site.host, INTERFACE).is_none()
    })
    .unwrap();
    site.apply(&strict()).done();
    mended(&site);
}

#[test]
fn an_empty_bank_is_named_and_mended() {
    let site = Site::new("empty");
    site.apply(&strict()).done();
    let active = Map::<ActiveRow>::open(&site.pins.path().join("maps/active"), false).unwrap();
    active.write(0, &[ActiveRow::zeroed()]).unwrap();
    let said = site.ctl(["status"]);
    let message = said.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("nothing was ever put in force") && said.code == Some(1), "{said:?}");
    assert!(message.contains(site.pins.path().to_str().unwrap()), "{message}");
    assert_eq!(site.apply(&strict()).done()["changed"], true);
    mended(&site);
}

#[test]
fn what_is_left_in_the_folder_is_no_hindrance() {
    let site = Site::new("staging");
    site.apply(&strict()).done();
    fs::create_dir_all(site.pins.path().join("staging/maps")).unwrap();
    let other = crate::site::config(&[INTERFACE], "native", "any:64");
    site.apply(&other).done();
    site.ctl(["down"]).done();
    assert!(!site.pins.path().exists());
}
