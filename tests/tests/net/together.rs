//! Changes that come together, and folders of others, in; the filter whole, and what is not ours untouched, out.

use std::{fs, thread, time::Duration};

use ssa_tests::net::{PinRoot, veth};

use crate::site::{CLIENT, GOOD, INTERFACE, RULE, Said, Site, attached, bpftool, config, strict};

/// A config with so many services that the maps must grow.
fn many(interfaces: &[&str], others: usize) -> String {
    let services = (0..others).map(|number| {
        format!("[[service]]\nname = \"n{number}\"\nprefixes = [\"2001:db8:e:{number:x}::/64\"]\nrule = \"any:*\"\n")
    });
    config(interfaces, "native", RULE) + &services.collect::<String>()
}

#[test]
fn maps_grow_and_an_interface_comes_at_once() {
    let site = Site::new("both");
    veth((&site.host, "dd0"), (&site.client, "ee0")).unwrap();
    site.apply(&strict()).done();
    let text = many(&[INTERFACE, "dd0"], 600);
    site.apply(&text).done();
    let pinned = &site.status()["program"]["id"];
    for name in [INTERFACE, "dd0"] {
        let interface = site.interface(name);
        assert_eq!((&interface["attached"], &interface["current"]), (&true.into(), &true.into()), "{interface}");
        assert_eq!(&interface["program_id"], pinned, "{name} runs the program that is pinned");
        assert_eq!(&attached(&site.host, name).unwrap().program, &pinned.as_u64().unwrap());
    }
    assert_eq!(site.apply(&text).done()["changed"], false);
}

#[test]
fn a_dry_run_says_that_an_interface_is_held() {
    let (site, other) = (Site::new("dry"), PinRoot::new());
    site.apply(&strict()).done();
    let path = site.file("other.toml", &strict());
    let apply = ["--json", "apply", "--dry-run", path.to_str().unwrap()];
    let error = Said::of(site.host.ssa_ctl(&other).args(apply)).failed(6);
    assert!(error["message"].as_str().unwrap().contains(INTERFACE), "{error}");
}

#[test]
fn a_folder_of_others_is_left_alone() {
    let site = Site::new("others");
    site.apply(&strict()).done();
    let foreign = PinRoot::new();
    for folder in [foreign.path().to_owned(), foreign.path().join("maps")] {
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    }
    let pin = foreign.path().join("maps").join("theirs");
    let id =
        bpftool(&["map", "show", "pinned", site.pins.path().join("maps/meta").to_str().unwrap()])["id"].to_string();
    bpftool(&["map", "pin", "id", &id, pin.to_str().unwrap()]);
    let path = site.file("config.toml", &strict());
    for arguments in [&["--json", "down"][..], &["--json", "apply", path.to_str().unwrap()]] {
        let error = Said::of(site.host.ssa_ctl(&foreign).args(arguments)).failed(1);
        assert!(error["message"].as_str().unwrap().contains("not ours"), "{error}");
        assert!(pin.exists());
    }
    fs::remove_dir_all(foreign.path()).unwrap();
}

#[test]
fn the_filter_of_another_namespace_is_not_taken_down() {
    let site = Site::new("theirs");
    site.apply(&strict()).done();
    let error = Said::of(site.client.ssa_ctl(&site.pins).args(["--json", "down"])).failed(1);
    assert!(error["message"].as_str().unwrap().contains("another network namespace"), "{error}");
    assert_eq!(site.interface(INTERFACE)["attached"], true);
    Said::of(site.client.ssa_ctl(&site.pins).args(["--json", "down", "--force"])).done();
    assert_eq!(attached(&site.host, INTERFACE), None);
}

#[test]
fn explain_judges_by_the_clock_that_packets_are_judged_by() {
    let site = Site::new("stale");
    let key = site.file("k.key", &"a".repeat(32));
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let service = config(&[INTERFACE], "native", "any:16 mac(48,key=k1,period=1h):48");
    let settings = "max_age = \"1s\"\nstale_clock = \"closed\"\n[[service.keys]]\nname = \"k1\"\nnumber = 1\n";
    site.apply(&format!("{service}{settings}file = \"{}\"\n", key.display())).done();
    // sleep: the clock is stale when nobody has published it for longer than its greatest age.
    thread::sleep(Duration::from_secs(3));
    let address = site.ctl(["address", "web", "--from", CLIENT]).done()["addresses"][0].as_str().unwrap().to_owned();
    let said = site.ctl(["explain", CLIENT, &address]);
    assert_eq!(said.code, Some(3), "{said:?}");
    let explained: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((&explained["reason"], &explained["kernel"]["reason"]), (&"conform".into(), &"mac-mismatch".into()));
    assert_ne!(address, GOOD);
}
