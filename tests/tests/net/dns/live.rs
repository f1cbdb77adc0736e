//! `dns serve` of a running config and of a file; what clients hear of it, before and after changes, out.

use std::{fs, path::Path};

use rustix::process::Signal;
use serde_json::json;
use ssa_tests::net::{Namespace, output_of};
use tempfile::TempDir;

use super::{
    expected::{MANY, ZONE, ask, config, heard, query, records},
    serving::Serving,
};
use crate::site::{Site, strict};

const LISTEN: [&str; 6] = ["dns", "serve", "--zone", ZONE, "--listen", "[::1]:53"];

#[test]
fn a_server_of_ours_says_what_is_published_and_follows_its_file() {
    let (namespace, folder) = (Namespace::new("serve").unwrap(), TempDir::new().unwrap());
    let path = folder.path().join("ssa.toml");
    fs::write(&path, config()).unwrap();
    let mut serving = Serving::zone(&namespace, Path::new("unused"), "[::1]:53", &["--config", path.to_str().unwrap()]);
    assert!(serving.begin.starts_with("serving example.com. at [::1]:53, serial "), "{}", serving.begin);
    let published = records(&namespace, &path);
    for client in ["dig", "kdig"] {
        assert_eq!(heard(&namespace, client, &published), published, "{client}");
    }
    let (code, wide) = query(&namespace, "wide.example.com", &[]);
    assert_eq!((code, wide["prefixes"].as_array().unwrap().len()), (Some(0), MANY));
    // Whatever room is offered, an answer over UDP is not a large one.
    let mut cut = ask(&namespace, "dig", "_ssa.wide.example.com", "APL");
    let cut = output_of(cut.args(["+ignore", "+noall", "+comments", "+stats", "+bufsize=65000"])).unwrap();
    assert!(cut.lines().any(|line| line.starts_with(";; flags:") && line.contains(" tc ")), "{cut}");
    let octets: usize = cut.lines().find_map(|line| line.strip_prefix(";; MSG SIZE  rcvd: ")).unwrap().parse().unwrap();
    assert!(octets <= 1232, "{octets}");

    // A zone with a SOA and a server of its own, and nothing besides.
    let soa = output_of(ask(&namespace, "dig", ZONE, "SOA").arg("+short")).unwrap();
    assert!(soa.starts_with("ns.example.com. hostmaster.example.com. "), "{soa}");
    assert_eq!(output_of(ask(&namespace, "dig", "ns.example.com", "AAAA").arg("+short")).unwrap(), "::1\n");
    for (name, kind, status) in [
        ("mail.example.com", "AAAA", "NXDOMAIN"),
        ("web.example.com", "TXT", "NOERROR"),
        ("example.org", "SOA", "REFUSED"),
        (ZONE, "AXFR", "REFUSED"),
    ] {
        let answer = output_of(ask(&namespace, "kdig", name, kind).arg("+noall").arg("+header")).unwrap_or_default();
        let refused = status == "REFUSED" && !answer.contains("NOERROR");
        assert!(answer.contains(status) || refused, "{name} {kind}: {answer}");
    }

    // It looks once a second; one that is wrong changes nothing.
    fs::write(&path, config().replace("skew = 2", "skew = 3")).unwrap();
    assert!(serving.line().starts_with("serving another config, serial "));
    assert_eq!(query(&namespace, "hop.example.com", &[]).1["skew"], 3);
    fs::write(&path, "garbage").unwrap();
    let line = serving.line();
    assert!(line.starts_with("warning: ") && line.ends_with("answers stay as they were"), "{line}");
    assert_eq!(query(&namespace, "hop.example.com", &[]).1["skew"], 3);
    fs::write(&path, config()).unwrap();
    assert!(serving.line().starts_with("serving another config, serial "));
    assert_eq!(query(&namespace, "hop.example.com", &[]).1["skew"], 2);
    serving.signal(Signal::HUP);
    assert!(serving.line().starts_with("serving another config, serial "), "asked to, it looks whatever there is");
    serving.end();
}

#[test]
fn a_server_of_ours_follows_what_is_in_force() {
    let site = Site::new("serve");
    let unloaded = site.ctl(LISTEN);
    assert_eq!(unloaded.code, Some(4), "{}", unloaded.out);
    site.apply(&strict()).done();
    let mut serving = Serving::zone(&site.host, site.pins.path(), "[::1]:53", &["--name", "web=www"]);
    let (code, www) = query(&site.host, "www.example.com", &[]);
    assert_eq!((code, &www["rule"]), (Some(0), &json!("src(0):64")));
    site.apply(&strict().replace("src(0):64", "any:64")).done();
    assert!(serving.line().starts_with("serving another config, serial "));
    assert_eq!(query(&site.host, "www.example.com", &[]).1["rule"], "any:64");
    let taken = site.ctl(LISTEN);
    assert_eq!(taken.code, Some(1));
    assert!(taken.out.contains("cannot listen at [::1]:53"), "{}", taken.out);
    // What is not in force any more is still what clients had better believe.
    site.ctl(["down"]).done();
    let line = serving.line();
    assert!(line.ends_with("answers stay as they were"), "{line}");
    assert_eq!(query(&site.host, "www.example.com", &[]).1["rule"], "any:64");
    serving.end();
}
