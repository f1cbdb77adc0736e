//! A strict filter in; which clients get through, with the library and with `ssa-ctl connect`, out.

use std::{
    fs,
    io::Write as _,
    net::{Ipv6Addr, SocketAddr},
    os::unix::fs::PermissionsExt,
    process::Stdio,
    sync::Arc,
    time::{Duration, SystemTime},
};

use serde_json::Value;
use ssa_client::{
    Selector, Service,
    connect::{ConnectError, Datagrams, Wish, tcp},
    record::Record,
};
use ssa_common::rule::Key;
use ssa_tests::net::{address, route};
use tokio::{io::AsyncReadExt as _, time::timeout};

use crate::{
    servers::{PORT, ask_tcp, ask_udp, start},
    site::{CLIENT, INTERFACE, PREFIX, Said, Site, config},
    stream::LONGEST,
};

/// How long a client waits that is not expected to hear anything: less than it takes a SYN to be sent again.
const SHORT: Duration = Duration::from_millis(300);
/// The secret of the key `k1`, whose number is 1.
pub const SECRET: &str = "00112233445566778899aabbccddee0f";
/// A connection to the servers.
pub const WISH: Wish = Wish { object: None, replica: None, port: PORT };

/// A host behind a strict filter, with servers that say `host`.
pub fn site(label: &str, rule: &str, more: &str) -> Site {
    let site = Site::new(label);
    start(&site.host, "host");
    let key = site.file("k1.key", SECRET);
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let keys = format!("[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"{}\"\n", key.display());
    let keys = if rule.contains("mac") { &keys } else { "" };
    site.apply(&format!("{}{more}{keys}", config(&[INTERFACE], "native", rule))).done();
    site
}

/// What computes addresses in these prefixes, with the key `k1`.
fn selector(prefixes: &[&str], rule: &str) -> Arc<Selector> {
    keyed(prefixes, rule, 1, SECRET)
}

/// The same with another key.
pub fn keyed(prefixes: &[&str], rule: &str, number: u32, secret: &str) -> Arc<Selector> {
    let prefixes: Vec<_> = prefixes.iter().map(|prefix| prefix.parse().unwrap()).collect();
    let record = Record::parse_value(&format!("v=1 {rule}")).unwrap();
    let keys = [Key { number, secret: u128::from_str_radix(secret, 16).unwrap().to_be_bytes() }];
    Arc::new(Selector::new(&Service::new("web", &prefixes, record), &keys).unwrap())
}

/// Runs a client where the site's clients are.
pub fn client<T: Send>(site: &Site, work: impl Future<Output = T> + Send) -> T {
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work);
    site.client.enter(run).unwrap()
}

/// Who answers a TCP connection, and at which address.
pub async fn who(selector: &Arc<Selector>) -> Result<(String, SocketAddr), ConnectError> {
    let mut stream = tcp(selector, &WISH, LONGEST).await?;
    let mut name = String::new();
    timeout(LONGEST, stream.read_to_string(&mut name)).await.unwrap().unwrap();
    Ok((name, stream.peer_addr().unwrap()))
}

/// Who answers a datagram.
pub async fn ask(datagrams: &Datagrams) -> String {
    let mut octets = [0; 64];
    datagrams.send(b"who").await.unwrap();
    let length = timeout(LONGEST, datagrams.receive(&mut octets)).await.unwrap().unwrap();
    String::from_utf8_lossy(&octets[..length]).into_owned()
}

fn reason(site: &Site, name: &str) -> u64 {
    site.packets(&["reasons", name])
}

#[test]
fn who_computes_its_address_is_let_in_and_nobody_else() {
    let site = site("client", "hash(48):14 any:50", "");
    let selector = selector(&[PREFIX], "rule=hash(48):14 any:50");
    let (name, to) = client(&site, who(&selector)).unwrap();
    assert_eq!(name, "host");
    let before = reason(&site, "conform");
    let name = client(&site, async { ask(&Datagrams::open(&selector, &WISH).await.unwrap()).await });
    assert_eq!((name.as_str(), reason(&site, "conform")), ("host", before + 1));
    // One bit of the hash is wrong.
    let SocketAddr::V6(to) = to else { panic!("{to}") };
    let wrong = Ipv6Addr::from(to.ip().to_bits() ^ 1 << 63);
    assert_eq!(reason(&site, "field-mismatch"), 0);
    ask_udp(&site.client, wrong, SHORT).unwrap_err();
    assert_eq!((reason(&site, "field-mismatch"), reason(&site, "conform")), (1, before + 1));
    assert_eq!(ask_tcp(&site.client, *to.ip()).unwrap(), "host");
}

#[test]
fn datagrams_go_on_when_an_epoch_ends() {
    let site = site("epochs", "any:16 mac(64,key=k1,period=3s):48", "skew = 1\n");
    let selector = selector(&[PREFIX], "skew=1 rule=any:16 mac(64,key=k1,period=3s):48");
    let (first, second) = client(&site, async {
        let datagrams = Datagrams::open(&selector, &WISH).await.unwrap();
        let first = datagrams.peer();
        assert_eq!(ask(&datagrams).await, "host");
        let unix = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let end = Duration::from_secs(selector.valid_until(unix().as_secs()).unwrap());
        // sleep: until no filter takes the first address any more.
        tokio::time::sleep(end.saturating_sub(unix())).await;
        assert_eq!(ask(&datagrams).await, "host");
        (first, datagrams.peer())
    });
    assert_ne!(first, second);
    assert_eq!((reason(&site, "conform"), reason(&site, "mac-mismatch")), (2, 0));
    ask_udp(&site.client, *first.ip(), SHORT).unwrap_err();
    assert_eq!((reason(&site, "conform"), reason(&site, "mac-mismatch")), (2, 1));
}

#[test]
fn a_proof_of_work_is_found_and_lets_in() {
    let rule = "hash(48):14 pow(64,zeros=15,period=10m):50";
    let site = site("pow", rule, "");
    let (name, _) = client(&site, who(&selector(&[PREFIX], &format!("rule={rule}")))).unwrap();
    assert_eq!((name.as_str(), reason(&site, "pow-missing")), ("host", 0));
}

#[test]
fn the_next_prefix_is_called_while_the_first_is_silent() {
    let site = site("silent", "src(0):64", "");
    // The host has no such address, and is no router that would say so.
    let silent = "2001:db8:a:2::/64";
    route(&site.client, &[silent, "via", crate::site::HOST]).unwrap();
    let (name, to) = client(&site, who(&selector(&[silent, PREFIX], "rule=src(0):64"))).unwrap();
    assert_eq!((name.as_str(), to.ip().to_string().as_str()), ("host", crate::site::GOOD));
    let lost = client(&site, tcp(&selector(&[silent], "rule=src(0):64"), &WISH, SHORT)).unwrap_err();
    assert!(lost.to_string().ends_with("from [2001:db8:a:2:2001:db8:c:1]:7443"), "{lost}");
}

#[test]
fn datagrams_follow_a_client_to_another_network() {
    let site = site("moved", "src(0):64", "");
    address(&site.host, INTERFACE, "2001:db8:c:2::1/64").unwrap();
    let selector = selector(&[PREFIX], "rule=src(0):64");
    client(&site, async {
        let datagrams = Datagrams::open(&selector, &WISH).await.unwrap();
        assert_eq!(ask(&datagrams).await, "host");
        address(&site.client, crate::site::PEER, "2001:db8:c:2::2/64").unwrap();
        site.client.ip(&["-6", "address", "del", &format!("{CLIENT}/64"), "dev", crate::site::PEER]).unwrap();
        // sleep: the kernel's choice is believed for a second.
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert_eq!(ask(&datagrams).await, "host");
        assert_eq!(datagrams.source().to_string(), "2001:db8:c:2::2");
        assert_eq!(datagrams.peer().ip().to_string(), "2001:db8:a:1:2001:db8:c:2");
    });
    assert_eq!((reason(&site, "conform"), reason(&site, "field-mismatch")), (2, 0));
}

/// `ssa-ctl connect` from the client, with this input.
fn connect(site: &Site, arguments: &[&str], input: &str) -> (Said, Value) {
    let config = site.folder.path().join("config.toml");
    let mut command = site.client.ssa_ctl(&site.pins);
    command.args(["--json", "connect", "web", "--config"]).arg(config).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |octets| String::from_utf8(octets).unwrap();
    let said = Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
    let told = serde_json::from_str(&said.err).unwrap_or_default();
    (said, told)
}

#[test]
fn the_command_connects_as_clients_do() {
    let site = site("connect", "src(0):64", "");
    let (said, told) = connect(&site, &["--port", "7443"], "");
    assert_eq!((said.code, said.out.as_str()), (Some(0), "host"), "{said:?}");
    let expected = serde_json::json!({
        "service": "web", "protocol": "tcp", "source": CLIENT, "address": crate::site::GOOD, "port": 7443,
        "rule": "src(0):64", "authenticated": false,
    });
    assert_eq!(told, expected);
    let before = reason(&site, "conform");
    let (said, told) = connect(&site, &["--port", "7443", "--udp"], "who");
    assert_eq!((said.code, said.out.as_str(), &told["protocol"]), (Some(0), "host", &Value::from("udp")), "{said:?}");
    assert_eq!(reason(&site, "conform"), before + 1);
    // Nobody is there.
    let (said, _) = connect(&site, &["--port", "7444", "--udp", "--timeout", "1s"], "who");
    assert_eq!(said.message(1), format!("no answer from [{}]:7444", crate::site::GOOD));
    let (said, _) = connect(&site, &["--port", "7444"], "");
    let refused = format!("cannot connect to web: cannot connect to [{}]:7444: Connection refused", crate::site::GOOD);
    assert!(said.message(1).starts_with(&refused), "{said:?}");
}
