//! Configs and address pairs in; what `explain --config` says of them out, with nothing loaded and no privilege.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use serde_json::Value;
use ssa_tests::ssa_ctl;
use tempfile::TempDir;

const CONFIG: &str = r#"
version = 1
[[service]]
name = "web"
prefixes = ["2001:db8:a::/64"]
rule = "src(16):12 any:*"
slice_bits = 12
allow = ["tcp/443", "icmpv6"]
[[service]]
name = "audit"
prefixes = ["2001:db8:b::/64"]
rule = "src(16):12 any:*"
enforce = "off"
[[service]]
name = "low"
prefixes = ["2001:db8:c::/64"]
rule = "src(16):12 any:*"
on_mismatch = "lowprio"
deny_source_in_service = true
[[service]]
name = "token"
prefixes = ["2001:db8:d::/64"]
rule = "any:16 mac(48,key=k1,period=30s):48"
[[service.keys]]
name = "k1"
number = 1
file = "k1.key"
[[service]]
name = "turned"
prefixes = ["2001:db8:e::/48"]
rule = "src(16):12 any:*"
previous = { rule = "const(0x7):12 any:*", until = 1700000000 }
"#;

/// Bits 16 to 27 of this source are 0x0db.
const SOURCE: &str = "2001:db8:1:2::3";

struct Host {
    folder: TempDir,
}

impl Host {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("ssa.toml"), CONFIG).unwrap();
        let key = folder.path().join("k1.key");
        fs::write(&key, "00112233445566778899aabbccddeeff\n").unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        Self { folder }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("ssa.toml")
    }

    fn explain(&self, source: &str, destination: &str, arguments: &[&str]) -> Value {
        let mut command = ssa_ctl();
        command.args(["explain", "--json", source, destination, "--config"]).arg(self.config()).args(arguments);
        serde_json::from_slice(&command.assert().success().get_output().stdout).unwrap()
    }

    fn address(&self, service: &str, at: &str) -> String {
        let mut command = ssa_ctl();
        command.args(["address", service, "--from", SOURCE, "--at", at, "--config"]).arg(self.config());
        String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap().trim().to_owned()
    }
}

fn verdict(object: &Value) -> [&str; 4] {
    ["service", "reason", "class", "treatment"].map(|key| object[key].as_str().unwrap_or("null"))
}

#[test]
fn verdicts_are_those_of_the_law() {
    let host = Host::new();
    let cases: &[(&str, &str, &[&str], [&str; 4])] = &[
        (SOURCE, "2001:db8:a:0:0db0::1", &[], ["web", "conform", "good", "pass"]),
        (SOURCE, "2001:db8:a:0:0dc0::1", &[], ["web", "field-mismatch", "reject", "drop"]),
        (SOURCE, "2001:db8:a:0:0db0::1", &["--proto", "tcp/80"], ["web", "protocol", "reject", "drop"]),
        (SOURCE, "2001:db8:a:0:0db0::1", &["--proto", "udp/443"], ["web", "protocol", "reject", "drop"]),
        (SOURCE, "2001:db8:a:0:0db0::1", &["--proto", "icmpv6"], ["web", "conform", "good", "pass"]),
        (SOURCE, "2001:db8:a:0:0db0::1", &["--proto", "47"], ["web", "protocol", "reject", "drop"]),
        ("::1", "2001:db8:a:0:0db0::1", &[], ["web", "bad-source", "reject", "drop"]),
        ("fe80::1", "2001:db8:a:0:0db0::1", &[], ["web", "bad-source", "reject", "drop"]),
        (SOURCE, "2001:db8:b:0:0dc0::1", &[], ["audit", "field-mismatch", "reject", "pass"]),
        (SOURCE, "2001:db8:c:0:0dc0::1", &[], ["low", "field-mismatch", "suspect", "lowprio"]),
        ("2001:db8:a::1", "2001:db8:c:0:0db0::1", &[], ["low", "bad-source", "reject", "drop"]),
        (SOURCE, "2001:db8:f::1", &[], ["null", "other", "good", "pass"]),
        (SOURCE, "2001:db8:e:0070::1", &["--at", "1699999999"], ["turned", "conform", "good", "pass"]),
        (SOURCE, "2001:db8:e:0070::1", &["--at", "1700000000"], ["turned", "field-mismatch", "reject", "drop"]),
    ];
    for (source, destination, arguments, expected) in cases {
        let object = host.explain(source, destination, arguments);
        assert_eq!(verdict(&object), *expected, "{source} {destination} {arguments:?}: {object:#}");
        assert_eq!(
            (&object["kernel"], &object["agree"], &object["endpoint"]),
            (&Value::Null, &Value::Null, &Value::Null)
        );
    }
}

#[test]
fn fields_and_slice_are_shown() {
    let host = Host::new();
    let object = host.explain(SOURCE, "2001:db8:a:0:0dc0::1", &[]);
    assert_eq!((object["slice"].as_u64(), object["would_drop"].as_bool()), (Some(0x0dc), Some(false)));
    let field = &object["fields"][0];
    let [name, expected, found] = ["field", "expected", "found"].map(|key| field[key].as_str().unwrap());
    assert_eq!([name, expected, found], ["src(16):12", "0x0db", "0x0dc"]);
    assert_eq!(object["fields"].as_array().unwrap().len(), 2);
    assert_eq!((&object["fields"][0]["ok"], &object["fields"][1]["ok"]), (&false.into(), &true.into()));
    assert_eq!(host.explain(SOURCE, "2001:db8:b:0:0dc0::1", &[])["would_drop"], true);
    assert!(host.explain(SOURCE, "2001:db8:b::", &[])["slice"].is_null());
}

#[test]
fn the_epoch_of_a_token_is_found() {
    let host = Host::new();
    let address = host.address("token", "1700000000");
    let now = host.explain(SOURCE, &address, &["--at", "1700000000"]);
    assert_eq!(verdict(&now), ["token", "conform", "good", "pass"]);
    let late = host.explain(SOURCE, &address, &["--at", "1700000300"]);
    assert_eq!(verdict(&late), ["token", "mac-mismatch", "reject", "drop"]);
    for object in [now, late] {
        let epoch = &object["fields"][1]["epoch"];
        assert_eq!([&epoch["number"], &epoch["from"]], [56_666_666, 1_699_999_980], "{object:#}");
    }
}

#[test]
fn the_rule_that_decided_is_the_one_shown() {
    let host = Host::new();
    let at = |time| host.explain(SOURCE, "2001:db8:e:0070::1", &["--at", time]);
    let (before, after) = (at("1699999999"), at("1700000000"));
    assert_eq!((&before["rule"], &before["fields"][0]["field"]), (&"previous".into(), &"const(0x7):12".into()));
    assert_eq!((&after["rule"], &after["fields"][0]["field"]), (&"current".into(), &"src(16):12".into()));
}

#[test]
fn people_read_a_table() {
    let host = Host::new();
    let mut command = ssa_ctl();
    command.args(["explain", SOURCE, "2001:db8:a:0:0dc0::1", "--config"]).arg(host.config());
    let output = command.assert().success().get_output().clone();
    let text = String::from_utf8(output.stdout).unwrap();
    for words in ["field-mismatch", "drop", "slice      220", "src(16):12", "0x0db", "0x0dc", "NO"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}
