//! Slices of a filter in force in; what commands on them say and warn of, and what is counted of them, out. Needs root.

use std::time::Duration;

use serde_json::{Value, json};
use ssa_tests::net::wait_until;

use crate::{
    site::{INTERFACE, Said, Site, config},
    traffic::Wire,
};

const LONGEST: Duration = Duration::from_secs(5);

/// Three endpoints in domains of their own, and a service, `web`, with this rule and these keys.
fn text(rule: &str, more: &str) -> String {
    let endpoint =
        |name: &str| format!("[[endpoint]]\nname = \"{name}\"\naddress = \"fd00::{name}\"\ndomain = \"of {name}\"\n");
    let endpoints = ["a", "b", "c"].map(endpoint).concat() + "[[service]]";
    config(&[INTERFACE], "native", rule).replace("[[service]]", &endpoints) + more
}

fn warnings(said: &Value) -> Vec<&str> {
    said["warnings"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect()
}

#[test]
fn live_changes_warn_of_what_check_would() {
    let site = Site::new("livewarn");
    let apply = site.apply(&text("object(118):10 replica(3):2 any:*", "slice_bits = 12\n")).done();
    assert_eq!(warnings(&apply), [""; 0]);
    let merge = ["slice", "merge", "web", "10", "--dry-run"];
    let planned = site.ctl(merge);
    assert_eq!(planned.code, Some(3), "{planned:?}");
    let done = site.ctl(merge[..4].iter().copied()).done();
    for said in [planned.json(), done] {
        let [warning] = warnings(&said)[..] else { panic!("{said}") };
        assert!(warning.starts_with("web: replica(3):2 does not lie within the 10 slice bits"), "{warning}");
    }
    // It is so already, and said once.
    assert_eq!(warnings(&site.ctl(["enforce", "web", "off"]).done()), [""; 0]);
    let split = Said::of(site.host.ssa_ctl(&site.pins).args(["slice", "split", "web", "12"]));
    assert_eq!((split.code, split.err.as_str()), (Some(0), ""), "{split:?}");
    let drain = Said::of(site.host.ssa_ctl(&site.pins).args(["endpoint", "drain", "c", "--dry-run"]));
    assert!(
        drain.err.starts_with("warning: the service web has 2 endpoints for 3 replicas: some share one; "),
        "{drain:?}"
    );
    assert!(drain.out.contains("endpoint drain: true\n"), "{drain:?}");
}

#[test]
fn slices_that_are_named_twice_move_once() {
    let site = Site::new("twice");
    site.apply(&text("any:*", "slice_bits = 4\nowners = [\"0-11 a\", \"12-15 b\"]\n")).done();
    let arguments = ["slice", "move", "web", "0-10,5-7", "c", "--dry-run"];
    let planned = site.ctl(arguments).json();
    let done = site.ctl(arguments[..5].iter().copied()).done();
    for said in [planned, done] {
        let steps = said["steps"].as_array().unwrap();
        assert_eq!((steps.len(), &steps[0]["detail"]), (1, &"11 slices from a to c".into()), "{said}");
    }
    let runs = site.ctl(["slices", "web"]).done()["services"]["web"]["runs"].clone();
    let shown: Vec<_> = runs.as_array().unwrap().iter().map(|run| json!([run["last"], run["endpoint"]])).collect();
    assert_eq!(json!(shown), json!([[10, "c"], [11, "a"], [15, "b"]]));
    site.ctl(["slice", "move", "web", "0-10,16", "c"]).failed(2);
}

#[test]
fn slices_are_counted_without_endpoints() {
    let site = Site::new("unowned");
    let counted = config(&[INTERFACE], "native", "any:*") + "slice_bits = 4\nslice_counters = true\n";
    site.apply(&counted).done();
    let wire = Wire::new(&site);
    // Slices 0 and 10 of 16.
    for address in ["2001:db8:a:1::1", "2001:db8:a:1:a000::1", "2001:db8:a:1:afff::1"] {
        wire.send(&wire.datagram(address, &[], "")).unwrap();
    }
    wait_until("the frames to be counted", LONGEST, || site.packets(&["received"]) >= 3).unwrap();
    assert_eq!((site.packets(&["treatments", "pass"]), site.packets(&["reasons", "conform"])), (3, 3));
    let web = site.ctl(["slices"]).done()["services"]["web"].clone();
    let run = json!({ "first": 0, "last": 15, "endpoint": null, "previous": null, "seconds": null, "pinned": false,
                      "frames": 3 });
    assert_eq!(web, json!({ "slice_bits": 4, "endpoints": [], "runs": [run] }));
    let each = site.ctl(["slices", "web", "--each"]).done()["services"]["web"]["runs"].clone();
    let frames: Vec<u64> = each.as_array().unwrap().iter().map(|run| run["frames"].as_u64().unwrap()).collect();
    assert_eq!(frames, [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0]);
    let said = |option: &[&str]| Said::of(site.host.ssa_ctl(&site.pins).arg("slices").args(option)).out;
    assert!(said(&["--heat"]).starts_with("web: 3 frames over 16 slices"), "{}", said(&["--heat"]));
    let words: Vec<String> = said(&[]).lines().nth(1).unwrap().split_whitespace().map(str::to_owned).collect();
    assert_eq!(words, ["web", "0-15", "16", "-", "-", "-", "3"]);
    let said = site.ctl(["explain", crate::site::CLIENT, "2001:db8:a:1:a000::1"]).done();
    assert_eq!(
        (&said["slice"], &said["endpoint"], &said["treatment"], &said["agree"]),
        (&10.into(), &Value::Null, &"pass".into(), &true.into()),
        "{said}"
    );

    // Nobody has anything to give or to take.
    assert!(site.ctl(["slice", "move", "web", "0", "a"]).message(2).contains("has no slices with endpoints"));
    assert_eq!(site.apply(&counted).done()["changed"], false);
    let exported = Said::of(site.host.ssa_ctl(&site.pins).arg("export"));
    assert!(!exported.out.contains("owners") && !exported.out.contains("pinned"), "{}", exported.out);
    // Endpoints that come get all of it. Room for them takes larger maps, whose counts of slices begin anew.
    let owned = text("any:*", "slice_bits = 4\nslice_counters = true\n");
    let steps = site.apply(&owned).done()["steps"].clone();
    assert!(steps.as_array().unwrap().iter().all(|step| step["step"] != "move"), "{steps}");
    let web = site.ctl(["slices", "web"]).done()["services"]["web"].clone();
    let runs = web["runs"].as_array().unwrap();
    assert!(
        runs.len() == 3 && runs.iter().all(|run| run["previous"].is_null() && run["endpoint"].is_string()),
        "{web}"
    );
    // And go again.
    site.apply(&counted).done();
    let web = site.ctl(["slices", "web"]).done()["services"]["web"].clone();
    assert_eq!((&web["runs"][0]["endpoint"], &web["runs"][0]["frames"]), (&Value::Null, &0.into()), "{web}");
    // Without counters, there is nothing to show of them.
    site.apply(&counted.replace("slice_counters = true\n", "")).done();
    assert_eq!(site.ctl(["slices"]).done()["services"], json!({}));
}
