//! The records of `dns zone` on name servers of others; what they say to clients of others, and to ours, out.

use std::{fmt::Write as _, fs};

use serde_json::{Value, json};
use ssa_tests::net::{Namespace, output_of};
use tempfile::TempDir;

use super::{
    expected::{MANY, TOP, ask, config, dns_zone, heard, query, records},
    name_server::{Kind, NameServer},
};

/// Every record, by two clients that are not ours.
fn says_what_was_published(kind: Kind, format: &str) {
    let (quiet, folder) = (Namespace::new("zone").unwrap(), TempDir::new().unwrap());
    let path = folder.path().join("ssa.toml");
    fs::write(&path, config()).unwrap();
    let published = records(&quiet, &path);
    assert_eq!(published.len(), 12, "four types for each of three services");
    let server = NameServer::start(kind, &(TOP.to_owned() + &dns_zone(&quiet, &path, &["--format", format])));
    for client in ["dig", "kdig"] {
        assert_eq!(heard(&server.namespace, client, &published), published, "{client}: {}", server.log());
    }

    let (code, web) = query(&server.namespace, "web.example.com", &[]);
    let expected = json!({
        "name": "web.example.com",
        "prefixes": ["2001:db8:ac10:fe01::/64", "2001:db8:ac10:fe02::/64"],
        "excluded": [],
        "unused": [],
        "prefixes_at": { "name": "_ssa.web.example.com.", "type": "APL" },
        "rule": "hash(48):14 any:*",
        "salt": null,
        "skew": 5,
        "objects": "sha256",
        "rule_at": { "name": "_ssa.web.example.com.", "type": "SVCB" },
        "key": null,
        "port": 443,
        "ttl": 300,
        "dnssec": "unchecked",
        "authenticated": false,
    });
    assert_eq!((code, web), (Some(0), expected));
    let (_, hop) = query(&server.namespace, "hop.example.com", &[]);
    let said = ["rule", "salt", "skew", "ttl", "key"].map(|key| hop[key].clone());
    let rule = "hash(48):14 mac(64,key=k1,period=30s):48 any:*";
    assert_eq!(said, [json!(rule), json!("000102030405060708090a0b0c0d0e0f"), json!(2), json!(15), json!("k1")]);
    // Servers change the order of records as they like.
    let (_, wide) = query(&server.namespace, "wide.example.com", &[]);
    assert_eq!(sorted(&wide["prefixes"]), sorted(&json!(many())));
    let (code, none) = query(&server.namespace, "ns.example.com", &[]);
    assert_eq!((code, &none["error"]["message"]), (Some(1), &json!("ns.example.com has no rule record")));
}

fn many() -> Vec<String> {
    (0..MANY).map(|number| format!("2001:db8:{:x}:{number:x}::/64", 0x1000 + number).replace(":0::", "::")).collect()
}

fn sorted(list: &Value) -> Vec<&str> {
    let mut list: Vec<_> = list.as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    list.sort_unstable();
    list
}

#[test]
fn bind_says_what_was_published() {
    says_what_was_published(Kind::Bind, "zone");
}

#[test]
fn nsd_says_what_was_published() {
    says_what_was_published(Kind::Nsd, "zone");
}

#[test]
fn knot_says_what_was_published() {
    says_what_was_published(Kind::Knot, "zone");
}

#[test]
fn powerdns_says_what_was_published() {
    says_what_was_published(Kind::PowerDns, "zone");
}

/// PowerDNS (4.7) takes that form only of types that it does not know.
#[test]
fn others_say_it_where_it_was_generic() {
    for kind in [Kind::Bind, Kind::Nsd, Kind::Knot] {
        says_what_was_published(kind, "generic");
    }
}

/// One record with them all, whose answer has no room in a datagram. NSD reads no such line.
#[test]
fn a_list_of_two_hundred_prefixes_comes_over_tcp() {
    let mut zone = TOP.to_owned();
    let many = many();
    let items = many.iter().map(|prefix| format!(" 2:{prefix}")).collect::<Vec<_>>().concat();
    write!(zone, "_ssa.one.example.com. 60 IN TXT \"v=ssa1 rule=any:*\"\n_ssa.one.example.com. 60 IN APL{items}\n")
        .unwrap();
    for kind in [Kind::Bind, Kind::Knot, Kind::PowerDns] {
        let server = NameServer::start(kind, &zone);
        let mut cut = ask(&server.namespace, "dig", "_ssa.one.example.com", "APL");
        let cut = output_of(cut.args(["+ignore", "+noall", "+comments"])).unwrap();
        let flags = cut.lines().find(|line| line.starts_with(";; flags:")).unwrap();
        assert!(flags.split([' ', ';']).any(|flag| flag == "tc"), "{kind:?}: {cut}");
        let (code, one) = query(&server.namespace, "one.example.com", &[]);
        assert_eq!((code, &one["prefixes"]), (Some(0), &json!(many)), "{kind:?}");
        assert_eq!(one["rule_at"], json!({ "name": "_ssa.one.example.com.", "type": "TXT" }));
        assert_eq!(one["ttl"], 60);
    }
}
