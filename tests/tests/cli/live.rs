//! A loaded filter in; what the commands that read it say and those that change it do, out. Needs root.

use std::{
    fs,
    io::Read,
    net::Ipv6Addr,
    os::unix::fs::PermissionsExt,
    process::Stdio,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use ssa_common::{
    layout,
    verdict::{Reason, Treatment},
};
use ssa_tests::net::wait_until;

use crate::{
    site::{CLIENT, GOOD, INTERFACE, Said, Site, WRONG, bpftool, config, strict},
    traffic::Wire,
};

const LONGEST: Duration = Duration::from_secs(5);

/// Sends frames and waits until the service has counted them.
fn send(site: &Site, wire: &Wire, frames: &[Vec<u8>]) {
    let before = site.packets(&["received"]);
    for frame in frames {
        wire.send(frame).unwrap();
    }
    let all = before + frames.len() as u64;
    wait_until("the frames to be counted", LONGEST, || site.packets(&["received"]) >= all).unwrap();
}

fn key(site: &Site, name: &str, digits: char) -> String {
    let path = site.file(name, &digits.to_string().repeat(32));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn with_key(site: &Site) -> String {
    let service = config(&[INTERFACE], "native", "any:16 mac(64,key=k1):48");
    format!("{service}[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"{}\"\n", key(site, "one.key", 'a'))
}

#[test]
fn an_export_is_what_runs() {
    let site = Site::new("export");
    for text in [strict(), with_key(&site)] {
        site.apply(&text).done();
        let exported = Said::of(site.host.ssa_ctl(&site.pins).arg("export"));
        assert_eq!(exported.code, Some(0), "{exported:?}");
        assert!(!exported.out.contains(&"a".repeat(32)), "a secret is in it");
        assert_eq!(site.apply(&exported.out).done()["changed"], false);
        let again = site.ctl(["export"]).done();
        assert_eq!(again["toml"], exported.out);
        assert_eq!(again["config"]["service"][0]["name"], "web", "{again}");
    }
}

#[test]
fn enforcement_is_switched_at_once() {
    let site = Site::new("enforce");
    site.apply(&strict()).done();
    let wire = Wire::new(&site);
    // Of many networks, none of which the rule lets to this address.
    let frames: Vec<_> = (0..200u128)
        .map(|network| {
            let mut frame = wire.datagram(WRONG, &[], "");
            let source = Ipv6Addr::from_bits((0x2001_0db9_0000 + network) << 80 | 1);
            frame[22..38].copy_from_slice(&source.octets());
            frame
        })
        .collect();
    let counts = || {
        [["treatments", "drop"], ["treatments", "pass"], ["would_drop", "packets"]]
            .map(|path| if path[0] == "would_drop" { site.packets(&path[..1]) } else { site.packets(&path) })
    };
    let moved = || {
        let before = counts();
        send(&site, &wire, &frames);
        let after = counts();
        [0, 1, 2].map(|at| after[at] - before[at])
    };
    assert_eq!(moved(), [200, 0, 0]);
    site.ctl(["enforce", "web", "off"]).done();
    assert_eq!(moved(), [0, 200, 200]);
    site.ctl(["enforce", "web", "25%"]).done();
    let [drop, pass, would_drop] = moved();
    assert!((20..=80).contains(&drop) && drop + pass == 200 && pass == would_drop, "{drop} of 200");
    assert_eq!(moved(), [drop, pass, would_drop], "another quarter");
    assert_eq!(site.ctl(["export"]).done()["config"]["service"][0]["enforce"], "25%");
    assert_eq!(site.ctl(["enforce", "web", "25%"]).done()["changed"], false);
    site.ctl(["enforce", "web", "on"]).done();
    assert_eq!(moved(), [200, 0, 0]);
    assert_eq!(site.apply(&strict()).done()["changed"], false);
    for arguments in [["enforce", "nobody", "on"], ["enforce", "web", "101%"]] {
        site.ctl(arguments).failed(2);
    }
}

#[test]
fn keys_come_and_go() {
    let site = Site::new("keys");
    site.apply(&with_key(&site)).done();
    let wire = Wire::new(&site);
    let frame = || {
        let said = site.ctl(["address", "web", "--from", CLIENT]).done();
        wire.datagram(said["addresses"][0].as_str().unwrap(), &[], "")
    };
    let passes = |frame: &Vec<u8>| {
        let before = site.packets(&["reasons", "conform"]);
        send(&site, &wire, std::slice::from_ref(frame));
        site.packets(&["reasons", "conform"]) > before
    };
    let old = frame();
    assert!(passes(&old));
    site.ctl(["key", "add", "web", "k1", "2", &key(&site, "two.key", 'b')]).done();
    let new = frame();
    assert!(passes(&old) && passes(&new));
    site.ctl(["key", "retire", "web", "k1", "1"]).done();
    assert!(!passes(&old) && passes(&new));
    assert!(site.packets(&["reasons", "mac-mismatch"]) > 0);
    site.ctl(["key", "retire", "web", "k1", "2"]).failed(2);
    let keys = site.ctl(["key", "list"]).done();
    assert_eq!((keys["keys"].as_array().unwrap().len(), &keys["keys"][0]["number"]), (1, &2.into()));
}

#[test]
fn every_reason_has_its_place() {
    let site = Site::new("stats");
    site.apply(&strict()).done();
    let wire = Wire::new(&site);
    send(&site, &wire, &[GOOD, GOOD, WRONG].map(|address| wire.datagram(address, &[], "")));
    let stats = site.ctl(["stats"]).done();
    let web = &stats["services"]["web"];
    let sum = |names: Vec<&str>, part: &str| {
        let counts =
            names.iter().map(|name| web[part][name]["packets"].as_u64().unwrap_or_else(|| panic!("no {name}")));
        counts.sum::<u64>()
    };
    let reasons = sum(Reason::OF_SERVICE.iter().map(|reason| reason.name()).collect(), "reasons");
    let treatments = sum(Treatment::ALL.iter().map(|treatment| treatment.name()).collect(), "treatments");
    assert_eq!((reasons, treatments, &web["received"]["packets"]), (3, 3, &3.into()), "{stats}");
    assert_eq!((Reason::OF_SERVICE.len(), web["reasons"].as_object().unwrap().len()), (15, 15));
    for count in [&web["would_drop"], &stats["other"], &stats["malformed"]] {
        assert!(count["packets"].is_u64() && count["bytes"].is_u64(), "{stats}");
    }
    assert_eq!(site.ctl(["stats", "web"]).done()["services"].as_object().unwrap().len(), 1);
    site.ctl(["stats", "nobody"]).failed(2);

    let watched = site.ctl(["stats", "--watch", "--count", "2"]);
    let lines: Vec<Value> = watched.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2, "{watched:?}");
    assert_eq!(lines[1]["services"]["web"]["received"]["packets"], 3);
    let text = Said::of(site.host.ssa_ctl(&site.pins).args(["stats", "--watch", "--count", "2"]));
    assert_eq!((text.code, text.out.matches("received").count()), (Some(0), 2), "{text:?}");
}

#[test]
fn whoever_has_seen_enough_counters_may_leave() {
    let site = Site::new("pipe");
    site.apply(&strict()).done();
    for arguments in [vec!["stats", "--watch"], vec!["export"], vec!["status"], vec!["--json", "stats", "--watch"]] {
        let mut command = site.host.ssa_ctl(&site.pins);
        let mut child = command.args(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        let begin = Instant::now();
        child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        assert!(child.wait().unwrap().success() && said.is_empty(), "{arguments:?}: {said}");
        assert!(begin.elapsed() < LONGEST);
    }
}

#[test]
fn status_says_what_runs() {
    let site = Site::new("status");
    site.apply(&strict()).done();
    let status = site.status();
    assert_eq!(status["pin_root"], site.pins.path().to_str().unwrap());
    assert_eq!(
        (&status["layout_version"], &status["generation"], &status["services"]),
        (&layout::VERSION.into(), &1.into(), &1.into())
    );
    let [maps, programs, all] = ["maps_bytes", "programs_bytes", "bytes"].map(|key| status["memory"][key].as_u64());
    assert!(maps > Some(0) && programs > Some(0) && maps.zip(programs).map(|(maps, programs)| maps + programs) == all);
    assert!(status["clock"]["error_seconds"].as_f64().unwrap().abs() < 0.1, "{status}");
    assert_eq!((&status["clock"]["stale"], &status["program"]["name"]), (&false.into(), &"ssa_filter".into()));
    let interface = &status["interfaces"][0];
    assert_eq!((&interface["name"], &interface["mode"]), (&INTERFACE.into(), &"native".into()));
    assert!(interface["program_id"].is_u64() && interface["link_id"].is_u64() && interface["attached"] == true);
    let text = Said::of(site.host.ssa_ctl(&site.pins).arg("status"));
    assert!(text.code == Some(0) && text.out.contains("native") && text.out.contains("generation 1"), "{text:?}");
    assert_eq!(status["settings"], json!({}));
    let services = site.ctl(["services"]).done();
    assert!(services.to_string().contains("2001:db8:a:1::/64"), "{services}");
}

#[test]
fn what_a_service_does_besides_its_rule_is_shown() {
    let site = Site::new("besides");
    let more = "on_mismatch = \"lowprio\"\nlow_priority_rate = 500\nestablished = \"flows\"\n\
                [service.fair]\nprefix = 56\nshare = \"5%\"\n";
    site.apply(&(strict() + more)).done();
    let fair = json!({ "prefix": 56, "share": "5%", "above": 1000 });
    let expected = json!({ "established": "flows", "fair": fair, "low_priority": ["dscp"], "low_priority_rate": 500 });
    assert_eq!(site.status()["settings"], json!({ "web": expected }));
    let service = &site.ctl(["services"]).done()["services"][0];
    let said = [&service["established"], &service["fair"], &service["low_priority_rate"]];
    assert_eq!(said, [&json!("flows"), &fair, &json!(500)]);
    let words = "known by flows; fair share 5% of a /56, above 1000/s; low priority dscp, 500/s";
    let text = Said::of(site.host.ssa_ctl(&site.pins).arg("status"));
    assert!(text.out.contains(&format!("service     web: {words}\n")), "{text:?}");
    let text = Said::of(site.host.ssa_ctl(&site.pins).arg("services"));
    assert!(text.out.contains(words) && text.out.contains("BESIDES"), "{text:?}");
}

#[test]
fn a_row_that_somebody_changed_is_found_out() {
    let site = Site::new("corrupt");
    site.apply(&strict()).done();
    for (address, reason, treatment) in [(GOOD, "conform", "pass"), (WRONG, "field-mismatch", "drop")] {
        let said = site.ctl(["explain", CLIENT, address]).done();
        assert_eq!(
            (&said["reason"], &said["treatment"], &said["agree"]),
            (&reason.into(), &treatment.into(), &true.into())
        );
        assert_eq!((&said["kernel"]["reason"], &said["kernel"]["treatment"]), (&reason.into(), &treatment.into()));
    }
    corrupt(&site);
    let said = site.ctl(["explain", CLIENT, WRONG]);
    assert_eq!(said.code, Some(3), "{said:?}");
    let said = said.json();
    assert_eq!((&said["treatment"], &said["kernel"]["treatment"]), (&"drop".into(), &"pass".into()), "{said}");
    assert_eq!(said["agree"], false);
    let error = site.ctl(["bench", "--rounds", "1"]).failed(3);
    assert_eq!(error["code"], "differs");
    assert!(error["message"].as_str().unwrap().starts_with("not-conforming of web: the program says"), "{error}");
    let file = site.file("config.toml", &strict());
    assert_eq!(site.ctl(["apply", "--dry-run", file.to_str().unwrap()]).code, Some(3));
    assert_eq!(site.apply(&strict()).done()["changed"], true);
    assert_eq!(site.ctl(["explain", CLIENT, WRONG]).done()["agree"], true);
}

/// Takes the enforcement out of every prefix row.
fn corrupt(site: &Site) {
    // `PrefixRow`: prefix, service, length, flags, first cell, then what is enforced.
    let (service, flags, enforce) = (16..20, 24..28, 32..40);
    let path = site.pins.path().join("maps/prefixes");
    let path = path.to_str().unwrap();
    let octets = |value: &Value| -> Vec<String> {
        value.as_array().unwrap().iter().map(|octet| octet.as_str().unwrap().to_owned()).collect()
    };
    let mut changed = 0;
    for entry in bpftool(&["map", "dump", "pinned", path]).as_array().unwrap() {
        let (key, mut value) = (octets(&entry["key"]), octets(&entry["value"]));
        if value[service.clone()].iter().all(|octet| octet == "0x00") {
            continue;
        }
        value[flags.clone()].fill("0x00".into());
        value[enforce.clone()].fill("0x00".into());
        let words = ["map", "update", "pinned", path, "key"].map(str::to_owned);
        let words = [words.to_vec(), key, vec!["value".to_owned()], value].concat();
        bpftool(&words.iter().map(String::as_str).collect::<Vec<_>>());
        changed += 1;
    }
    assert_eq!(changed, 1);
}
