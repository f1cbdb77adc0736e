//! Files of source prefixes in; what `block import` says of them, and what is blocked then, out. Needs root.

use std::{fmt::Write as _, fs::File, process::Stdio, time::Duration};

use serde_json::{Value, json};
use ssa_tests::net::wait_until;

use crate::{
    blocks::{WEB, block, counts, list, site},
    site::{GOOD, Said, strict},
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
    assert_eq!(site.ctl(["block", "list"]).out, json.out.replace(&added(&json), &added(&site.ctl(["block", "list"]))));
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
    site.ctl(["block", "import", "/nowhere"]).failed(1);
    assert_eq!(list(&site, &[]), before);
    let said = import("both.txt", "192.0.2.0/24\n2001:db8:6::/48\n198.51.100.7\n", &["--skip-ipv4"]).done();
    assert_eq!((counts(&said)[0], &said["skipped_ipv4"]), (1, &2.into()));
    // From standard input; and all of an origin away.
    let path = site.file("empty.txt", "# nothing\n");
    let mut command = site.host.ssa_ctl(&site.pins);
    let command = command.args(["--json", "block", "import", "-", "--replace"]).stdin(File::open(path).unwrap());
    let output = command.stderr(Stdio::inherit()).output().unwrap();
    assert_eq!(counts(&serde_json::from_slice(&output.stdout).unwrap()), [0, 0, 3, 0, 1]);
}

/// The line of the first `added` in a list.
fn added(said: &Said) -> String {
    said.out.lines().find(|line| line.contains("\"added\"")).unwrap().to_owned()
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
