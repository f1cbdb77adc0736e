//! Services in; a host that takes all their addresses, answers from the one that was called, and stops again, out.

use std::{
    net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    process::Stdio,
    time::Duration,
};

use serde_json::Value;
use ssa_tests::{
    net::{Running, route, wait_until},
    ssa_ctl_path, udp_echo_path,
};

use crate::site::{HOST, INTERFACE, PREFIX, Said, Site, names};

pub const LONGEST: Duration = Duration::from_secs(10);
/// How long nothing comes before nothing is taken to come.
pub const SILENCE: Duration = Duration::from_millis(300);
/// The prefixes of the services `web`, `mail` and `other`.
pub const PREFIXES: [&str; 3] = [PREFIX, "2001:db8:a:2::/64", "2001:db8:a:3::/64"];
const NAMES: [&str; 3] = ["web", "mail", "other"];

/// A config of the first so many services.
pub fn services(count: usize) -> String {
    let services = NAMES.iter().zip(PREFIXES).take(count).map(|(name, prefix)| {
        format!("[[service]]\nname = \"{name}\"\nprefixes = [\"{prefix}\"]\nrule = \"any:*\"\nslice_bits = 4\n")
    });
    format!("version = 1\n[host]\ninterfaces = [\"{INTERFACE}\"]\n{}", services.collect::<String>())
}

/// A site with three services that are in force, and a host that takes none of their addresses yet.
pub fn site(label: &str) -> Site {
    let site = Site::new(label);
    site.host.ip(&["-6", "route", "del", "local", PREFIX, "dev", "lo"]).unwrap();
    for prefix in &PREFIXES[1..] {
        route(&site.client, &[prefix, "via", HOST]).unwrap();
    }
    site.apply(&services(3)).done();
    site
}

/// An address of a service's prefix.
pub fn address(service: usize, rest: u64) -> Ipv6Addr {
    let prefix: Ipv6Addr = PREFIXES[service].trim_end_matches("/64").parse().unwrap();
    Ipv6Addr::from_bits(prefix.to_bits() | u128::from(rest))
}

/// Connects from the client; none where nobody answers or the connection is refused.
pub fn connect(site: &Site, to: SocketAddr) -> Option<TcpStream> {
    site.client.enter(|| TcpStream::connect_timeout(&to, SILENCE)).unwrap().ok()
}

/// The prefixes of the local routes of a protocol, as `ip` has them.
pub fn local_routes(site: &Site, protocol: &str) -> Vec<String> {
    let said = site.host.ip(&["-json", "-6", "route", "show", "table", "local", "proto", protocol]).unwrap();
    let routes: Value = serde_json::from_str(&said).unwrap();
    let routes = routes.as_array().unwrap().iter().filter(|route| route["type"] == "local");
    routes.map(|route| route["dst"].as_str().unwrap().to_owned()).collect()
}

/// `ssa-ctl endpoint host`, with arguments.
pub fn host(site: &Site, arguments: &[&str]) -> Said {
    site.ctl(["endpoint", "host"].into_iter().chain(arguments.iter().copied()))
}

fn actions(said: &Value) -> Vec<&str> {
    said["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect()
}

/// Sends from a socket that takes answers of the called address alone, until one comes.
fn is_answered(site: &Site, to: SocketAddr, longest: Duration) -> bool {
    let socket = site.client.enter(|| UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))).unwrap().unwrap();
    socket.connect(to).unwrap();
    socket.set_read_timeout(Some(SILENCE)).unwrap();
    let mut octets = [0; 16];
    let answered = || socket.send(b"hello").is_ok() && socket.recv(&mut octets).is_ok_and(|length| length == 5);
    wait_until("an answer", longest, answered).is_ok()
}

#[test]
fn every_address_is_taken_and_answers() {
    let site = site("anyip");
    let listener = site.host.enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, 443))).unwrap().unwrap();
    let mut echo = site.host.command(udp_echo_path());
    let _echo = Running::start(echo.arg("[::]:7").stdout(Stdio::null())).unwrap();
    let some = [0, 1, 0x1234_5678_9abc_def0, u64::MAX];
    assert!(connect(&site, (address(0, 1), 443).into()).is_none());

    assert_eq!(actions(&host(&site, &["on"]).done()), ["route"; 3]);
    assert_eq!(local_routes(&site, "250"), PREFIXES);
    for (service, rest) in (0..3).flat_map(|service| some.map(|rest| (service, rest))) {
        let called = address(service, rest);
        let stream = connect(&site, (called, 443).into()).unwrap_or_else(|| panic!("nobody at {called}"));
        let (accepted, peer) = listener.accept().unwrap();
        assert_eq!((accepted.local_addr().unwrap(), peer), ((called, 443).into(), stream.local_addr().unwrap()));
        assert!(is_answered(&site, (called, 7).into(), LONGEST), "{called} does not answer");
    }

    let off = host(&site, &["off"]).done();
    assert_eq!((actions(&off), &off["changed"]), (vec!["unroute"; 3], &true.into()));
    assert!(local_routes(&site, "250").is_empty());
    assert!(connect(&site, (address(0, 1), 443).into()).is_none());
    assert!(!is_answered(&site, (address(0, 1), 7).into(), SILENCE));
    assert_eq!(host(&site, &["off"]).done()["changed"], false);
}

#[test]
fn the_same_again_and_a_dry_run_change_nothing() {
    let site = site("hostagain");
    assert_eq!(names(site.pins.path()), ["links", "maps", "progs"], "the filter needs no lookup");
    let dry = host(&site, &["on", "--dry-run"]);
    assert_eq!((dry.code, actions(&dry.json()), &dry.json()["changed"]), (Some(3), vec!["route"; 3], &false.into()));
    assert!(local_routes(&site, "250").is_empty());

    assert_eq!(actions(&host(&site, &["on", "mail"]).done()), ["route"]);
    assert_eq!(local_routes(&site, "250"), [PREFIXES[1]]);
    assert_eq!(host(&site, &["on", "mail"]).done()["changed"], false);
    assert_eq!(host(&site, &["on", "mail", "--dry-run"]).code, Some(0));
    host(&site, &["on"]).done();
    assert_eq!(host(&site, &["on"]).done()["changed"], false);
    let text = Said::of(site.host.ssa_ctl(&site.pins).args(["endpoint", "host", "on"]));
    assert_eq!((text.code, text.out.trim()), (Some(0), "no change"));
    assert_eq!(host(&site, &["off", "--dry-run"]).code, Some(3));
    assert_eq!(local_routes(&site, "250"), PREFIXES);
    assert!(host(&site, &["on", "nobody"]).message(2).contains("nobody"));

    let shown = host(&site, &[]).done();
    let states = shown["routes"].as_array().unwrap().iter().map(|route| route["route"].as_str().unwrap());
    let states: Vec<_> = states.collect();
    assert_eq!((states, &shown["lookup"]), (vec!["ours"; 3], &Value::Null));
    assert_eq!(names(site.pins.path()), ["links", "maps", "progs"]);
}

#[test]
fn routes_of_no_service_go_and_those_of_others_stay() {
    let site = site("others");
    host(&site, &["on"]).done();
    site.apply(&services(2)).done();
    let shown = host(&site, &[]).done();
    assert_eq!((&shown["routes"][2]["prefix"], &shown["routes"][2]["service"]), (&PREFIXES[2].into(), &Value::Null));
    assert_eq!(host(&site, &["on", "web"]).done()["changed"], false);
    assert_eq!(actions(&host(&site, &["on"]).done()), ["unroute"]);
    assert_eq!(local_routes(&site, "250"), PREFIXES[..2]);
    host(&site, &["off"]).done();

    route(&site.host, &["local", PREFIXES[1], "dev", "lo"]).unwrap();
    let on = host(&site, &["on"]).done();
    assert_eq!(actions(&on), ["route"]);
    let warning = on["warnings"][0].as_str().unwrap();
    assert!(warning.contains(PREFIXES[1]) && warning.contains("left alone"), "{on}");
    assert_eq!(host(&site, &[]).done()["routes"][1]["route"], "others");
    host(&site, &["off"]).done();
    site.ctl(["down"]).done();
    assert_eq!(local_routes(&site, "boot"), [PREFIXES[1]]);
}

#[test]
fn down_takes_the_routes_too() {
    let site = site("hostdown");
    host(&site, &["on"]).done();
    // Another instance beside this one that was never there takes nothing away.
    let nothing = Said::of(site.host.ssa_ctl("/sys/fs/bpf/ssa-test-none").args(["--json", "down"]));
    assert_eq!(nothing.done()["changed"], false);
    assert_eq!(local_routes(&site, "250").len(), 3);
    assert_eq!(site.ctl(["down"]).done()["routes"], serde_json::json!(PREFIXES));
    assert!(local_routes(&site, "250").is_empty() && !site.pins.path().exists());
    assert_eq!(host(&site, &[]).failed(4)["code"], "not-loaded");
    assert_eq!(host(&site, &["on"]).failed(4)["code"], "not-loaded");
    assert_eq!(host(&site, &["off"]).done()["changed"], false);
}

#[test]
fn a_missing_capability_has_a_name() {
    let site = site("hostcaps");
    for arguments in [&["on"][..], &["off"], &["on", "--dry-run"], &["on", "--hand", "web=tcp/443@[::1]:1"]] {
        let mut command = site.host.command("setpriv");
        command.arg("--bounding-set=-net_admin").arg(ssa_ctl_path()).arg("--json").arg("--pin-root");
        let said = Said::of(command.arg(site.pins.path()).args(["endpoint", "host"]).args(arguments));
        assert!(said.message(5).starts_with("CAP_NET_ADMIN is missing"), "{said:?}");
    }
    assert!(local_routes(&site, "250").is_empty());
}

#[test]
fn another_namespace_is_refused() {
    let site = site("hostaway");
    host(&site, &["on"]).done();
    for arguments in [&["on"][..], &["off"], &[]] {
        let mut command = site.client.ssa_ctl(&site.pins);
        let said = Said::of(command.args(["--json", "endpoint", "host"]).args(arguments));
        assert!(said.message(1).contains("another network namespace"), "{said:?}");
    }
    assert_eq!(local_routes(&site, "250"), PREFIXES);
}
