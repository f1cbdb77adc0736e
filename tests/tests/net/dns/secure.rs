//! A zone that Knot signs, and one that nobody does; what `--require-secure` takes of them out.

use std::fs;

use serde_json::json;
use ssa_tests::{
    c::Installed,
    net::{Namespace, output_of},
};
use tempfile::TempDir;

use super::{
    expected::{TOP, ZONE, ask, config, dns_zone, query},
    name_server::{Kind, NameServer},
};

/// What a Python program, which calls the library for C, makes of a name whose records must be signed.
const REQUIRE: &str = "import sys, ssa_client
try:
    service = ssa_client.Resolver('::1', ssa_client.DNSSEC_REQUIRED, sys.argv[1]).resolve('web.example.com')
    print(service.rule, service.authenticated)
except ssa_client.Failure as failure:
    print(failure.status, failure)
";

/// The zone.
pub fn zone() -> String {
    let (quiet, folder) = (Namespace::new("zone").unwrap(), TempDir::new().unwrap());
    let path = folder.path().join("ssa.toml");
    fs::write(&path, config()).unwrap();
    TOP.to_owned() + &dns_zone(&quiet, &path, &[])
}

/// A file with the keys of the signed one.
pub fn anchor(server: &NameServer) -> String {
    let keys = output_of(ask(&server.namespace, "dig", ZONE, "DNSKEY").arg("+short")).unwrap();
    let lines = keys.lines().map(|key| format!("{ZONE}. 3600 IN DNSKEY {key}\n"));
    let path = server.path().join("anchor");
    fs::write(&path, lines.collect::<String>()).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn what_is_signed_is_taken_and_what_is_not_is_refused() {
    let zone = zone();
    let signed = NameServer::signed(&zone);
    let anchor = anchor(&signed);
    let secure = ["--require-secure", "--trust-anchor", &anchor];
    for name in ["web.example.com", "wide.example.com"] {
        let (code, said) = query(&signed.namespace, name, &secure);
        assert_eq!(
            (code, &said["dnssec"], &said["authenticated"]),
            (Some(0), &json!("secure"), &json!(true)),
            "{said:#}"
        );
    }
    let (code, said) = query(&signed.namespace, "web.example.com", &["--trust-anchor", &anchor]);
    assert_eq!((code, &said["dnssec"]), (Some(0), &json!("secure")));
    // Who does not ask for signatures has what there is.
    let (code, said) = query(&signed.namespace, "web.example.com", &[]);
    assert_eq!((code, &said["dnssec"]), (Some(0), &json!("unchecked")));
    // That there is no service is proven, too.
    let (code, said) = query(&signed.namespace, "ns.example.com", &secure);
    assert_eq!((code, &said["error"]["message"]), (Some(1), &json!("ns.example.com has no rule record")));

    for unsigned in [Kind::Bind, Kind::Knot].map(|kind| NameServer::start(kind, &zone)) {
        let (code, said) = query(&unsigned.namespace, "web.example.com", &secure);
        let message = said["error"]["message"].as_str().unwrap();
        assert!(code == Some(1) && message.contains("_ssa.web.example.com. SVCB"), "{code:?} {said:#}");
        assert_eq!(query(&unsigned.namespace, "web.example.com", &[]).0, Some(0), "it is there");
    }
}

#[test]
fn programs_of_others_are_told_of_signatures_too() {
    let zone = zone();
    let (signed, unsigned) = (NameServer::signed(&zone), NameServer::start(Kind::Knot, &zone));
    let (anchor, installed) = (anchor(&signed), Installed::new().unwrap());
    let said = |server: &NameServer| {
        let mut command = server.command("python3");
        output_of(installed.for_python(command.args(["-c", REQUIRE, &anchor]))).unwrap()
    };
    assert_eq!(said(&signed), "hash(48):14 any:* True\n");
    let refused = said(&unsigned);
    let (status, message) = refused.split_once(' ').unwrap();
    assert!(["8", "9"].contains(&status) && message.contains("_ssa.web.example.com. SVCB"), "{refused}");
}

#[test]
fn signatures_by_other_keys_are_refused() {
    let zone = zone();
    let (one, other) = (NameServer::signed(&zone), NameServer::signed(&zone));
    let anchor = anchor(&other);
    let (code, said) = query(&one.namespace, "web.example.com", &["--require-secure", "--trust-anchor", &anchor]);
    assert_eq!(code, Some(1), "{said:#}");
    assert!(said["error"]["message"].as_str().unwrap().contains("_ssa.web.example.com. SVCB"), "{said:#}");
    assert_eq!(query(&other.namespace, "web.example.com", &["--require-secure", "--trust-anchor", &anchor]).0, Some(0));
}

#[test]
fn trust_anchors_are_keys() {
    let (namespace, folder) = (Namespace::new("anchor").unwrap(), TempDir::new().unwrap());
    let path = folder.path().join("anchor");
    let refused = |path: &str| {
        let (code, said) = query(&namespace, "web.example.com", &["--trust-anchor", path]);
        assert_eq!(code, Some(2), "{said:#}");
        assert!(said["error"]["hint"].as_str().unwrap().contains("IN DNSKEY"), "{said:#}");
        said["error"]["message"].as_str().unwrap().to_owned()
    };
    let other = "something else than DNSKEY records";
    for (text, words) in
        [("hello\n", other), ("example.com. 3600 IN TXT \"x\"\n", other), ("", "it has no DNSKEY record")]
    {
        fs::write(&path, text).unwrap();
        let message = refused(path.to_str().unwrap());
        assert!(message.contains(words), "{message}");
    }
    assert!(refused("/dev/zero").contains("not a regular file"));
}
