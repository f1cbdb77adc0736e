//! Somebody else's XDP program in; exit code 6 with its number, and everything as it was, out.

use ssa_tests::net::{Namespace, PinRoot};

use crate::site::{Attached, INTERFACE, PEER, RULE, Said, Site, attached, bpftool, config, strict};

/// A program that is not this instance's: another instance's clock probe, pinned.
struct Foreign {
    pins: PinRoot,
}

impl Foreign {
    fn new(site: &Site) -> Self {
        let pins = PinRoot::new();
        let path = site.file("foreign.toml", &config(&[], "native", RULE));
        Said::of(site.host.ssa_ctl(&pins).arg("--json").arg("apply").arg(path)).done();
        Self { pins }
    }

    fn program(&self) -> String {
        self.pins.path().join("progs/ssa_clock").to_str().unwrap().to_owned()
    }

    fn id(&self) -> u64 {
        bpftool(&["prog", "show", "pinned", &self.program()])["id"].as_u64().unwrap()
    }
}

fn refused(site: &Site, namespace: &Namespace, foreign: &Attached) {
    for mode in ["native", "generic"] {
        let error = site.apply(&config(&[INTERFACE], mode, RULE)).failed(6);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains(INTERFACE) && message.contains(&format!("program {}", foreign.program)), "{error}");
        assert_eq!(attached(namespace, INTERFACE).as_ref(), Some(foreign));
        assert!(!site.pins.path().exists(), "something of ours is left");
    }
}

#[test]
fn a_program_by_netlink_is_left_alone() {
    let site = Site::new("netlink");
    let foreign = Foreign::new(&site);
    for (kind, native) in [("xdp", true), ("xdpdrv", true), ("xdpgeneric", false)] {
        site.host.ip(&["link", "set", "dev", INTERFACE, kind, "pinned", &foreign.program()]).unwrap();
        refused(&site, &site.host, &Attached { program: foreign.id(), native });
        site.host.ip(&["link", "set", "dev", INTERFACE, kind, "off"]).unwrap();
    }
    site.apply(&strict()).done();
}

#[test]
fn a_program_by_link_is_left_alone() {
    let site = Site::new("bylink");
    let (other, path) = (PinRoot::new(), site.file("other.toml", &strict()));
    Said::of(site.host.ssa_ctl(&other).arg("--json").arg("apply").arg(&path)).done();
    let foreign = attached(&site.host, INTERFACE).unwrap();
    refused(&site, &site.host, &foreign);
    assert_eq!(Said::of(site.host.ssa_ctl(&other).arg("--json").arg("apply").arg(&path)).done()["changed"], false);
}

#[test]
fn a_second_interface_that_is_held_leaves_the_first_as_it_was() {
    let site = Site::new("second");
    ssa_tests::net::veth((&site.host, "aa1"), (&site.client, "bb1")).unwrap();
    let foreign = Foreign::new(&site);
    site.host.ip(&["link", "set", "dev", "aa1", "xdp", "pinned", &foreign.program()]).unwrap();
    let two = config(&[INTERFACE, "aa1"], "native", "any:64");
    site.apply(&two).failed(6);
    assert_eq!(attached(&site.host, INTERFACE), None);
    assert!(!site.pins.path().exists());

    site.apply(&strict()).done();
    let before = (site.interface(INTERFACE), site.maps());
    site.apply(&two).failed(6);
    assert_eq!((site.interface(INTERFACE), site.maps()), before);
    assert_eq!(attached(&site.host, "aa1").unwrap().program, foreign.id());
}

#[test]
fn nobody_takes_our_place() {
    let site = Site::new("ours");
    let foreign = Foreign::new(&site);
    site.apply(&strict()).done();
    let before = attached(&site.host, INTERFACE);
    for kind in ["xdp", "xdpdrv", "xdpgeneric"] {
        assert!(site.host.ip(&["link", "set", "dev", INTERFACE, kind, "pinned", &foreign.program()]).is_err());
        assert!(
            site.host.ip(&["-force", "link", "set", "dev", INTERFACE, kind, "pinned", &foreign.program()]).is_err()
        );
    }
    let forced = ["net", "attach", "xdp", "pinned", &foreign.program(), "dev", INTERFACE, "overwrite"];
    assert!(site.host.run("bpftool", forced).is_err());
    assert_eq!(attached(&site.host, INTERFACE), before);
    // The other end of the link is another interface.
    site.client.ip(&["link", "set", "dev", PEER, "xdp", "pinned", &foreign.program()]).unwrap();
    assert_eq!(site.apply(&strict()).done()["changed"], false);
}
