//! A service's name in DNS in; `proxy` and `client attach` on another host that find it by that, and follow it, out.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    net::{TcpStream, UdpSocket},
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
    site::{CLIENT, INTERFACE, PEER, PREFIX, Said, config},
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
        Self::of(Published::new(label, RULES[0]), label)
    }

    fn of(there: Published, label: &str) -> Self {
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

    // The name is the same in other letters, and with the dot at its end.
    let mut command = client.there.site.client.ssa_ctl(&client.pins);
    command.args(["client", "attach", "WEB.example.com.", "--server", UPSTREAM, "--cgroup"]).arg(client.cgroup.path());
    output_of(&mut command).unwrap();
    assert_eq!(client.anchors(), expected);
    let mut command = client.there.site.client.ssa_ctl(&client.pins);
    command.args(["client", "detach", "Web.Example.com", "--cgroup"]).arg(client.cgroup.path());
    output_of(&mut command).unwrap();
    assert!(!client.pins.path().exists());
}

#[test]
fn what_dns_says_is_no_anchor_unless_it_is_the_services() {
    let elsewhere = "2001:db8:f::7";
    for (label, anchor, why) in
        [("own", CLIENT, "it is an address of this host"), ("far", elsewhere, "it lies in none of its prefixes")]
    {
        let there = Published::with(label, RULES[0], &["--anchor", &format!("web={anchor}")]);
        let client = Client::of(there, label);
        let error = Said::of(&mut client.attach(&["--json"])).failed(1);
        assert_eq!(error["message"], format!("{anchor} is no anchor of {NAME}: {why}"));
        assert!(
            error["hint"].as_str().unwrap().contains("--anchor ADDRESS") && !client.pins.path().exists(),
            "{error}"
        );
        // Who names it takes it from elsewhere, and none of this host.
        let named = Said::of(&mut client.attach(&["--json", "--anchor", anchor]));
        if anchor == elsewhere {
            let anchors = named.done()["anchors"].take();
            assert_eq!((&anchors[0]["anchor"], &anchors[0]["prefix"]), (&anchor.into(), &PREFIX.into()));
        } else {
            assert!(named.message(2).ends_with(why));
        }
    }
}

#[test]
fn whoever_follows_keeps_what_there_was_where_dns_has_no_anchor_any_more() {
    let there = Published::with("kept", RULES[0], &["--anchor", &format!("web={ANCHOR}")]);
    let mut client = Client::of(there, "kept");
    let mut following = follow(&client);
    let before = client.anchors();
    let moved = config(&[INTERFACE], "native", RULES[0]).replace(PREFIX, "2001:db8:a:9::/64");
    client.there.publish(&moved);
    let mut lines = BufReader::new(following.stderr.take().unwrap()).lines().map(Result::unwrap);
    let why = format!("{ANCHOR} is no anchor of {NAME}: it lies in none of its prefixes");
    let warning = format!("warning: {why}; what is attached stays as it is");
    assert!(lines.any(|line| line == warning));
    // sleep: it has looked again by then, and has found nothing else.
    sleep(KEPT);
    assert_eq!((client.anchors(), client.call()), (before, format!("host {ANCHOR} {CLIENT}")));
    kill(Pid::from_raw(following.id().try_into().unwrap()), Signal::SIGHUP).unwrap();
    assert_eq!(following.wait().unwrap().code(), Some(0));
    assert_eq!(lines.filter(|line| line.contains("attached anew") || *line == warning).count(), 0, "said once");
}

#[test]
fn who_waits_for_dns_ends_in_order() {
    let client = Client::new("waits");
    // Nobody answers there.
    let silent = client.there.site.client.enter(|| UdpSocket::bind("[::1]:0")).unwrap().unwrap();
    silent.set_read_timeout(Some(LONGEST)).unwrap();
    let server = format!("[::1]:{}", silent.local_addr().unwrap().port());
    let cgroup = client.cgroup.path().to_str().unwrap();
    let proxy = ["proxy", NAME, "--server", &server, "--listen", "[::1]:0", "--port", "7443"];
    let attach = ["client", "attach", NAME, "--server", &server, "--cgroup", cgroup, "--follow"];
    for (arguments, signal) in [(&proxy[..], Signal::SIGTERM), (&attach, Signal::SIGHUP)] {
        let mut command = client.there.site.client.ssa_ctl(&client.pins);
        let mut process = Running::start(command.args(arguments).stdin(Stdio::null())).unwrap();
        let (_, asking) = silent.recv_from(&mut [0; 512]).unwrap();
        assert!(asking.ip().is_loopback());
        kill(Pid::from_raw(process.id().try_into().unwrap()), signal).unwrap();
        assert_eq!(process.wait().unwrap().code(), Some(0), "{arguments:?}");
        // What it has asked is not the next one's question.
        silent.set_nonblocking(true).unwrap();
        while silent.recv_from(&mut [0; 512]).is_ok() {}
        silent.set_nonblocking(false).unwrap();
    }
    assert!(!client.pins.path().exists());
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
