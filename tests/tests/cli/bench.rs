//! A loaded filter in; what `bench` says of it, which moves nothing, out. Never how long anything takes. Needs root.

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt as _};

use serde_json::Value;

use crate::site::{INTERFACE, RULE, Said, Site, config};

/// Services with rules of every kind.
fn services(site: &Site) -> String {
    let key = site.file("one.key", &"a".repeat(32));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let service = |name: &str, network: u8, lines: &str| {
        format!("[[service]]\nname = \"{name}\"\nprefixes = [\"2001:db8:b:{network:x}::/64\"]\n{lines}\n")
    };
    [
        config(&[INTERFACE], "native", RULE),
        service("audit", 1, "rule = \"hash(48):64\"\nenforce = \"off\"\nallow = [\"udp/53\", \"icmpv6\"]"),
        service("token", 2, "rule = \"any:16 mac(48,key=k1,period=1s):48\"\nmax_age = \"1h\"\nstale_clock = \"open\""),
        format!("[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"{}\"\n", key.display()),
        service("work", 3, "rule = \"hash(48):14 pow(64,zeros=8,period=1m):50\"\non_mismatch = \"lowprio\""),
        service("hard", 4, "rule = \"pow(48,zeros=40):64\""),
        service("block", 5, "rule = \"object(0):60 replica(3):4\"\nprevious = { rule = \"any:*\", until = 1 }"),
        service("free", 6, "rule = \"any:64\""),
        service("turned", 7, "rule = \"hash(48):64\"\nprevious = { rule = \"any:64\", until = 99999999999 }"),
    ]
    .concat()
}

/// Stage, service, reason and treatment of each row.
fn rows(said: &Value) -> Vec<[&str; 4]> {
    let stages = said["stages"].as_array().unwrap().iter();
    stages.map(|row| ["stage", "service", "reason", "treatment"].map(|key| row[key].as_str().unwrap_or("-"))).collect()
}

#[test]
fn every_stage_has_its_verdict_and_nothing_moves() {
    let site = Site::new("bench");
    site.apply(&services(&site)).done();
    let stats = || site.ctl(["stats"]).done()["services"].clone();
    let before = (site.maps(), stats());
    let said = site.ctl(["bench", "--rounds", "2"]).done();
    assert_eq!((site.maps(), stats()), before);

    assert_eq!(said["rounds"], 2);
    assert_eq!(
        rows(&said),
        [
            ["not-ipv6", "-", "other", "pass"],
            ["no-service", "-", "other", "pass"],
            ["conforming", "web", "conform", "pass"],
            ["not-conforming", "web", "field-mismatch", "drop"],
            ["vlan-tag", "web", "conform", "pass"],
            ["neighbour-discovery", "web", "control", "pass"],
            ["echo", "web", "conform", "pass"],
            ["icmp-error", "web", "icmp-error", "pass"],
            ["conforming", "audit", "conform", "pass"],
            ["not-conforming", "audit", "field-mismatch", "pass"],
            ["conforming", "token", "conform", "pass"],
            ["not-conforming", "token", "mac-mismatch", "drop"],
            ["conforming", "work", "conform", "pass"],
            ["not-conforming", "work", "pow-missing", "lowprio"],
            ["not-conforming", "hard", "pow-missing", "drop"],
            ["conforming", "block", "conform", "pass"],
            ["not-conforming", "block", "replica-range", "drop"],
            ["conforming", "free", "conform", "pass"],
            ["conforming", "turned", "conform", "pass"],
        ]
    );
    let skipped: BTreeSet<_> = said["skipped"].as_array().unwrap().iter().map(|row| row["service"].as_str()).collect();
    assert_eq!(skipped, [Some("free"), Some("hard"), Some("turned")].into());
    for spread in said["stages"].as_array().unwrap().iter().chain([&said["empty"]]) {
        let [min, p25, median, p75] = ["min", "p25", "median", "p75"].map(|key| spread[key].as_f64().unwrap());
        assert!(min <= p25 && p25 <= median && median <= p75, "{spread}");
    }
    assert!(said["empty"]["min"].as_f64().unwrap() > 0.0);
    assert_eq!(said["left_out"], 0);
    let would_drop = said["stages"].as_array().unwrap().iter().filter(|row| row["would_drop"] == true);
    let would_drop: Vec<_> = would_drop.map(|row| (row["stage"].as_str(), row["service"].as_str())).collect();
    assert_eq!(would_drop, [(Some("not-conforming"), Some("audit"))]);
}

#[test]
fn services_are_chosen_by_name() {
    let site = Site::new("bench-by");
    site.apply(&services(&site)).done();
    let said = site.ctl(["bench", "token", "free", "--rounds", "1"]).done();
    let named = |service: &str| rows(&said).iter().filter(|row| row[1] == service).count();
    assert_eq!((named("-"), named("token"), named("free"), rows(&said).len()), (2, 6, 1, 9));
    let text = Said::of(site.host.ssa_ctl(&site.pins).args(["bench", "free", "--rounds", "1"]));
    assert!(text.code == Some(0) && text.err.is_empty(), "{text:?}");
    for words in ["+NS", "neighbour-discovery  free", "not-conforming of free was left out", "empty program"] {
        assert!(text.out.contains(words), "{words}: {text:?}");
    }
}

#[test]
fn without_a_name_only_the_first_services_are_measured() {
    let site = Site::new("bench-many");
    let service = |number: u32| {
        let enforce = if number == 0 { "off" } else { "on" };
        format!(
            "[[service]]\nname = \"s{number}\"\nprefixes = [\"2001:db8:e:{number:x}::/64\"]\n\
             rule = \"hash(48):64\"\nenforce = \"{enforce}\"\n"
        )
    };
    let many: Vec<_> = (0..500).map(service).collect();
    site.apply(&[vec![config(&[INTERFACE], "native", RULE)], many].concat().concat()).done();
    let said = site.ctl(["bench", "--rounds", "1"]).done();
    assert_eq!((&said["left_out"], rows(&said).len()), (&Value::from(493), 2 + 8 * 2 + 4));
    let said = site.ctl(["bench", "s499", "--rounds", "1"]).done();
    assert_eq!((&said["left_out"], rows(&said).len()), (&Value::from(0), 2 + 2 + 4));
    let text = Said::of(site.host.ssa_ctl(&site.pins).args(["bench", "--rounds", "1"]));
    for words in ["pass (would drop)", "493 services were left out", "ssa-ctl bench NAME"] {
        assert!(text.out.contains(words), "{words}: {text:?}");
    }
}

#[test]
fn what_is_not_there_is_not_measured() {
    let site = Site::new("bench-no");
    site.ctl(["bench"]).failed(4);
    site.apply(&config(&[INTERFACE], "native", RULE)).done();
    assert!(site.ctl(["bench", "nobody"]).failed(2)["hint"].as_str().unwrap().contains("web"));
    site.ctl(["bench", "--rounds", "0"]).failed(2);
}
