//! Configs in; programs on interfaces, and where nothing is to be done nothing written, out.

use ssa_tests::net::{PinRoot, veth};

use crate::site::{Attached, CLIENT, GOOD, INTERFACE, PEER, RULE, Said, Site, attached, config, names, strict};

#[test]
fn the_same_config_again_writes_nothing() {
    let site = Site::new("again");
    let first = site.apply(&strict()).done();
    assert_eq!((&first["changed"], &first["generation"]), (&true.into(), &1.into()));
    let before = (site.interface(INTERFACE), site.maps());
    let program = before.0["program_id"].as_u64().unwrap();
    assert_eq!(attached(&site.host, INTERFACE), Some(Attached { program, native: true }));
    assert_eq!((&before.0["attached"], &before.0["mode"]), (&true.into(), &"native".into()));

    let second = site.apply(&strict()).done();
    assert_eq!((&second["changed"], &second["generation"]), (&false.into(), &1.into()));
    assert_eq!((site.interface(INTERFACE), site.maps()), before);
    let path = site.folder.path().join("config.toml");
    let said = Said::of(site.host.ssa_ctl(&site.pins).arg("apply").arg(path));
    assert_eq!((said.code, said.out.trim()), (Some(0), "no change"));
    assert!(said.err.starts_with("warning: "), "the rule has a known trap: {said:?}");
}

#[test]
fn a_dry_run_changes_nothing() {
    let site = Site::new("dry");
    let path = site.file("first.toml", &strict());
    let said = site.ctl(["apply", "--dry-run", path.to_str().unwrap()]);
    assert_eq!((said.code, &said.json()["changed"]), (Some(3), &false.into()));
    assert!(!site.pins.path().exists());
    assert_eq!(attached(&site.host, INTERFACE), None);

    site.apply(&strict()).done();
    let before = (site.interface(INTERFACE), site.maps());
    for (name, text) in [
        ("rule", config(&[INTERFACE], "native", "hash(48):64")),
        ("mode", config(&[INTERFACE], "generic", RULE)),
        ("nowhere", config(&[], "native", RULE)),
    ] {
        let path = site.file("other.toml", &text);
        let said = site.ctl(["apply", "--dry-run", path.to_str().unwrap()]);
        assert_eq!(said.code, Some(3), "{name}: {said:?}");
        assert!(!said.json()["steps"].as_array().unwrap().is_empty(), "{name}");
        assert_eq!((site.interface(INTERFACE), site.maps()), before, "{name}");
    }
    assert_eq!(site.ctl(["apply", "--dry-run", path.to_str().unwrap()]).code, Some(0));
}

#[test]
fn modes_change_to_and_fro() {
    let site = Site::new("modes");
    // More than once: what has just been detached may still be there for a moment.
    for _ in 0..8 {
        for mode in ["generic", "native"] {
            site.apply(&config(&[INTERFACE], mode, RULE)).done();
            assert_eq!(attached(&site.host, INTERFACE).unwrap().native, mode == "native");
            assert_eq!(site.interface(INTERFACE)["mode"], mode);
        }
    }
}

#[test]
fn all_interfaces_or_none() {
    let site = Site::new("all");
    let two = config(&[INTERFACE, "none0"], "native", RULE);
    let error = site.apply(&two).failed(2);
    let fault = &error["faults"][0];
    assert_eq!((&fault["line"], &fault["column"]), (&3.into(), &22.into()), "{error}");
    assert!(error.to_string().contains("none0"), "{error}");
    assert_eq!(attached(&site.host, INTERFACE), None);
    assert!(!site.pins.path().exists());

    site.apply(&strict()).done();
    let before = (site.interface(INTERFACE), site.maps());
    site.apply(&two).failed(2);
    assert_eq!((site.interface(INTERFACE), site.maps()), before);
    assert_eq!(site.ctl(["explain", CLIENT, GOOD]).done()["agree"], true);
}

#[test]
fn down_leaves_nothing() {
    let site = Site::new("down");
    for mode in ["native", "generic", "native"] {
        site.apply(&config(&[INTERFACE], mode, RULE)).done();
        let down = site.ctl(["down"]).done();
        // At once, and not when the kernel has found the time.
        assert_eq!(attached(&site.host, INTERFACE), None);
        assert_eq!(down["detached"][0], INTERFACE);
        assert!(!site.pins.path().exists());
    }
    assert_eq!(site.ctl(["down"]).done()["changed"], false);
    site.ctl(["status"]).failed(4);
}

#[test]
fn a_pin_root_belongs_to_one_namespace() {
    let site = Site::new("owner");
    veth((&site.host, "aa1"), (&site.client, "bb1")).unwrap();
    site.apply(&strict()).done();
    let before = (site.interface(INTERFACE), site.maps());
    let path = site.file("peer.toml", &config(&[PEER], "native", RULE));
    let path = path.to_str().unwrap();
    for arguments in
        [vec!["apply", path], vec!["apply", "--dry-run", path], vec!["status"], vec!["export"], vec!["stats"]]
    {
        let said = Said::of(site.client.ssa_ctl(&site.pins).arg("--json").args(&arguments));
        assert!(said.message(1).contains("another network namespace"), "{arguments:?}: {said:?}");
    }
    assert_eq!((site.interface(INTERFACE), site.maps()), before);

    // Another root is another instance, in this namespace or in that.
    let other = PinRoot::new();
    let said = Said::of(site.client.ssa_ctl(&other).arg("--json").args(["apply", path]));
    said.done();
    assert!(attached(&site.client, PEER).is_some());
    assert_eq!(names(&other.path().join("links")), [PEER]);
    let beside = PinRoot::new();
    let path = site.file("beside.toml", &config(&["aa1"], "generic", RULE));
    let said = Said::of(site.host.ssa_ctl(&beside).arg("--json").args(["apply", path.to_str().unwrap()]));
    said.done();
    Said::of(site.host.ssa_ctl(&beside).arg("--json").arg("down")).done();
    assert_eq!((site.interface(INTERFACE), site.maps()), before);
}
