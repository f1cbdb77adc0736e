//! `kill -9` at any moment of an `apply` under a flood in; one config or the other, whole, out.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use ssa_common::verdict::Reason;
use ssa_ctl::kernel::instance::Running;
use ssa_tests::net::{Running as Process, wait_until};

use crate::{
    inside::{check_alone, counts, instance, judged, set_other_build},
    site::{GOOD, INTERFACE, RULE, Said, Site, WRONG, attached, config, strict},
    traffic::Wire,
};

/// A service that the flood is for, and others that take their time to be written.
fn with_others(rule: &str, others: usize) -> String {
    let mut text = config(&[INTERFACE], "native", rule);
    text += "[[service]]\nname = \"noise\"\nprefixes = [\"2001:db8:a:2::/64\"]\nrule = \"src(0):64\"\n";
    for number in 0..others {
        let service = format!(
            "[[service]]\nname = \"n{number}\"\nprefixes = [\"2001:db8:e:{number:x}::/64\"]\nrule = \"any:*\"\n"
        );
        text += &service;
    }
    text
}

/// Where the flood goes.
const NOISE: &str = "2001:db8:a:2::1";

/// A share of `whole`, another one each time, spread evenly.
pub fn moment(round: u32, whole: Duration) -> Duration {
    whole.mul_f64((f64::from(round) * 0.618_033_988_75 + f64::from(std::process::id())).fract())
}

/// Starts an `apply` and kills it after some time; whether it had ended before.
pub fn kill(site: &Site, file: &Path, after: Duration) -> bool {
    let mut command = site.host.ssa_ctl(&site.pins);
    command.arg("apply").arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // `nsenter` becomes the program: the number is the same.
    let mut process = Process::start(&mut command).unwrap();
    // sleep: the moment is the case.
    thread::sleep(after);
    let ended = process.try_wait().unwrap().is_some();
    process.kill().unwrap();
    process.wait().unwrap();
    ended
}

/// Lets an `apply` run to its end; how long it took.
pub fn apply(site: &Site, file: &Path) -> Duration {
    let begin = Instant::now();
    site.ctl(["apply", file.to_str().unwrap()]).done();
    begin.elapsed()
}

/// Two configs, as files and as they run, and the address of the service `web` that only each takes.
struct Twins {
    files: [PathBuf; 2],
    running: Vec<Running>,
    addresses: [String; 2],
}

impl Twins {
    fn new(site: &Site) -> Self {
        let rules = [(RULE, 2), ("hash(48):64", 60)];
        let files = rules.map(|(rule, others)| site.file(&format!("{others}.toml"), &with_others(rule, others)));
        let running = files.iter().map(|file| {
            apply(site, file);
            instance(site).running().unwrap()
        });
        let running = running.collect();
        let addresses = [0, 1].map(|side: usize| {
            let file = files[side].to_str().unwrap();
            let said = site.ctl(["address", "web", "--from", crate::site::CLIENT, "--config", file]).done();
            said["addresses"][0].as_str().unwrap().to_owned()
        });
        Self { files, running, addresses }
    }

    /// Which of the two is in force: all of its rows and its text, and frames are judged by it.
    fn side(&self, site: &Site, wire: &Wire) -> usize {
        let instance = instance(site);
        let now = instance.running().unwrap();
        let is = |twin: &Running| twin.document == now.document && twin.tables == now.tables;
        let found = self.running.iter().position(is).expect("a mix of two configs is in force");
        for (other, address) in self.addresses.iter().enumerate() {
            let reason = judged(&instance, wire, &wire.datagram(address, &[], "one"));
            assert_eq!(reason == Reason::Conform, found == other, "{reason:?} to {address}");
        }
        found
    }
}

#[test]
fn an_apply_is_done_or_not() {
    let site = Site::new("kill");
    let twins = Twins::new(&site);
    let wire = Wire::new(&site);
    let link = site.interface(INTERFACE)["link_id"].clone();
    let whole = apply(&site, &twins.files[0]).max(apply(&site, &twins.files[1])).mul_f64(1.1);
    let (outcomes, sent) = wire.flood(&wire.datagram(NOISE, &[], "noise"), || {
        let mut outcomes = [0; 3];
        for round in 0..200 {
            let before = twins.side(&site, &wire);
            let ended = kill(&site, &twins.files[1 - before], moment(round, whole));
            let after = twins.side(&site, &wire);
            assert!(!ended || after != before);
            outcomes[if ended { 2 } else { usize::from(after != before) }] += 1;
            if round % 10 == 9 {
                apply(&site, &twins.files[before]);
                assert_eq!(twins.side(&site, &wire), before);
                let said = Said::of(site.host.ssa_ctl(&site.pins).arg("export"));
                assert_eq!(said.out, twins.running[before].document);
            }
        }
        outcomes
    });
    println!("{outcomes:?} killed before, after, too late; {sent} frames of noise");
    assert!(outcomes[0] + outcomes[1] > 100, "{outcomes:?}: too few were killed");
    assert_eq!(site.interface(INTERFACE)["link_id"], link);
    check_alone(&site);
    let noise = counts(&instance(&site), "noise");
    assert_eq!(noise.received, noise.reason(Reason::FieldMismatch));
    assert!(noise.received.packets > 1000 && noise.received.packets <= sent, "{noise:?} of {sent}");
}

#[test]
fn a_first_apply_is_done_or_not() {
    let site = Site::new("killfirst");
    let file = site.file("config.toml", &strict());
    let whole = apply(&site, &file).mul_f64(1.1);
    site.ctl(["down"]).done();
    let wire = Wire::new(&site);
    let frames = [GOOD, WRONG].map(|address| wire.datagram(address, &[], "one"));
    wire.flood(&frames[1], || {
        for round in 0..30 {
            kill(&site, &file, moment(round, whole));
            let is_attached = attached(&site.host, INTERFACE).is_some();
            let status = site.ctl(["status"]);
            match status.code {
                Some(0) => assert_eq!(status.json()["interfaces"][0]["attached"], is_attached),
                Some(4) => assert!(!is_attached, "nothing is loaded, and a program is attached"),
                _ => panic!("{status:?}"),
            }
            apply(&site, &file);
            check_alone(&site);
            site.ctl(["down"]).done();
        }
    });
    apply(&site, &file);
    assert_eq!(judged(&instance(&site), &wire, &frames[0]), Reason::Conform);
}

#[test]
fn a_replacement_is_done_or_not() {
    let site = Site::new("killreplace");
    let file = site.file("config.toml", &strict());
    apply(&site, &file);
    let before = site.interface(INTERFACE);
    set_other_build(&site);
    assert_eq!(site.status()["program"]["build"], "another build");
    let whole = apply(&site, &file).mul_f64(1.1);
    assert_ne!(site.interface(INTERFACE)["program_id"], before["program_id"]);
    let wire = Wire::new(&site);
    let frames = [GOOD, WRONG].map(|address| wire.datagram(address, &[], "one"));
    for round in 0..15 {
        set_other_build(&site);
        kill(&site, &file, moment(round, whole));
        let instance = instance(&site);
        assert_eq!(judged(&instance, &wire, &frames[0]), Reason::Conform);
        assert_eq!(judged(&instance, &wire, &frames[1]), Reason::FieldMismatch);
        assert_eq!(site.interface(INTERFACE)["link_id"], before["link_id"]);
        apply(&site, &file);
        check_alone(&site);
    }
    // What was counted is counted: by the programs before as by the last.
    assert!(site.packets(&["reasons", "conform"]) >= 15);
}

#[test]
fn larger_maps_come_whole_or_not() {
    let site = Site::new("killgrow");
    let small = site.file("small.toml", &strict());
    let large = site.file("large.toml", &with_others(RULE, 300));
    let wire = Wire::new(&site);
    let frames = [GOOD, WRONG].map(|address| wire.datagram(address, &[], "one"));
    apply(&site, &small);
    assert_eq!(judged(&instance(&site), &wire, &frames[0]), Reason::Conform);
    let whole = apply(&site, &large).mul_f64(1.1);
    assert_eq!(site.packets(&["reasons", "conform"]), 1, "growing has lost a count");
    for round in 0..10 {
        site.ctl(["down"]).done();
        apply(&site, &small);
        let link = site.interface(INTERFACE)["link_id"].clone();
        kill(&site, &large, moment(round, whole));
        apply(&site, &large);
        check_alone(&site);
        assert_eq!(site.interface(INTERFACE)["link_id"], link);
        let instance = instance(&site);
        assert_eq!(judged(&instance, &wire, &frames[0]), Reason::Conform);
        assert_eq!(judged(&instance, &wire, &frames[1]), Reason::FieldMismatch);
    }
    wait_until("the filter to be alone", Duration::from_secs(1), || attached(&site.host, INTERFACE).is_some()).unwrap();
}
