//! Services in; what `connect` says where there is nothing to connect to out. Ring `net` has services that answer.

use std::fs;

use serde_json::Value;
use ssa_tests::ssa_ctl;
use tempfile::TempDir;

/// The code, the message and the hint of the failure.
fn failed(arguments: &[&str], code: i32) -> [String; 2] {
    let output = ssa_ctl().args(["--json", "connect"]).args(arguments).assert().code(code).get_output().clone();
    let object: Value = serde_json::from_slice(&output.stdout).unwrap();
    ["message", "hint"].map(|key| object["error"][key].as_str().unwrap_or_default().to_owned())
}

/// A config of two services, `plain` and `held`, for which an object and a replica are to be chosen.
fn config(folder: &TempDir) -> String {
    let path = folder.path().join("filter.toml");
    let service = |name: &str, prefix: &str, rule: &str| {
        format!("[[service]]\nname = \"{name}\"\nprefixes = [\"{prefix}\"]\nrule = \"{rule}\"\n")
    };
    let plain = service("plain", "2001:db8:1::/64", "any:*");
    let held = service("held", "2001:db8:2::/64", "replica(3):2 object(0):62");
    fs::write(&path, format!("version = 1\n{plain}{held}")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn what_is_missing_is_said_before_anybody_is_called() {
    let folder = TempDir::new().unwrap();
    let config = config(&folder);
    let [message, hint] = failed(&["plain", "--config", &config], 2);
    assert_eq!([message.as_str(), &hint], ["nobody says on which port plain is", "add --port PORT"]);
    let [message, _] = failed(&["nobody", "--config", &config, "--port", "1"], 2);
    assert!(message.contains("nobody"), "{message}");
    let held = ["held", "--config", &config, "--port", "1"];
    let [_, hint] = failed(&held, 2);
    assert_eq!(hint, "add --object ID");
    let [message, hint] = failed(&[&held[..], &["--udp", "--object", "7", "--replica", "3"]].concat(), 2);
    assert_eq!(message, "no address of held can be computed: the rule has replicas 0 to 2");
    assert_eq!(hint, "choose one with --replica R");
    let [message, hint] = failed(&["a..b", "--port", "1", "--server", "[::1]:9"], 2);
    assert!(message.starts_with("`a..b` is not a DNS name"), "{message}");
    assert_eq!(hint, "write a name such as svc.example.com");
}

#[test]
fn what_a_file_says_is_not_asked_of_dns() {
    let folder = TempDir::new().unwrap();
    let config = config(&folder);
    for other in [&["--server", "::1"][..], &["--require-secure"], &["--key", "1:k"], &["--trust-anchor", "file"]] {
        let [message, _] = failed(&[&["plain", "--config", &config][..], other].concat(), 2);
        assert!(message.contains("--config <FILE>") && message.contains(other[0]), "{message}");
    }
    for wrong in ["k", "-1:k", "x:k"] {
        failed(&["plain", &format!("--key={wrong}")], 2);
    }
}
