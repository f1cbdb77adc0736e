//! Services and sources in; the addresses that `address` computes, which the rule takes, out.

use std::{fs, net::Ipv6Addr, path::Path};

use ipnet::Ipv6Net;
use serde_json::Value;
use ssa_common::{
    rule::{Rule, Secrets},
    verdict::Reason,
};
use ssa_tests::ssa_ctl;
use tempfile::TempDir;

const SOURCE: &str = "2001:db8:1:2::3";
const PREFIXES: [&str; 2] = ["2001:db8:ac10:fe01::/64", "2001:db8:ac11::/56"];
const KEY: &str = "00112233445566778899aabbccddeeff";

/// A folder with a config of one service and a key.
fn folder(rule: &str) -> TempDir {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let keys =
        if rule.contains("key=k1") { "[[service.keys]]\nname = \"k1\"\nnumber = 7\nfile = \"k1.key\"\n" } else { "" };
    let config =
        format!("version = 1\n[[service]]\nname = \"web\"\nprefixes = {PREFIXES:?}\nrule = \"{rule}\"\n{keys}");
    fs::write(folder.path().join("web.toml"), config).unwrap();
    fs::write(folder.path().join("k1.key"), KEY).unwrap();
    fs::set_permissions(folder.path().join("k1.key"), fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

fn address(folder: &Path, arguments: &[&str]) -> assert_cmd::assert::Assert {
    let config = folder.join("web.toml");
    ssa_ctl().args(["address", "--from", SOURCE, "--config"]).arg(config).args(arguments).assert()
}

fn object(assert: &assert_cmd::assert::Assert) -> Value {
    serde_json::from_slice(&assert.get_output().stdout).unwrap()
}

fn conforms(rule: &str, prefix: &str, address: Ipv6Addr, at: u64) -> Reason {
    let ring = [ssa_common::rule::Key { number: 7, secret: u128::from_str_radix(KEY, 16).unwrap().to_be_bytes() }];
    let prefix: Ipv6Net = prefix.parse().unwrap();
    let rule: Rule = rule.parse().unwrap();
    let placed = rule.place(prefix.network().to_bits(), prefix.prefix_len()).unwrap();
    let source: Ipv6Addr = SOURCE.parse().unwrap();
    placed.compile(&Secrets { salt: [0; 16], ring: &ring }, 5).conforms(source.to_bits(), address.to_bits(), at)
}

#[test]
fn addresses_conform_and_take_turns_over_the_prefixes() {
    let rules = [
        "any:*",
        "src(0):48 any:*",
        "hash(48):12 any:*",
        "hash(48):14 mac(64,key=k1,period=30s):50 any:*",
        "keyid:4 any:12 mac(128,key=k1):48 any:*",
        "object(0):16 replica(3):2 any:*",
        "any:8 pow(48,zeros=8,period=1m):56 any:*",
    ];
    for rule in rules {
        let folder = folder(rule);
        let wanted = ["--json", "web", "--at", "1700000000", "-n", "5", "--object", "cat", "--replica", "2"];
        let object = object(&address(folder.path(), &wanted).success());
        assert_eq!((&object["service"], &object["source"]), (&"web".into(), &SOURCE.into()));
        let addresses = object["addresses"].as_array().unwrap();
        assert_eq!(addresses.len(), 5);
        for (address, prefix) in addresses.iter().zip(PREFIXES.iter().cycle()) {
            let address: Ipv6Addr = address.as_str().unwrap().parse().unwrap();
            assert_eq!(conforms(rule, prefix, address, 1_700_000_000), Reason::Conform, "{rule}: {address}");
        }
    }
}

#[test]
fn one_address_is_a_line_of_the_first_prefix() {
    let folder = folder("src(0):64 any:*");
    let output = address(folder.path(), &["web"]).success().get_output().clone();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "2001:db8:ac10:fe01:2001:db8:1:2\n");
    assert!(output.stderr.is_empty());
}

#[test]
fn what_the_rule_needs_must_be_said() {
    let folder = folder("object(0):16 replica(3):2 any:*");
    let cases = [
        (vec!["web"], 2, "object", "--object"),
        (vec!["web", "--object", "1", "--replica", "3"], 2, "replicas 0 to 2", "--replica"),
        (vec!["www"], 2, "no service named www", "web"),
        (vec!["web", "-n", "0"], 2, "0", ""),
        (vec!["web", "--object", "0x12"], 2, "32 hexadecimal digits", ""),
    ];
    for (arguments, code, message, hint) in cases {
        let object = object(&address(folder.path(), &[&arguments[..], &["--json"]].concat()).code(code));
        let said = |key: &str| object["error"][key].as_str().unwrap_or_default().to_owned();
        assert!(said("message").contains(message) && said("hint").contains(hint), "{object}");
    }
}

#[test]
fn a_key_that_cannot_be_used_is_shown_in_the_config() {
    let folder = folder("mac(64,key=k1):48 any:*");
    fs::remove_file(folder.path().join("k1.key")).unwrap();
    let output = address(folder.path(), &["web"]).code(2).get_output().clone();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("web.toml:9:8") && text.contains("does not exist"), "{text}");
}
