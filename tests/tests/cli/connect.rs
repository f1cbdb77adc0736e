//! Services in; what `connect` says where there is nothing to connect to out. Ring `net` has services that answer.

use std::{fs, io::ErrorKind, net::UdpSocket};

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
fn what_is_no_name_of_a_service_is_asked_of_nobody() {
    // Whoever asked would wait: it says nothing.
    let silent = UdpSocket::bind("[::1]:0").unwrap();
    let server = silent.local_addr().unwrap().to_string();
    for (name, words) in
        [("", "below the root"), (".", "below the root"), ("::1", "address"), ("a b", "`a b` is no label")]
    {
        for command in [&["connect", "--port", "1"][..], &["dns", "query"]] {
            let arguments = [&["--json"], command, &["--server", &server, "--", name]].concat();
            let output = ssa_ctl().args(arguments).assert().code(2).get_output().clone();
            let said: Value = serde_json::from_slice(&output.stdout).unwrap();
            let message = said["error"]["message"].as_str().unwrap();
            assert!(message.contains(words) && !message.contains("Err("), "{message}");
        }
    }
    silent.set_nonblocking(true).unwrap();
    assert_eq!(silent.recv(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn the_time_to_connect_is_that_of_dns_too() {
    let silent = UdpSocket::bind("[::1]:0").unwrap();
    let server = silent.local_addr().unwrap().to_string();
    let [message, hint] = failed(&["svc.example", "--port", "1", "--timeout", "1s", "--server", &server], 1);
    assert_eq!(message, "DNS has not said within 1 s where svc.example is");
    assert!(hint.contains("--timeout"), "{hint}");
}

#[test]
fn ports_that_nobody_has_are_refused() {
    for server in ["::1#0", "[::1]:0"] {
        failed(&["svc.example", "--server", server], 2);
    }
    let zone = |port: &str| ["--json", "dns", "zone", "--zone", "example.com", "--port", port].map(str::to_owned);
    for port in ["0", "web=0", "65536", "-1"] {
        let output = ssa_ctl().args(zone(port)).assert().code(2).get_output().clone();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(port == "-1" || said.contains("a port is 1 to 65535, and `none` says"), "{port}: {said}");
    }
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
