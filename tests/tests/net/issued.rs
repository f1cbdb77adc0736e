//! Strangers without a key in, and an issuer that has it; whom a strict filter lets in by what they are given, and from where, out.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv6Addr, TcpStream, UdpSocket},
    os::unix::fs::PermissionsExt as _,
    sync::Arc,
    thread,
    time::Duration,
};

use rustix::process::Signal;
use serde_json::Value;
use ssa_client::{Selector, Service, connect::Datagrams, issue::Issuer, record::Record};
use ssa_tests::{
    net::{address as add, wait_until},
    ssa_ctl_path,
};

use crate::{
    client::{self, SECRET, WISH, site},
    issuer::{Certificates, address, ask, from, issuer},
    listener::{Listener, answer, request},
    proxy,
    servers::{PORT, ask_tcp},
    site::{CLIENT, HOST, INTERFACE, PEER, PREFIX, Said, Site},
    stream::LONGEST,
};

const RULE: &str = "any:16 mac(48,key=k1):48";
/// The client in another /48.
const ELSEWHERE: &str = "2001:db8:d:1::2";

fn reasons(site: &Site) -> [u64; 2] {
    ["conform", "mac-mismatch"].map(|name| site.packets(&["reasons", name]))
}

/// Gives the client an address in another network.
fn move_to(site: &Site, client: &str, host: &str) {
    add(&site.client, PEER, &format!("{client}/64")).unwrap();
    add(&site.host, INTERFACE, &format!("{host}/64")).unwrap();
}

/// A config without the key: what a stranger knows.
fn known(site: &Site, rule: &str) -> String {
    let text = format!("version = 1\n[[service]]\nname = \"web\"\nprefixes = [\"{PREFIX}\"]\nrule = \"{rule}\"\n");
    let keys = "[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"/nowhere/k1.key\"\n";
    site.file("known.toml", &(text + keys)).to_str().unwrap().to_owned()
}

/// `ssa-ctl connect` of a stranger, by this issuer.
fn connect(site: &Site, config: &str, more: &[&str]) -> Said {
    let port = PORT.to_string();
    let mut command = site.client.ssa_ctl(&site.pins);
    command.args(["--json", "connect", "web", "--config", config, "--port", &port]).args(more);
    Said::of(&mut command)
}

/// All that comes on a connection.
fn heard(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.set_read_timeout(Some(LONGEST)).unwrap();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn datagram(site: &Site, source: &str, to: Ipv6Addr) {
    let source: Ipv6Addr = source.parse().unwrap();
    let socket = site.client.enter(|| UdpSocket::bind((source, 0))).unwrap().unwrap();
    socket.send_to(b"who", (to, PORT)).unwrap();
}

#[test]
fn a_stranger_is_let_in_by_what_it_is_given_and_nobody_from_elsewhere() {
    let site = site("issued", RULE, "");
    move_to(&site, ELSEWHERE, "2001:db8:d:1::1");
    let issuer = issuer(&site, &[]);
    let given = ask(&site, &issuer, CLIENT, "service=web");
    assert!(given.head.contains("cache-control: no-store"), "{given:?}");
    let object: Value = serde_json::from_str(&given.body).unwrap();
    assert_eq!(
        [&object["service"], &object["source"], &object["valid_until"], &object["ttl"]].map(Value::to_string),
        ["\"web\"", &format!("\"{CLIENT}\""), "null", "300"]
    );
    assert_eq!(reasons(&site), [0, 0]);
    datagram(&site, CLIENT, address(&given));
    wait_until("the datagram to be let in", LONGEST, || reasons(&site) == [1, 0]).unwrap();
    // Whoever has overheard it gains nothing elsewhere.
    datagram(&site, ELSEWHERE, address(&given));
    wait_until("the datagram to be refused", LONGEST, || reasons(&site) == [1, 1]).unwrap();
    // Elsewhere it is given another, for there.
    let other = ask(&site, &issuer, ELSEWHERE, "service=web");
    datagram(&site, ELSEWHERE, address(&other));
    wait_until("the datagram to be let in", LONGEST, || reasons(&site) == [2, 1]).unwrap();
    let to = (address(&given), PORT).into();
    let name = heard(site.client.enter(|| from(CLIENT.parse().unwrap(), to)).unwrap());
    assert_eq!((name.as_str(), reasons(&site)[1]), ("host", 1));
    let (status, said) = issuer.stop(Signal::TERM);
    assert!(status.success() && said.is_empty(), "{status}, {said:?}");
}

#[test]
fn the_command_asks_where_it_has_no_key() {
    let site = site("asks", RULE, "");
    let (issuer, config) = (issuer(&site, &[]), known(&site, RULE));
    let url = format!("http://{}", issuer.address);
    let said = connect(&site, &config, &["--issuer", &url]);
    assert_eq!((said.code, said.out.as_str()), (Some(0), "host"), "{said:?}");
    assert_eq!(reasons(&site)[1], 0);
    let told: Value = serde_json::from_str(&said.err).unwrap();
    assert_eq!((&told["source"], &told["rule"]), (&CLIENT.into(), &RULE.into()));
    // Without an issuer it needs the key; and what an issuer does not know it says.
    let alone = connect(&site, &config, &[]);
    assert!(alone.failed(2).to_string().contains("/nowhere/k1.key"), "{alone:?}");
    let other = connect(&site, &config, &["--issuer", &url, "--issuer-service", "www"]);
    assert_eq!(
        other.message(1),
        "cannot connect to web: the issuer gives no address (404): no service named www is given out here"
    );
    let gone = connect(&site, &config, &["--issuer", &format!("http://[{HOST}]:1")]);
    assert!(gone.message(1).starts_with("cannot connect to web: the issuer "), "{gone:?}");
}

#[test]
fn a_proxy_asks_for_those_who_cannot() {
    let site = site("askproxy", RULE, "");
    let (issuer, config) = (issuer(&site, &[]), known(&site, RULE));
    let (url, port) = (format!("http://{}", issuer.address), PORT.to_string());
    let proxy = proxy::start(&site, &["web", "--config", &config, "--port", &port, "--issuer", &url]);
    for _ in 0..2 {
        let stream = site.client.enter(|| TcpStream::connect_timeout(&proxy.at, LONGEST)).unwrap().unwrap();
        assert_eq!(heard(stream), "host");
    }
    assert_eq!(reasons(&site)[1], 0);
}

#[test]
fn datagrams_go_on_by_what_the_issuer_gives_next() {
    let rule = "any:16 mac(64,key=k1,period=3s):48";
    let site = site("next", rule, "skew = 1\n");
    let issuer = issuer(&site, &[]);
    let record = Record::parse_value(&format!("v=1 skew=1 rule={rule}")).unwrap();
    let service = Service::new("web.example", &[PREFIX.parse().unwrap()], record);
    let asked = Issuer::new(&format!("http://{}", issuer.address), "web", None).unwrap();
    let selector = Arc::new(Selector::with_issuer(&service, Arc::new(asked)).unwrap());
    let (first, second) = client::client(&site, async {
        let datagrams = Datagrams::open(&selector, &WISH).await.unwrap();
        let first = datagrams.peer();
        assert_eq!(client::ask(&datagrams).await, "host");
        // sleep: until no filter takes the first address any more.
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(client::ask(&datagrams).await, "host");
        (first, datagrams.peer())
    });
    assert_ne!(first, second);
    assert_eq!(reasons(&site), [2, 0]);
    datagram(&site, CLIENT, *first.ip());
    wait_until("the datagram to be refused", LONGEST, || reasons(&site) == [2, 1]).unwrap();
}

#[test]
fn a_rotation_is_followed_while_it_runs() {
    let rule = "keyid:4 any:12 mac(48,key=k1):48";
    let site = site("follows", rule, "");
    let issuer = issuer(&site, &["--rate", "1000/s"]);
    let number = || address(&ask(&site, &issuer, CLIENT, "service=web")).segments()[4] >> 12;
    assert_eq!(number(), 1);
    let key = site.file("k2.key", &SECRET.replace("00", "ab"));
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    site.ctl(["key", "add", "web", "k1", "2", key.to_str().unwrap()]).done();
    wait_until("the new key to be used", LONGEST, || number() == 2).unwrap();
    site.ctl(["key", "retire", "web", "k1", "1"]).done();
    assert_eq!(ask_tcp(&site.client, address(&ask(&site, &issuer, CLIENT, "service=web"))).unwrap(), "host");
    // What is gone is given out all the same: the filter may be somewhere else.
    site.ctl(["down"]).done();
    assert_eq!(number(), 2);
    assert!(issuer.stop(Signal::INT).0.success());
}

#[test]
fn a_network_that_asks_too_often_waits_and_others_do_not() {
    let site = site("rate", RULE, "");
    move_to(&site, ELSEWHERE, "2001:db8:d:1::1");
    let issuer = issuer(&site, &["--rate", "1/s"]);
    // As many at once as there are connections for, whatever else the machine does.
    let at_once = || -> Vec<_> {
        thread::scope(|scope| {
            let ask = || ask(&site, &issuer, CLIENT, "service=web");
            let asked: Vec<_> = (0..3).map(|_| scope.spawn(ask)).collect();
            asked.into_iter().map(|answer| answer.join().unwrap()).collect()
        })
    };
    let mut refused = None;
    wait_until("too many", LONGEST, || {
        refused = at_once().into_iter().find(|answer| answer.status != 200);
        refused.is_some()
    })
    .unwrap();
    let refused = refused.unwrap();
    assert_eq!(refused.status, 429, "{refused:?}");
    assert!(refused.head.contains("\r\nretry-after: 1"), "{refused:?}");
    let error: Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!(error["error"]["message"], "your network asks too often");
    assert_eq!(ask(&site, &issuer, ELSEWHERE, "service=web").status, 200);
}

#[test]
fn tls_is_believed_by_its_root_alone_and_follows_new_certificates() {
    let site = site("tls", RULE, "");
    let (first, other) = (Certificates::new(&site, "issuer"), Certificates::new(&site, "other"));
    let mut issuer = issuer(&site, &[&first.arguments()[..], &["--rate", "1000/s"]].concat());
    assert!(issuer.warnings.is_empty(), "{:?}", issuer.warnings);
    let config = known(&site, RULE);
    let url = format!("https://{}", issuer.address);
    let by = |root: &str| connect(&site, &config, &["--issuer", &url, "--issuer-ca", root]);
    let root = site.file("first.pem", &fs::read_to_string(&first.root).unwrap());
    let said = by(root.to_str().unwrap());
    assert_eq!((said.code, said.out.as_str()), (Some(0), "host"), "{said:?}");
    let said = by(other.root.to_str().unwrap());
    assert!(said.message(1).contains("certificate"), "{said:?}");
    // Nothing but TLS is spoken there.
    let plain = connect(&site, &config, &["--issuer", &url.replace("https", "http")]);
    assert!(plain.message(1).contains("HTTP"), "{plain:?}");
    // A key that others may read is not used, and what was before is.
    fs::set_permissions(&first.key, fs::Permissions::from_mode(0o644)).unwrap();
    let warned = issuer.says();
    assert!(warned.starts_with("warning: the key file ") && warned.ends_with("answers stay as they were"), "{warned}");
    assert_eq!(by(root.to_str().unwrap()).code, Some(0));
    let renewed = Certificates::new(&site, "issuer");
    wait_until("the new certificate to be shown", LONGEST, || by(renewed.root.to_str().unwrap()).code == Some(0))
        .unwrap();
    assert_eq!(by(root.to_str().unwrap()).code, Some(1));
}

#[test]
fn whoever_is_slow_or_too_long_keeps_nobody_out() {
    let site = site("slowly", RULE, "");
    let issuer = issuer(&site, &["--rate", "1000/s"]);
    let source: Ipv6Addr = CLIENT.parse().unwrap();
    let open = || site.client.enter(|| from(source, issuer.address)).unwrap();
    for (many, size) in [(1, 20_000), (100, 10)] {
        let more = format!("X: {}\r\n", "x".repeat(size)).repeat(many);
        assert_eq!(answer(open(), &request("GET", "/v1/address?service=web", &more)).status, 431);
    }
    // More than there is room for of one network.
    let slow: Vec<TcpStream> = (0..48)
        .map(|_| {
            let mut stream = open();
            stream.write_all(b"GET /v1/address?service=web HTTP/1.1\r\nHost: x").unwrap();
            stream
        })
        .collect();
    assert_eq!(ask(&site, &issuer, CLIENT, "service=web").status, 200);
    for mut stream in slow {
        let mut said = String::new();
        // It may have been reset instead of closed.
        let _ = stream.read_to_string(&mut said);
        assert!(!said.contains("addresses"), "{said}");
    }
}

#[test]
fn the_capabilities_of_the_unit_are_enough() {
    let site = site("unprivileged", RULE, "");
    let unit = include_str!("../../../deploy/systemd/ssa-issue.service");
    assert!(unit.lines().any(|line| line == "CapabilityBoundingSet="), "it has none");
    let mut command = site.host.command("setpriv");
    command.args(["--bounding-set=-all", "--no-new-privs"]).arg(ssa_ctl_path());
    command.args(["issue", "--listen", &format!("[{HOST}]:0"), "--config"]).arg(site.folder.path().join("config.toml"));
    let issuer = Listener::of(&mut command);
    assert_eq!(ask_tcp(&site.client, address(&ask(&site, &issuer, CLIENT, "service=web"))).unwrap(), "host");
    assert!(issuer.stop(Signal::TERM).0.success());
}
