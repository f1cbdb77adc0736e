//! Files of source prefixes in; what `block import` says of them, and what is blocked then, out. Needs root.

use std::{fmt::Write as _, fs::File, process::Stdio, time::Duration};

use serde_json::{Value, json};
use ssa_tests::net::wait_until;

use crate::{
    blocks::{WEB, block, counts, list, site},
    site::{GOOD, strict},
    traffic::Wire,
};

#[test]
fn files_are_imported_whole_or_not_at_all() {
    let site = site("blockfile");
    let import = |name: &str, text: &str, more: &[&str]| {
        let path = site.file(name, text);
        site.ctl([&["block", "import", path.to_str().unwrap()], more].concat())
    };
    let text = "; a list\n\n2001:db8:1::/48 # first\n 2001:db8:2::1\t; second one \n2001:db8:3::/64\n2001:db8:3::/64 # again\n";
    let said = import("list.txt", text, &["--for", "ever"]).done();
    assert_eq!(counts(&said), [3, 0, 0, 0, 3]);
    let want = json!([
        ["2001:db8:1::/48", true, "operator", "first"],
        ["2001:db8:2::1/128", true, "operator", "second one"],
        ["2001:db8:3::/64", true, "operator", "again"],
    ]);
    assert_eq!(list(&site, &[]), want);
    // What is listed can be imported, and is then the same.
    block(&site, &["add", "2001:db8:4::/48", "--origin", "agent", "--for", "ever", "--reason", "for \"all\""]);
    let json = site.ctl(["block", "list"]);
    assert_eq!(counts(&import("list.json", &json.out, &[]).done()), [0, 0, 0, 0, 4]);
    block(&site, &["del", "--all"]);
    assert_eq!(counts(&import("list.json", &json.out, &["--replace"]).done()), [4, 0, 0, 0, 4]);
    assert_eq!(site.ctl(["block", "list"]).out, json.out, "with when it was added");
    // One origin's are replaced, with one reason for all.
    let said = import("new.txt", "2001:db8:2::1\n2001:db8:5::/48 # five\n", &["--replace", "--reason", "one"]).done();
    assert_eq!(counts(&said), [1, 1, 2, 0, 3]);
    assert_eq!(list(&site, &["--origin", "agent"]).as_array().unwrap().len(), 1);
    assert_eq!(list(&site, &["--origin", "operator"])[1], json!(["2001:db8:5::/48", false, "operator", "one"]));

    let before = list(&site, &[]);
    let mut wrong = "2001:db8:6::/48\n192.0.2.0/24\nnonsense\n2001:db8::1/48 # host bits\n".to_owned();
    let message = import("wrong.txt", &wrong, &["--replace"]).message(2);
    for part in ["3 lines are wrong", "line 2: `192.0.2.0/24` is IPv4: say --skip-ipv4", "line 3: ", "line 4: "] {
        assert!(message.contains(part), "{message}");
    }
    for number in 0..30 {
        writeln!(wrong, "bad{number}").unwrap();
    }
    let message = import("wrong.txt", &wrong, &[]).message(2);
    assert!(message.contains("33 lines are wrong") && message.contains("and 13 more"), "{message}");
    let reason = format!("2001:db8:6::/48 # {}\n", "x".repeat(129));
    assert!(import("long.txt", &reason, &[]).message(2).contains("--reason TEXT for all lines"));
    assert!(import("bad.json", "{\"blocks\": [{}]}", &[]).message(2).contains("is no block list"));
    assert!(import("bad.json", "{\"blocks\": [{\"prefix\": \"::/0\"}]}", &[]).message(2).contains("entry 1"));
    site.ctl(["block", "import", "/nowhere"]).failed(2);
    assert_eq!(list(&site, &[]), before);
    let said = import("both.txt", "192.0.2.0/24\n2001:db8:6::/48\n198.51.100.7\n", &["--skip-ipv4"]).done();
    assert_eq!((counts(&said)[0], &said["skipped_ipv4"]), (1, &2.into()));
    // From standard input; and all of an origin away.
    let path = site.file("empty.txt", "# nothing\n");
    let mut command = site.host.ssa_ctl(&site.pins);
    let command =
        command.args(["--json", "block", "import", "-", "--replace", "--allow-empty"]).stdin(File::open(path).unwrap());
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert_eq!(counts(&serde_json::from_slice(&output.stdout).unwrap()), [0, 0, 3, 0, 1]);
}

#[test]
fn a_list_is_kept_until_it_was_to_end() {
    let site = site("blockkept");
    block(&site, &["add", WEB, "--for", "10m", "--reason", "kept"]);
    block(&site, &["add", "2001:db8:78::/48", "--until", "2099-01-01T00:00:00Z"]);
    let kept = site.ctl(["block", "list"]);
    let said = kept.json();
    let number = |key: &str| said["blocks"][0][key].as_u64().unwrap();
    assert!((500..=601).contains(&(number("until") - number("added"))), "{said}");
    assert_eq!(said["blocks"][1]["until"], 4_070_908_800_u64);
    let path = site.file("kept.json", &kept.out);
    let import = ["import", path.to_str().unwrap()];
    assert_eq!(block(&site, &import), [0, 0, 0, 0, 2], "it is what there is");
    block(&site, &["del", "--all"]);
    assert_eq!(block(&site, &import), [2, 0, 0, 0, 2]);
    let again = site.ctl(["block", "list"]).json();
    for (one, other) in said["blocks"].as_array().unwrap().iter().zip(again["blocks"].as_array().unwrap()) {
        for key in ["prefix", "until", "added", "origin", "reason"] {
            assert_eq!(one[key], other[key], "{key}");
        }
    }
    // What is over is left out, and told.
    let text = kept.out.replace(&number("until").to_string(), "1700000000");
    let path = site.file("over.json", &text);
    block(&site, &["del", "--all"]);
    assert_eq!(block(&site, &["import", path.to_str().unwrap()]), [1, 0, 0, 1, 1]);
}

#[test]
fn no_file_takes_all_memory_or_empties_a_list_by_mistake() {
    let site = site("blockodd");
    block(&site, &["add", WEB, "--for", "ever"]);
    let before = list(&site, &[]);
    let import = |text: &str, more: &[&str]| {
        let path = site.file("odd", text);
        site.ctl([&["block", "import", path.to_str().unwrap()], more].concat())
    };
    assert!(site.ctl(["block", "import", "/dev/zero"]).message(2).contains("more than 32 MiB"));
    let many: String = (0..=100_000).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "2001:db9:{:x}:{:x}::/64", number >> 8, number & 0xff);
        text
    });
    assert!(import(&many, &[]).message(2).contains("more than 100000 prefixes"));
    let long = "z".repeat(1 << 20);
    assert!(import(&long, &[]).message(2).len() < 300);
    for empty in ["", "# nothing\n", "{\"blocks\": []}", "192.0.2.0/24\n"] {
        let error = import(empty, &["--replace", "--skip-ipv4"]).failed(2);
        assert!(error["message"].as_str().unwrap().contains("has no prefix"), "{error}");
        assert!(error["hint"].as_str().unwrap().contains("--allow-empty"), "{error}");
    }
    for (text, said) in [
        ("2001:db8:8::/48,spam", "line 1: `2001:db8:8::/48,spam` is more than a prefix: write one prefix a line"),
        ("::1/128 x\n2001:db8:c:1::1\n", "line 1: "),
        (
            "2001:db8:9::/48\n2001:db8:c:1::1\n",
            "line 2: 2001:db8:c:1::1/128 covers 2001:db8:c:1::1, an address of this host",
        ),
        ("{\"blocks\": [{\"prefix\": \"2001:db8:9::/48\", \"deadline\": 5}]}", "entry 1: 2001:db8:9::/48: `deadline`"),
        (
            "{\"blocks\": [{\"prefix\": \"2001:db8:9::/48\", \"seconds\": 0}]}",
            "entry 1: 2001:db8:9::/48: `seconds` is 1",
        ),
    ] {
        let message = import(text, &[]).message(2);
        assert!(message.contains(said), "{message}");
    }
    assert_eq!(list(&site, &[]), before);
    // Files of other systems are read.
    assert_eq!(counts(&import("\u{feff}2001:db8:9::/48 # one\r\n2001:db8:a0::/48\r\n", &[]).done())[0], 2);
    assert_eq!(list(&site, &[])[0], json!(["2001:db8:9::/48", false, "operator", "one"]));
    assert_eq!(counts(&import("", &["--replace", "--allow-empty"]).done()), [0, 0, 3, 0, 0]);
}

#[test]
fn a_long_list_takes_larger_maps_and_loses_no_count() {
    let site = site("blockmany");
    let wire = Wire::new(&site);
    for _ in 0..7 {
        wire.send(&wire.datagram(GOOD, &[], "")).unwrap();
    }
    let conforming = || site.packets(&["reasons", "conform"]);
    wait_until("frames to be counted", Duration::from_secs(5), || conforming() == 7).unwrap();
    let before = site.status();
    let text: String = (0..100_000).fold(String::new(), |mut text, number| {
        let _ = writeln!(text, "2001:db9:{:x}:{:x}::/{}", number >> 8, number & 0xff, [64, 72, 80][number % 3]);
        text
    });
    let path = site.file("many.txt", &text);
    let import = ["import", path.to_str().unwrap(), "--origin", "agent"];
    assert_eq!(block(&site, &import), [100_000, 0, 0, 0, 100_000]);
    let status = site.status();
    assert_eq!((&status["blocks"], conforming()), (&100_000.into(), 7));
    assert_eq!(status["interfaces"][0]["link_id"], before["interfaces"][0]["link_id"]);
    assert_eq!((&status["generation"], &status["program"]["build"]), (&before["generation"], &"current".into()));
    let octets = |status: &Value| status["memory"]["maps_bytes"].as_u64().unwrap();
    assert!(octets(&status) - octets(&before) < 12 << 20, "{status}");
    assert_eq!(site.apply(&strict()).done()["changed"], false, "the list is no change of the config");
    assert_eq!(list(&site, &["--source", "2001:db9:0:5::1"])[0][0], "2001:db9:0:5::/80");
    assert!(site.ctl(["block", "add", WEB]).message(2).contains("100001 prefixes"));
    // Larger maps for another reason: the list comes along.
    let more: String = (0..300).fold(strict(), |mut text, number| {
        let _ = write!(
            text,
            "[[service]]\nname = \"n{number}\"\nprefixes = [\"2001:db8:e:{number:x}::/64\"]\nrule = \"any:*\"\n"
        );
        text
    });
    assert_eq!(site.apply(&more).done()["steps"][0]["step"], "grow");
    assert_eq!(site.status()["blocks"], 100_000);
    assert_eq!(block(&site, &["del", "--all"]), [0, 0, 100_000, 0, 0]);
    site.ctl(["down"]).done();
    site.apply(&strict()).done();
    assert_eq!(list(&site, &[]), json!([]));
}
