//! Configs with keys in; what `issue` gives out and refuses, once and over HTTP on loopback, and that no key is in any of it, out.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::Value;
use ssa_tests::{
    net::{Running, wait_until},
    ssa_ctl, ssa_ctl_path,
};
use tempfile::TempDir;

const KEY: &str = "00112233445566778899aabbccddeeff";
const OTHER: &str = "8899aabbccddeeff0011223344556677";
const SOURCE: &str = "2001:db8:77:1::5";
const LONGEST: Duration = Duration::from_secs(20);
/// All bits are of the key, so that one source has one address.
const RULE: &str = "mac(64,key=k1):64";

fn write_key(folder: &Path, key: &str) {
    // Aside, and renamed: whoever reads it finds a whole one.
    let (aside, path) = (folder.join("aside"), folder.join("k1.key"));
    fs::write(&aside, key).unwrap();
    fs::set_permissions(&aside, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(aside, path).unwrap();
}

fn folder(rule: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    write_key(folder.path(), KEY);
    let keys = "[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"k1.key\"\n";
    let service = "[[service]]\nname = \"web\"\nprefixes = [\"2001:db8:a::/64\"]\n";
    let more = "[[service]]\nname = \"plain\"\nprefixes = [\"2001:db8:b::/64\"]\nrule = \"src(0):64\"\n";
    fs::write(config(&folder), format!("version = 1\n{service}rule = \"{rule}\"\n{keys}{more}")).unwrap();
    folder
}

fn config(folder: &TempDir) -> PathBuf {
    folder.path().join("filter.toml")
}

/// A run; its object, and all that it said. The key must not be in it.
fn said(folder: &TempDir, command: &str, arguments: &[&str], code: i32) -> Value {
    let mut run = ssa_ctl();
    run.args(["--json", "-vvv", command]).args(arguments).arg("--config").arg(config(folder));
    let output = run.assert().code(code).get_output().clone();
    let all = [output.stdout.clone(), output.stderr].concat();
    keyless(&String::from_utf8(all).unwrap());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn keyless(text: &str) {
    let text = text.to_lowercase();
    for key in [KEY, OTHER] {
        // As a whole, and each half of it.
        assert!(!text.contains(&key[..16]) && !text.contains(&key[16..]), "{text}");
    }
}

#[test]
fn what_is_given_is_what_the_source_computes() {
    let folder = folder("any:16 mac(48,key=k1,period=30s):48");
    let given = said(&folder, "issue", &["web", "--from", SOURCE, "-n", "3"], 0);
    assert_eq!((&given["service"], &given["source"]), (&"web".into(), &SOURCE.into()));
    let until = given["valid_until"].as_u64().unwrap();
    assert_eq!(until % 30, 5, "the skew after the end of an epoch");
    let at = (until - 6).to_string();
    let addresses = given["addresses"].as_array().unwrap();
    assert_eq!(addresses.len(), 3);
    for address in addresses {
        let judged = |source: &str| said(&folder, "explain", &[source, address.as_str().unwrap(), "--at", &at], 0);
        assert_eq!(judged(SOURCE)["reason"], "conform");
        assert_eq!(judged("2001:db8:78::5")["reason"], "mac-mismatch");
        // From the whole prefix that the rule looks at.
        assert_eq!(judged("2001:db8:77:ffff::9")["reason"], "conform");
    }
    let of_prefix = said(&folder, "issue", &["web", "--from", "2001:db8:77::/48"], 0);
    assert_eq!(of_prefix["source"], "2001:db8:77::/48");
    assert_eq!(said(&folder, "issue", &["plain", "--from", "2001:db8:77:1::/64"], 0)["valid_until"], Value::Null);
    let output =
        ssa_ctl().args(["issue", "plain", "--from", SOURCE, "--config"]).arg(config(&folder)).output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "2001:db8:b:0:2001:db8:77:1\n");
}

#[test]
fn what_cannot_be_given_is_said() {
    let folder = folder("replica(2):1 object(0):15 mac(48,key=k1):48");
    let web = ["web", "--from", SOURCE];
    let cases = [
        (vec!["web", "--from", "2001:db8::/32", "--object", "1"], "looks at the first 48 bits", "48 bits or more"),
        (vec!["plain", "--from", "2001:db8:77::/48"], "looks at the first 64 bits", "64 bits or more"),
        (vec!["web", "--from", "2001:db8:77::1/48"], "bits set behind its prefix", "2001:db8:77::/48"),
        (vec!["web", "--from", "192.0.2.1"], "is IPv4", "IPv6"),
        (web.to_vec(), "which object is wanted", "--object"),
        ([&web[..], &["--object", "1", "--replica", "2"]].concat(), "replicas 0 to 1", "--replica"),
        (vec!["www", "--from", SOURCE], "no service named www", "web"),
        (vec!["web"], "--from", ""),
        (vec![], "<SERVICE>", ""),
        (vec!["--listen", "[::1]:0", "--from", SOURCE], "--from", ""),
        (vec!["--listen", "[::1]:0", "--tls-cert", "x"], "--tls-key", ""),
        (vec!["--listen", "[::1]:0", "--rate", "0/s"], "10000", ""),
        (vec!["--listen", "[::1]:0", "www"], "no service named www", "web"),
        (
            vec!["--listen", "[::1]:0", "--tls-cert", "/nowhere/c.pem", "--tls-key", "/nowhere/k.pem"],
            "/nowhere/c.pem",
            "",
        ),
    ];
    for (arguments, message, hint) in cases {
        let object = said(&folder, "issue", &arguments, 2);
        let said = |key: &str| object["error"][key].as_str().unwrap_or_default().to_owned();
        assert!(said("message").contains(message) && said("hint").contains(hint), "{arguments:?}: {object}");
    }
}

/// An issuer on loopback, and all that it says.
struct Issuer {
    _process: Running,
    at: SocketAddr,
    said: Arc<Mutex<String>>,
}

fn issuer(folder: &TempDir, listen: &str) -> Issuer {
    let mut command = Command::new(ssa_ctl_path());
    command
        .args(["-vvv", "issue", "--rate", "1000/s", "--listen", listen, "--config"])
        .arg(config(folder))
        .env_remove("SSA_LOG");
    let mut process = Running::start(command.stdin(Stdio::null()).stderr(Stdio::piped())).unwrap();
    let mut err = BufReader::new(process.stderr.take().unwrap());
    let mut line = String::new();
    while !line.starts_with("listening at ") {
        line.clear();
        assert_ne!(err.read_line(&mut line).unwrap(), 0, "it ended");
    }
    let at = line.split("://").nth(1).unwrap().split('/').next().unwrap().parse().unwrap();
    let said = Arc::new(Mutex::new(String::new()));
    let all = said.clone();
    thread::spawn(move || {
        for line in err.lines().map_while(Result::ok) {
            *all.lock().unwrap() += &(line + "\n");
        }
    });
    Issuer { _process: process, at, said }
}

impl Issuer {
    /// A request as it stands; the status, the header and the object of the answer. The key must not be in it.
    fn ask(&self, method: &str, target: &str) -> (u16, String, Value) {
        let mut stream = TcpStream::connect(self.at).unwrap();
        stream.set_read_timeout(Some(LONGEST)).unwrap();
        stream
            .write_all(format!("{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n").as_bytes())
            .unwrap();
        let mut all = String::new();
        stream.read_to_string(&mut all).unwrap();
        keyless(&all);
        let (head, body) = all.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_lowercase(), serde_json::from_str(body).unwrap_or_default())
    }
}

#[test]
fn a_question_that_is_none_is_refused_with_what_is_wrong() {
    let folder = folder("replica(2):1 object(0):15 mac(48,key=k1):48");
    let issuer = issuer(&folder, "[::1]:0");
    let good = "/v1/address?service=web&object=photos%2Fcat.jpeg&replica=1&n=2";
    let cases = [
        ("GET", "/", 404, "addresses are at /v1/address"),
        ("GET", "/v1/address/", 404, "addresses are at"),
        ("GET", "/v1/address", 400, "no service is named"),
        ("GET", "/v1/address?service=www", 404, "no service named www"),
        ("GET", "/v1/address?service=web", 400, "which object is wanted"),
        ("GET", "/v1/address?service=web&object=1&replica=2", 400, "replicas 0 to 1"),
        ("GET", "/v1/address?service=web&object=1&n=65", 400, "from 1 to 64"),
        ("GET", "/v1/address?service=web&object=1&source=2001:db8::1", 400, "no parameter \"source\""),
        ("GET", "/v1/address?service=web&object=1&object=2", 400, "there twice"),
        ("GET", "/v1/address?service=web&object=0x1", 400, "32 hexadecimal digits"),
    ];
    let check = |(method, target, status, message): (&str, &str, u16, &str)| {
        let (found, head, object) = issuer.ask(method, target);
        assert_eq!(found, status, "{target}: {object}");
        assert!(head.contains("content-type: application/json\r\n"), "{head}");
        assert!(object["error"]["message"].as_str().unwrap().contains(message), "{target}: {object}");
    };
    cases.into_iter().for_each(check);
    let (status, head, object) = issuer.ask("POST", good);
    assert_eq!((status, &object["error"]["message"]), (405, &"use GET".into()));
    assert!(head.contains("allow: get, head\r\n"), "{head}");
    assert_eq!(issuer.ask("HEAD", good).0, 200);
    let (status, _, object) = issuer.ask("GET", good);
    assert_eq!((status, object["addresses"].as_array().map(Vec::len)), (200, Some(2)), "{object}");
    keyless(&issuer.said.lock().unwrap());
}

#[test]
fn an_ipv4_client_is_told_to_call_otherwise() {
    let folder = folder(RULE);
    for listen in ["127.0.0.1:0", "[::]:0"] {
        let mut issuer = issuer(&folder, listen);
        issuer.at = (std::net::Ipv4Addr::LOCALHOST, issuer.at.port()).into();
        let (status, _, object) = issuer.ask("GET", "/v1/address?service=web");
        assert_eq!((status, &object["error"]["code"]), (403, &"not-permitted".into()), "{object}");
        assert!(object["error"]["message"].as_str().unwrap().contains("127.0.0.1"), "{object}");
    }
}

#[test]
fn a_proof_of_work_is_nobodys_to_give() {
    let folder = folder("mac(64,key=k1):32 pow(64,zeros=4):32");
    let issuer = issuer(&folder, "[::1]:0");
    let (status, _, object) = issuer.ask("GET", "/v1/address?service=web");
    assert_eq!(status, 400);
    assert!(object["error"]["message"].as_str().unwrap().contains("proof of work"), "{object}");
    assert!(object["error"]["hint"].is_string());
    // The command searches for it, as its operator says so.
    said(&folder, "issue", &["web", "--from", SOURCE], 0);
}

#[test]
fn a_key_file_that_changes_is_followed_and_one_that_is_wrong_is_not() {
    let folder = folder(RULE);
    let issuer = issuer(&folder, "[::1]:0");
    let by_key = || said(&folder, "address", &["web", "--from", "::1"], 0)["addresses"][0].clone();
    let given = || issuer.ask("GET", "/v1/address?service=web").2["addresses"][0].clone();
    let first = by_key();
    assert_eq!(given(), first);
    write_key(folder.path(), OTHER);
    let second = by_key();
    assert_ne!(first, second);
    wait_until("the new key to be used", LONGEST, || given() == second).unwrap();
    fs::set_permissions(folder.path().join("k1.key"), fs::Permissions::from_mode(0o644)).unwrap();
    let warned = || issuer.said.lock().unwrap().contains("answers stay as they were");
    wait_until("a warning", LONGEST, warned).unwrap();
    wait_until("an answer as before", LONGEST, || given() == second).unwrap();
    write_key(folder.path(), KEY);
    wait_until("the first key to be used again", LONGEST, || given() == first).unwrap();
    // A service that is gone is given out no more.
    fs::write(
        config(&folder),
        "version = 1\n[[service]]\nname = \"www\"\nprefixes = [\"2001:db8:a::/64\"]\nrule = \"any:64\"\n",
    )
    .unwrap();
    wait_until("the service to be gone", LONGEST, || issuer.ask("GET", "/v1/address?service=web").0 == 404).unwrap();
    keyless(&issuer.said.lock().unwrap());
}
