//! A service's name in DNS in; `proxy` and `client attach` on another host that find it by that, and follow it, out.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::TcpStream,
    process::{Child, Stdio},
    thread::sleep,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde_json::Value;
use ssa_tests::net::{ControlGroup, PinRoot, Running, address, output_of, wait_until};

use crate::{
    dns::published::{NAME, Published, UPSTREAM},
    proxy,
    site::{CLIENT, INTERFACE, PEER, Said},
    stream::LONGEST,
    unmodified::{ANCHOR, STREAM, python},
};

/// A rule, and another that takes none of its addresses.
const RULES: [&str; 2] = ["hash(48):20 any:*", "src(0):64"];
/// Longer than what is published is kept.
const KEPT: Duration = Duration::from_millis(2200);
/// Where the client goes.
const ELSEWHERE: &str = "2001:db8:c:2::2";

/// Who answers through a proxy.
fn through(there: &Published, proxy: &proxy::Proxy) -> String {
    let mut stream = there.site.client.enter(|| TcpStream::connect_timeout(&proxy.at, LONGEST)).unwrap().unwrap();
    stream.set_read_timeout(Some(LONGEST)).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    said
}

fn refused(there: &Published) -> u64 {
    there.site.packets(&["reasons", "field-mismatch"])
}

#[test]
fn a_proxy_follows_what_dns_says() {
    let mut there = Published::new("named", RULES[0]);
    let proxy = proxy::start(&there.site, &[NAME, "--server", UPSTREAM, "--port", "7443"]);
    assert_eq!((through(&there, &proxy).as_str(), refused(&there)), ("host", 0));
    there.change(RULES[1]);
    // sleep: what DNS has said holds until then.
    sleep(KEPT);
    assert_eq!((through(&there, &proxy).as_str(), refused(&there)), ("host", 0));
    // Where nobody answers, what was said last holds.
    there.upstream.signal(rustix::process::Signal::TERM);
    // sleep: and so it is, but nobody says anything else.
    sleep(KEPT);
    assert_eq!((through(&there, &proxy).as_str(), refused(&there)), ("host", 0));
}

/// A client host whose programs may be in a cgroup.
struct Client {
    there: Published,
    pins: PinRoot,
    cgroup: ControlGroup,
}

impl Client {
    fn new(label: &str) -> Self {
        let there = Published::new(label, RULES[0]);
        Self { there, pins: PinRoot::new(), cgroup: ControlGroup::new(label).unwrap() }
    }

    fn attach(&self, more: &[&str]) -> std::process::Command {
        let mut command = self.there.site.client.ssa_ctl(&self.pins);
        command.args(["client", "attach", NAME, "--server", UPSTREAM, "--cgroup"]).arg(self.cgroup.path()).args(more);
        command
    }

    /// The anchors of the cgroup.
    fn anchors(&self) -> Value {
        let mut list = self.there.site.client.ssa_ctl(&self.pins);
        Said::of(list.args(["--json", "client", "list"])).done()["cgroups"][0]["anchors"].take()
    }

    /// Who answers a program in the cgroup that calls the anchor, and from where it calls.
    fn call(&self) -> String {
        output_of(&mut self.cgroup.run(&python(&self.there.site.client, STREAM, "10"))).unwrap().trim().to_owned()
    }
}

#[test]
fn a_cgroup_is_attached_by_a_name() {
    let mut client = Client::new("named");
    Said::of(&mut client.attach(&["--json"])).done();
    let expected = serde_json::json!([
        { "service": NAME, "anchor": ANCHOR, "prefix": "2001:db8:a:1::/64", "source": CLIENT }
    ]);
    assert_eq!(client.anchors(), expected);
    assert_eq!((client.call(), refused(&client.there)), (format!("host {ANCHOR} {CLIENT}"), 0));
    client.there.change(RULES[1]);
    // What is attached stays as it is until the command is run again.
    let old = output_of(&mut client.cgroup.run(&python(&client.there.site.client, STREAM, "1")));
    assert!(old.is_err() && refused(&client.there) > 0);
    let before = refused(&client.there);
    Said::of(&mut client.attach(&["--json"])).done();
    assert_eq!((client.call(), refused(&client.there)), (format!("host {ANCHOR} {CLIENT}"), before));
}

/// `client attach --follow`, which has attached.
fn follow(client: &Client) -> Running {
    let mut command = client.attach(&["--follow"]);
    let mut process =
        Running::start(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped())).unwrap();
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let attached = format!("attached to {}", client.cgroup.path().display());
    assert!(lines.map(Result::unwrap).any(|line| line == attached), "{}", said(&mut process));
    process
}

/// What it has said when it has ended.
fn said(process: &mut Child) -> String {
    let mut said = String::new();
    process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    said
}

#[test]
fn whoever_follows_attaches_anew_when_something_changes() {
    let mut client = Client::new("follow");
    let mut following = follow(&client);
    assert_eq!((client.call(), refused(&client.there)), (format!("host {ANCHOR} {CLIENT}"), 0));
    let written = client.anchors();
    client.there.change(RULES[1]);
    let programs = || fs::read_dir(client.pins.path().join("client")).unwrap().count();
    // The addresses of the new rule have no random bits: each call has the same.
    let calls = || {
        let seen = output_of(&mut client.cgroup.run(&python(&client.there.site.client, STREAM, "1")));
        seen.is_ok_and(|said| said.starts_with("host"))
    };
    wait_until("the new rule", LONGEST, calls).unwrap();
    let before = refused(&client.there);
    assert_eq!((client.call(), refused(&client.there)), (format!("host {ANCHOR} {CLIENT}"), before));
    assert_eq!((client.anchors(), programs()), (written, 1), "another rule for the same calls");

    // Calls come from another address.
    address(&client.there.site.host, INTERFACE, "2001:db8:c:2::1/64").unwrap();
    address(&client.there.site.client, PEER, &format!("{ELSEWHERE}/64")).unwrap();
    client.there.site.client.ip(&["-6", "address", "del", &format!("{CLIENT}/64"), "dev", PEER]).unwrap();
    wait_until("the new source", LONGEST, || client.anchors()[0]["source"] == ELSEWHERE).unwrap();
    assert_eq!((client.call(), refused(&client.there)), (format!("host {ANCHOR} {ELSEWHERE}"), before));

    // What is attached outlives whoever follows.
    kill(Pid::from_raw(following.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    assert_eq!(following.wait().unwrap().code(), Some(0));
    let said = said(&mut following);
    assert_eq!(said.matches("attached anew: what its calls need has changed\n").count(), 2, "{said}");
    assert_eq!(client.call(), format!("host {ANCHOR} {ELSEWHERE}"));
}

#[test]
fn whoever_follows_a_cgroup_that_is_gone_says_so() {
    let client = Client::new("followed");
    let mut following = follow(&client);
    fs::remove_dir(client.cgroup.path()).unwrap();
    assert_eq!(following.wait().unwrap().code(), Some(1));
    let gone = format!("the cgroup {} is gone", client.cgroup.path().display());
    let said = said(&mut following);
    assert!(said.contains(&gone), "{said}");
}
