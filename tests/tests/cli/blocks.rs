//! Source prefixes, and what is wrong with some, in; what `block` says, and what is blocked then, out. Needs root.

use std::{
    fs,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};
use ssa_tests::ssa_ctl_path;

use crate::site::{CLIENT, GOOD, HOST, INTERFACE, Said, Site, config, strict};

pub const WEB: &str = "2001:db8:77::/48";

pub fn site(label: &str) -> Site {
    let site = Site::new(label);
    site.apply(&strict()).done();
    site
}

/// Prefix, whether for ever, origin and reason of all that is blocked, as this list shows it.
fn shown(said: &Value) -> Value {
    let blocks = said["blocks"].as_array().unwrap().iter();
    blocks.map(|block| json!([block["prefix"], block["seconds"].is_null(), block["origin"], block["reason"]])).collect()
}

pub fn list(site: &Site, more: &[&str]) -> Value {
    shown(&site.ctl([&["block", "list"], more].concat()).done())
}

/// Added, changed, removed, expired, and how many there are.
pub fn counts(said: &Value) -> [u64; 5] {
    ["added", "changed", "removed", "expired", "blocked"].map(|key| said[key].as_u64().unwrap())
}

pub fn block(site: &Site, arguments: &[&str]) -> [u64; 5] {
    counts(&site.ctl([&["block"], arguments].concat()).done())
}

#[test]
fn prefixes_are_blocked_and_let_in() {
    let site = site("block");
    assert_eq!(list(&site, &[]), json!([]));
    let add = ["add", WEB, "2001:db8:78::1", "--for", "10m", "--reason", "a  test"];
    assert_eq!(block(&site, &add), [2, 0, 0, 0, 2]);
    let listed = site.ctl(["block", "list"]).done();
    let seconds = listed["blocks"][0]["seconds"].as_u64().unwrap();
    assert!((500..=600).contains(&seconds), "{listed}");
    let added = listed["blocks"][0]["added"].as_u64().unwrap();
    assert!(added > 1_700_000_000, "{listed}");
    let want = json!([[WEB, false, "operator", "a test"], ["2001:db8:78::1/128", false, "operator", "a test"]]);
    assert_eq!(shown(&listed), want);
    // Another origin's entry is another entry.
    assert_eq!(block(&site, &["add", WEB, "--for", "ever", "--origin", "detector"]), [1, 0, 0, 0, 3]);
    assert_eq!(block(&site, &["add", WEB, "--for", "ever"]), [0, 1, 0, 0, 3]);
    assert_eq!(block(&site, &["add", WEB, "--for", "ever"]), [0, 0, 0, 0, 3], "nothing is another");
    assert_eq!(list(&site, &["--origin", "detector"]), json!([[WEB, true, "detector", ""]]));
    assert_eq!(list(&site, &["--source", "2001:db8:77:1::1"]).as_array().unwrap().len(), 2);
    assert_eq!(list(&site, &["--source", "2001:db8:79::1"]), json!([]));
    // What is to be is said, and not done.
    let before = (list(&site, &[]), site.maps());
    for planned in [&["add", "2001:db8:80::/48", "--dry-run"][..], &["del", WEB, "--dry-run"]] {
        let said = site.ctl([&["block"], planned].concat());
        assert_eq!((said.code, &said.json()["dry_run"]), (Some(3), &true.into()), "{said:?}");
    }
    let said = site.ctl(["block", "add", WEB, "--for", "ever", "--dry-run"]);
    assert_eq!(said.code, Some(0), "{said:?}");
    // Nor where one of several is not there.
    let error = site.ctl(["block", "del", WEB, "2001:db8:81::/48"]).failed(2);
    assert!(error["message"].as_str().unwrap().contains("2001:db8:81::/48 is not blocked"), "{error}");
    assert!(site.ctl(["block", "del", "2001:db8:78::1", "--origin", "agent"]).message(2).contains("by the agent"));
    let absent = ["del", "2001:db8:81::/48", "2001:db8:82::/48", "--missing-ok"];
    assert_eq!(block(&site, &absent), [0, 0, 0, 0, 3], "unless nobody minds");
    assert_eq!((list(&site, &[]), site.maps()), before);
    assert_eq!(
        block(&site, &["del", WEB, "2001:db8:81::/48", "--origin", "detector", "--missing-ok"]),
        [0, 0, 1, 0, 2]
    );
    assert_eq!(block(&site, &["add", WEB, "--origin", "agent", "--for", "1s"]), [1, 0, 0, 0, 3]);
    assert_eq!(block(&site, &["del", "--origin", "operator"])[2], 2);
    assert_eq!(block(&site, &["add", "2001:db8:82::/48", "--until", "2099-01-01T00:00:00Z"])[0], 1);
    block(&site, &["del", "--all"]);
    assert_eq!(list(&site, &[]), json!([]));
}

#[test]
fn what_cannot_be_blocked_is_refused() {
    let site = site("blockbad");
    let endpoint = "[[endpoint]]\nname = \"a\"\naddress = \"fd00:a::1\"\n[[service]]";
    let text = config(&[INTERFACE], "native", "any:*").replace("[[service]]", endpoint);
    site.apply(&(text + "slice_bits = 4\n")).done();
    let before = site.maps();
    for (arguments, said) in [
        (&["192.0.2.0/24"][..], "is IPv4"),
        (&["2001:db8::1/64"], "bits set"),
        (&["2000::/15"], "cannot be blocked"),
        (&["::/0"], "cannot be blocked"),
        (&["fe80::1"], "link-local"),
        (&["ff02::/16"], "multicast"),
        (&["web"], "is not a prefix"),
        (&["2001:db8:8::/48,spam"], "is more than a prefix"),
        (&[WEB, "--until", "1700000000"], "is over"),
        (&["2001:db8:c::/48"], "an address of this host"),
        (&[HOST], "an address of this host"),
        (&["fd00:a::/32"], "the endpoint a"),
    ] {
        let error = site.ctl([&["block", "add"], arguments].concat()).failed(2);
        assert!(error["message"].as_str().unwrap().contains(said), "{arguments:?}: {error}");
        assert!(error["hint"].is_string(), "{error}");
    }
    let long = "x".repeat(129);
    for usage in [
        &["add"][..],
        &["add", WEB, "--for", "never"],
        &["add", WEB, "--for", "-5m"],
        &["add", WEB, "--for", "4294967296s"],
        &["add", WEB, "--until", "18446744073709551615"],
        &["add", WEB, "--reason", "a\u{202e}b"],
        &["add", WEB, "--for", "1h", "--until", "4000000000"],
        &["add", WEB, "--reason", &long],
        &["add", WEB, "--origin", "me"],
        &["del"],
        &["del", WEB, "--all"],
        &["del", "--all", "--missing-ok"],
    ] {
        site.ctl([&["block"], usage].concat()).failed(2);
    }
    for (arguments, says) in [
        (&["--for", "-5m"][..], "4294967295s at most"),
        (&["--for", "99999999999999h"], "4294967295s at most"),
        (&["--until", "99999999999999"], "up to the year 9999"),
    ] {
        let error = site.ctl([&["block", "add", WEB], arguments].concat()).message(2);
        assert!(error.contains(says), "{error}");
    }
    // Of what has no longer prefix none is asked for.
    let hint = |prefix: &str| site.ctl(["block", "add", prefix]).failed(2)["hint"].clone();
    assert_eq!(
        (hint(HOST), hint("2001:db8:c::/48")),
        ("say --force".into(), "block a longer prefix, or say --force".into())
    );
    assert_eq!(site.maps(), before);
    assert_eq!(block(&site, &["add", HOST, "fd00:a::/32", "--force"])[0], 2);
    let nothing = Site::new("blocknone");
    for arguments in [&["add", WEB][..], &["del", WEB], &["list"], &["import", "/dev/null"]] {
        nothing.ctl([&["block"], arguments].concat()).failed(4);
    }
}

#[test]
fn a_blocked_source_is_explained() {
    let site = site("blockwhy");
    let explain = |more: &[&str]| site.ctl([&["explain", CLIENT, GOOD], more].concat()).done();
    assert_eq!(explain(&[])["blocked"], Value::Null);
    let [wide, narrow] = ["2001:db8:c:1::2/127", CLIENT];
    block(&site, &["add", wide, "--for", "ever"]);
    block(&site, &["add", narrow, "--for", "10m", "--reason", "a flood", "--origin", "detector"]);
    let said = explain(&[]);
    assert_eq!(
        (&said["reason"], &said["class"], &said["treatment"]),
        (&"blocked".into(), &"reject".into(), &"drop".into())
    );
    assert_eq!((&said["agree"], &said["kernel"]["reason"]), (&true.into(), &"blocked".into()), "{said}");
    let by = &said["blocked"];
    assert_eq!(
        (&by["prefix"], &by["origin"], &by["reason"]),
        (&"2001:db8:c:1::2/128".into(), &"detector".into(), &"a flood".into())
    );
    assert!((500..=600).contains(&by["seconds"].as_u64().unwrap()), "{by}");
    let text = Said::of(site.host.ssa_ctl(&site.pins).args(["explain", CLIENT, GOOD])).out;
    assert!(
        text.contains("\nblocked    2001:db8:c:1::2/128 by the detector, for ") && text.contains(": a flood\n"),
        "{text}"
    );
    // At another time, by another entry; and with the list of no host, by none.
    let later = (SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 700).to_string();
    let said = explain(&["--at", &later]);
    assert_eq!(
        (&said["blocked"]["prefix"], &said["blocked"]["seconds"], &said["agree"]),
        (&wide.into(), &Value::Null, &true.into())
    );
    block(&site, &["del", wide]);
    let said = explain(&["--at", &later]);
    assert_eq!((&said["reason"], &said["agree"]), (&"conform".into(), &true.into()), "{said}");
    let file = site.file("config.toml", &strict());
    let said = explain(&["--config", file.to_str().unwrap()]);
    assert_eq!((&said["reason"], &said["first_packet"]), (&"conform".into(), &false.into()));
    // Where more than the packet counts, it is said that it was not looked up.
    let known = site.file("known.toml", &(strict() + "established = \"flows\"\n"));
    let known = ["--config", known.to_str().unwrap()];
    assert_eq!(explain(&known)["first_packet"], true);
    let text = Said::of(site.host.ssa_ctl(&site.pins).args(["explain", CLIENT, GOOD]).args(known)).out;
    assert!(text.contains("\nasked as   a first packet: "), "{text}");
    // What is not enforced is let in, and still blocked.
    site.ctl(["enforce", "web", "off"]).done();
    let said = explain(&[]);
    assert_eq!(
        (&said["reason"], &said["treatment"], &said["would_drop"]),
        (&"blocked".into(), &"pass".into(), &true.into())
    );
    assert_eq!(list(&site, &[]).as_array().unwrap().len(), 1, "another config keeps the list");
    assert!(!site.ctl(["export"]).done()["toml"].as_str().unwrap().contains("2001:db8:c:1::2"));
}

#[test]
fn the_list_is_counted_where_state_is_shown() {
    let site = site("blockcount");
    block(&site, &["add", WEB, "2001:db8:78::/48", "--origin", "agent"]);
    block(&site, &["add", WEB, "--for", "ever"]);
    assert_eq!(site.status()["blocks"], 3);
    let metrics = site.ctl(["metrics"]).done();
    let samples = metrics["metrics"]["ssa_blocks"]["samples"].as_array().unwrap();
    let samples: Vec<_> = samples.iter().map(|sample| json!([sample["labels"]["origin"], sample["value"]])).collect();
    assert_eq!(json!(samples), json!([["operator", 1], ["detector", 0], ["agent", 2]]));
    let people = |arguments: &[&str]| Said::of(site.host.ssa_ctl(&site.pins).arg("block").args(arguments)).out;
    assert!(people(&["list"]).contains("ever    operator"), "{}", people(&["list"]));
    assert_eq!(
        people(&["add", "2001:db8:79::/48"]),
        "added 1, changed 0, removed 0, expired 0; 4 prefixes are blocked\n\
         for 1h, as nothing else was said: see --for and --until\n"
    );
    assert_eq!(
        people(&["del", WEB, "--dry-run"]),
        "to add 0, to change 0, to remove 2; 2 would be blocked then, and nothing was changed\n"
    );
    assert_eq!(people(&["del", "--all"]), "added 0, changed 0, removed 4, expired 0; 0 prefixes are blocked\n");
    assert_eq!(people(&["list"]), "nothing is blocked\n");
}

#[test]
fn to_block_takes_the_capability_to_open_maps() {
    let site = site("blockcaps");
    let through = |capabilities: &str, arguments: &[&str]| {
        let mut command = site.host.command("setpriv");
        command.arg(format!("--bounding-set=-all{capabilities}")).arg(ssa_ctl_path());
        Said::of(command.arg("--json").arg("--pin-root").arg(site.pins.path()).arg("block").args(arguments))
    };
    let error = through("", &["add", WEB]).failed(5);
    assert!(error["message"].as_str().unwrap().starts_with("CAP_BPF is missing"), "{error}");
    assert!(!error["hint"].as_str().unwrap().contains("CAP_NET_ADMIN"), "{error}");
    assert_eq!(counts(&through(",+bpf", &["add", WEB]).done())[0], 1);
    assert_eq!(shown(&through(",+bpf", &["list"]).done()).as_array().unwrap().len(), 1);
    let many: Vec<_> = (0..2000).map(|number| format!("2001:db9:{number:x}::/48\n")).collect();
    let path = site.file("many.txt", &many.concat());
    let error = through(",+bpf", &["import", path.to_str().unwrap()]).failed(5);
    assert!(error["hint"].as_str().unwrap().contains("larger maps"), "{error}");
    assert_eq!(counts(&through(",+bpf", &["del", WEB]).done())[2], 1);
    fs::remove_file(path).unwrap();
}
