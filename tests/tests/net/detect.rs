//! A flood of frames that fail the rule, from several sites, in; who is blocked by the detector, and who is not, out.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use ssa_tests::{
    net::{Running, wait_until},
    ssa_ctl_path,
};

use crate::{
    site::{GOOD, Site, WRONG, strict},
    stream::{connect, listen},
    traffic::Wire,
};

const LONGEST: Duration = Duration::from_secs(30);
/// Two sites with bots, and one that is spared.
const BOTS: [&str; 2] = ["2001:db8:b1::/48", "2001:db8:b2::/48"];
const SPARED: &str = "2001:db8:b3::/48";
/// A host of each.
const SOURCES: [&str; 3] = ["2001:db8:b1:1::1", "2001:db8:b2:1::1", "2001:db8:b3:1::1"];
/// What the first of them computes by the rule.
const GOOD_OF_FIRST: &str = "2001:db8:a:1:2001:db8:b1:1";

fn site(label: &str) -> (Site, Wire) {
    let site = Site::new(label);
    site.apply(&strict().replacen("[host]\n", "[host]\nevents = 1000\n", 1)).done();
    let wire = Wire::new(&site);
    (site, wire)
}

fn wrong(wire: &Wire) -> Vec<Vec<u8>> {
    SOURCES.iter().map(|source| wire.datagram_from(source, WRONG)).collect()
}

/// One round, with a low threshold: what it found, as action and prefix in order of prefixes, and how many were left out.
fn once(site: &Site, code: i32, more: &[&str]) -> (Vec<(String, String)>, u64) {
    let said = site.ctl([&["detect", "--once", "--over", "2s", "--above", "10"], more].concat());
    assert_eq!(said.code, Some(code), "{said:?}");
    let told = said.json();
    let text = |found: &Value, key: &str| found[key].as_str().unwrap().to_owned();
    let found = told["found"].as_array().unwrap();
    for found in found {
        assert!(found["rate"].as_f64().unwrap() > 10.0 && found["samples"].as_u64().unwrap() >= 10, "{found}");
        assert_eq!(found["reason"], "field-mismatch of web", "{found}");
        assert_eq!(found["spared"].is_null(), found["action"] != "spare", "{found}");
    }
    let mut found: Vec<_> = found.iter().map(|found| (text(found, "action"), text(found, "prefix"))).collect();
    found.sort_by(|one, other| one.1.cmp(&other.1));
    (found, told["left_out"].as_u64().unwrap())
}

fn all(action: &str, prefixes: &[&str]) -> Vec<(String, String)> {
    prefixes.iter().map(|prefix| (action.to_owned(), (*prefix).to_owned())).collect()
}

/// Origin, prefix and reason of all that is blocked.
fn listed(site: &Site) -> Vec<[String; 3]> {
    let list = site.ctl(["block", "list"]).done();
    let blocks = list["blocks"].as_array().unwrap().iter();
    blocks.map(|block| ["origin", "prefix", "reason"].map(|key| block[key].as_str().unwrap().to_owned())).collect()
}

/// Sends a few frames; how many of them count as mismatches, and as blocked.
fn counted(site: &Site, wire: &Wire, frame: &[u8]) -> [u64; 2] {
    const SENT: u64 = 20;
    let read = || [["reasons", "field-mismatch"], ["reasons", "blocked"]].map(|path| site.packets(&path));
    let before = read();
    for _ in 0..SENT {
        wire.send(frame).unwrap();
    }
    let mut moved = [0; 2];
    wait_until("the frames to be counted", LONGEST, || {
        let after = read();
        moved = [after[0] - before[0], after[1] - before[1]];
        moved.iter().sum::<u64>() >= SENT
    })
    .unwrap();
    moved
}

#[test]
fn who_floods_is_blocked_and_nobody_else() {
    let (site, wire) = site("detect");
    let (frames, listener) = (wrong(&wire), listen(&site.host));
    let never = ["--never", SPARED];
    let spared = [all("block", &BOTS), all("spare", &[SPARED])].concat();
    wire.flood_of(&frames, || {
        let before = site.maps();
        assert_eq!(once(&site, 3, &[&never[..], &["--dry-run"]].concat()), (spared.clone(), 0));
        assert_eq!(site.maps(), before, "a dry run writes nothing");
        assert_eq!(once(&site, 0, &never), (spared, 0));
        let entry = |prefix: &str| ["detector", prefix, "field-mismatch of web"].map(str::to_owned);
        assert_eq!(listed(&site), BOTS.map(entry));
        connect(&site.client, GOOD, &listener, LONGEST).unwrap();
        // They are blocked for long enough; and for longer, where that is asked for.
        assert_eq!(once(&site, 0, &never), (all("spare", &[SPARED]), 0));
        let longer = [&never[..], &["--for", "1h"]].concat();
        assert_eq!(once(&site, 0, &longer), ([all("extend", &BOTS), all("spare", &[SPARED])].concat(), 0));
        assert_eq!(listed(&site).len(), 2);
    });
    assert_eq!(counted(&site, &wire, &frames[0]), [0, 20]);
    assert_eq!(counted(&site, &wire, &frames[1]), [0, 20]);
    let cells = site.ctl(["stats"]).done()["services"]["web"]["cells"].clone();
    assert_eq!(cells["blocked"]["drop"]["packets"], site.packets(&["reasons", "blocked"]), "{cells}");
    assert!(cells["blocked"]["pass"].is_null() && cells["established"].is_null(), "{cells}");
    assert_eq!(counted(&site, &wire, &frames[2]), [20, 0]);
    connect(&site.client, GOOD, &listener, LONGEST).unwrap();
    // What a blocked prefix sends that would conform keeps it nowhere.
    let good = wire.datagram_from(SOURCES[0], GOOD_OF_FIRST);
    assert_eq!(counted(&site, &wire, &good), [0, 20]);
    wire.flood(&good, || assert_eq!(once(&site, 0, &["--for", "24h"]), (vec![], 0)));
}

#[test]
fn the_cap_holds_and_time_lets_everybody_in_again() {
    let (site, wire) = site("detectcap");
    let frames = wrong(&wire);
    wire.flood_of(&frames, || {
        let (found, left_out) = once(&site, 0, &["--most", "1", "--for", "3s"]);
        assert_eq!((found.len(), found[0].0.as_str(), left_out), (1, "block", 2), "{found:?}");
    });
    wait_until("the time to be over", LONGEST, || site.status()["blocks"] == 0).unwrap();
    for frame in &frames {
        assert_eq!(counted(&site, &wire, frame), [20, 0]);
    }
    // What an operator has blocked stays the operator's, and is none of what the detector finds.
    site.ctl(["block", "add", BOTS[0], "--for", "ever"]).done();
    wire.flood_of(&frames, || {
        let (found, left_out) = once(&site, 0, &["--for", "1h", "--service", "web"]);
        assert_eq!((found, left_out), (all("block", &[BOTS[1], SPARED]), 0));
    });
    assert_eq!(listed(&site).iter().filter(|[origin, ..]| origin == "operator").count(), 1);
}

#[test]
fn it_watches_until_it_is_ended() {
    let (site, wire) = site("detectrun");
    let mut watch = site.host.ssa_ctl(&site.pins);
    watch.args(["--json", "detect", "--over", "1s", "--above", "10", "--never", SPARED]);
    let watch = watch.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wire.flood_of(&wrong(&wire), || {
        wait_until("both to be blocked", LONGEST, || site.status()["blocks"] == 2).unwrap();
    });
    kill(Pid::from_raw(watch.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    let output = watch.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    let mut blocked = Vec::new();
    for line in lines.lines() {
        let object: Value = serde_json::from_str(line).unwrap();
        assert!(object["time"].as_u64().unwrap() > 1_700_000_000 && object["dry_run"] == false, "{object}");
        if object["action"] == "block" {
            assert_eq!(object["seconds"], 600, "{object}");
            blocked.push(object["prefix"].as_str().unwrap().to_owned());
        }
    }
    blocked.sort();
    assert_eq!(blocked, BOTS, "each once");
}

#[test]
fn the_capabilities_of_the_unit_are_enough() {
    let (site, wire) = site("detectunit");
    let unit = include_str!("../../../deploy/systemd/ssa-detect.service");
    assert!(unit.contains("\nCapabilityBoundingSet=CAP_BPF\n"), "{unit}");
    let mut command = site.host.command("setpriv");
    command.args(["--bounding-set=-all,+bpf", "--no-new-privs"]).arg(ssa_ctl_path()).arg("--pin-root");
    command.arg(site.pins.path()).args(["detect", "--over", "1s", "--above", "10"]).stdin(Stdio::null());
    let mut watch = Running::start(command.stdout(Stdio::null())).unwrap();
    wire.flood_of(&wrong(&wire)[..1], || {
        wait_until("it to be blocked", LONGEST, || site.status()["blocks"] == 1).unwrap();
    });
    kill(Pid::from_raw(watch.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!(watch.wait().unwrap().code(), Some(0));
}

#[test]
fn it_waits_where_what_it_watches_goes_away() {
    let site = Site::new("detectaway");
    let mut watch = site.host.ssa_ctl(&site.pins);
    watch.args(["--json", "detect", "--over", "1s", "--above", "10"]).stdin(Stdio::null()).stdout(Stdio::null());
    let mut watch = Running::start(watch.stderr(Stdio::piped())).unwrap();
    let mut said = BufReader::new(watch.stderr.take().unwrap()).lines();
    let mut next = || said.next().unwrap().unwrap();
    let events = strict().replacen("[host]\n", "[host]\nevents = 1000\n", 1);
    for _ in 0..2 {
        assert_eq!(next(), "nothing is loaded: waiting until something is");
        site.apply(&events).done();
        assert!(next().starts_with("watching, 1s at a time"));
        let wire = Wire::new(&site);
        wire.flood_of(&wrong(&wire)[..1], || {
            wait_until("it to be blocked", LONGEST, || site.status()["blocks"] == 1).unwrap();
        });
        site.ctl(["down"]).done();
    }
    kill(Pid::from_raw(watch.id().try_into().unwrap()), Signal::SIGHUP).unwrap();
    assert_eq!(watch.wait().unwrap().code(), Some(0), "the terminal is gone");
}
