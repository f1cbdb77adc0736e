//! `ssa-ctl client` in; what is attached, what stays of it, and which addresses sockets are given, out.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use ssa_tests::{
    net::{ControlGroup, Running, address, output_of, wait_until},
    ssa_ctl_path,
};

use crate::{
    site::{CLIENT, HOST, INTERFACE, PEER, PREFIX, Said, bpftool},
    unmodified::{ANCHOR, Unmodified, python},
};

/// The source prefix and a random part: wide enough that no two are the same by chance.
const RULE: &str = "hash(48):20 any:*";

/// Sends a datagram for each line that it reads, and says whom the answer is from.
const TALK: &str = "import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.settimeout(10)
for line in sys.stdin:
    s.sendto(b'who', (sys.argv[1], 7443))
    print(s.recvfrom(64)[1][0], flush=True)
";
/// Connects from an address and a port that it is bound to before, and says who that is.
const BOUND: &str = "import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
s.settimeout(10)
s.bind((sys.argv[3], int(sys.argv[4])))
s.connect((sys.argv[1], 7443))
print(s.recv(64).decode(), s.getpeername()[0], s.getsockname()[0])
";
/// Four connections, one after another, to be looked at before they end.
const MANY: &str = "import socket, sys
some = [socket.create_connection((sys.argv[1], 7443), 10) for _ in range(4)]
print(len({s.getpeername()[0] for s in some}), flush=True)
sys.stdin.readline()
";

/// The addresses that were given to sockets, with the cookies of these.
fn given(there: &Unmodified) -> Vec<(String, String)> {
    let folder = there.pins.path().join("client");
    let id = fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path();
    let map = bpftool(&["map", "dump", "pinned", id.join("maps/given").to_str().unwrap()]);
    let part = |key: &Value, range: std::ops::Range<usize>| key["key"].as_array().unwrap()[range].iter().join();
    map.as_array().unwrap().iter().map(|key| (part(key, 0..8), part(key, 8..24))).collect()
}

trait Join {
    fn join(self) -> String;
}

impl<'a, I: Iterator<Item = &'a Value>> Join for I {
    fn join(self) -> String {
        self.map(ToString::to_string).collect::<Vec<_>>().join(" ")
    }
}

fn distinct(of: impl Iterator<Item = String>) -> usize {
    of.collect::<std::collections::BTreeSet<_>>().len()
}

/// A program inside the cgroup that is talked to by lines.
struct Talk {
    process: Running,
    lines: std::io::Lines<BufReader<std::process::ChildStdout>>,
}

impl Talk {
    fn start(there: &Unmodified, text: &str) -> Self {
        let mut command = there.cgroup.run(&python(&there.site.client, text, "10"));
        let mut process = Running::start(command.stdin(Stdio::piped()).stdout(Stdio::piped())).unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        Self { process, lines }
    }

    fn say(&mut self) {
        self.process.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    }

    fn hear(&mut self) -> String {
        self.lines.next().expect("it says something").unwrap()
    }
}

#[test]
fn each_connection_has_an_address_of_its_own_and_a_datagram_socket_keeps_one() {
    let there = Unmodified::new("fresh", RULE);
    there.attach(&[]).done();
    let mut many = Talk::start(&there, MANY);
    assert_eq!(many.hear(), "1", "all have the anchor as their peer");
    let addresses = given(&there);
    assert_eq!(addresses.len(), 4);
    assert_eq!(distinct(addresses.iter().map(|(socket, _)| socket.clone())), 4);
    assert_eq!(distinct(addresses.into_iter().map(|(_, address)| address)), 4);
    many.say();

    let mut talk = Talk::start(&there, TALK);
    for _ in 0..3 {
        talk.say();
        assert_eq!(talk.hear(), ANCHOR);
    }
    assert_eq!(given(&there).len(), 5);
}

#[test]
fn what_is_attached_again_keeps_what_there_was() {
    let there = Unmodified::new("again", RULE);
    there.attach(&[]).done();
    let mut talk = Talk::start(&there, TALK);
    talk.say();
    assert_eq!(talk.hear(), ANCHOR);
    let before = given(&there);
    let links = || {
        bpftool(&["link", "show"])
            .as_array()
            .map_or(0, |links| links.iter().filter(|link| link["type"] == "cgroup").count())
    };
    let count = links();
    for _ in 0..3 {
        there.attach(&[]).done();
    }
    assert_eq!((links(), given(&there)), (count, before), "links went and came, and no given address was lost");
    talk.say();
    assert_eq!(talk.hear(), ANCHOR);
    assert!(there.reasons().keys().eq(["conform"]));
}

#[test]
fn the_address_of_a_socket_decides_and_else_that_of_the_kernel() {
    let there = Unmodified::new("bound", RULE);
    let other = "2001:db8:d:1::2";
    address(&there.site.client, PEER, &format!("{other}/64")).unwrap();
    address(&there.site.host, INTERFACE, "2001:db8:d:1::1/64").unwrap();
    let route = |words: &[&str]| there.site.client.ip(&[&["-6", "route", "replace", PREFIX], words].concat()).unwrap();
    route(&["via", HOST, "src", CLIENT]);
    let attached = there.attach(&[]).done();
    assert_eq!(attached["anchors"][0]["source"], CLIENT);
    let bound = |address: &str, port: &str| {
        let mut command = python(&there.site.client, BOUND, "10");
        command.args([address, port]);
        there.inside(&command)
    };
    assert_eq!(bound(other, "0"), Some(format!("host {ANCHOR} {other}")));
    assert_eq!(bound(CLIENT, "0"), Some(format!("host {ANCHOR} {CLIENT}")));
    assert_eq!(bound("::", "4711"), Some(format!("host {ANCHOR} {CLIENT}")), "a port and no address");
    assert!(there.reasons().keys().eq(["conform"]));

    // An address that is gone is no source: the call fails at once, until it is attached anew.
    there.site.client.ip(&["-6", "address", "del", &format!("{CLIENT}/64"), "dev", PEER]).unwrap();
    let before = there.reasons();
    let mut command = there.cgroup.run(&python(&there.site.client, MANY, "10"));
    let refused = command.stdin(Stdio::null()).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Operation not permitted"), "{refused:?}");
    assert_eq!(there.reasons(), before);
    route(&["via", "2001:db8:d:1::1"]);
    assert_eq!(there.attach(&[]).done()["anchors"][0]["source"], other);
    assert_eq!(bound("::", "0"), Some(format!("host {ANCHOR} {other}")));
}

#[test]
fn nothing_is_left_and_nobody_else_is_sent_elsewhere() {
    let there = Unmodified::new("nothing", RULE);
    let cgroup = there.cgroup.path().to_str().unwrap();
    assert_eq!(there.client(&["list"]).failed(4)["code"], "not-loaded");
    assert_eq!(there.client(&["detach", "--cgroup", cgroup]).done()["changed"], false);
    assert!(!there.pins.path().exists());

    there.attach(&[]).done();
    let listed = there.client(&["list"]).done();
    let shown = &listed["cgroups"][0];
    assert_eq!(
        (&shown["path"], &shown["state"], &shown["build"]),
        (&cgroup.into(), &"attached".into(), &"current".into())
    );
    assert_eq!((&shown["anchors"][0]["prefix"], &shown["anchors"][0]["source"]), (&PREFIX.into(), &CLIENT.into()));
    let text = Said::of(there.site.client.ssa_ctl(&there.pins).args(["client", "list"]));
    assert!(text.code == Some(0) && text.out.contains(ANCHOR) && text.out.contains("attached"), "{text:?}");
    for folder in ["", "client"] {
        assert_eq!(mode(&there.pins.path().join(folder)), 0o700, "{folder}");
    }
    let id = fs::read_dir(there.pins.path().join("client")).unwrap().next().unwrap().unwrap().path();
    for pin in ["maps/anchors", "maps/client", "progs/ssa_connect6", "links/connect6"] {
        assert_eq!(mode(&id.join(pin)), 0o600, "{pin}");
    }
    // No secret is anywhere but in the maps, and another address of the service is called as it is.
    let wrong = "2001:db8:a:1::2";
    let mut command = there.site.client.command("python3");
    command.args(["-c", "import socket, sys; socket.create_connection((sys.argv[1], 7443), 1)", wrong]);
    assert_eq!(there.inside(&command), None);
    assert!(there.reasons().keys().eq(["field-mismatch"]));

    assert_eq!(there.client(&["detach", "--cgroup", cgroup]).done()["cgroups"][0], cgroup);
    assert!(!there.pins.path().exists());
    let tree = output_of(Command::new("bpftool").args(["cgroup", "show", cgroup])).unwrap();
    assert!(!tree.contains("ssa_"), "{tree}");
    assert_eq!(there.inside(&python(&there.site.client, MANY, "1")), None);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_cgroup_that_is_gone_is_forgotten() {
    let there = Unmodified::new("gone", RULE);
    there.attach(&[]).done();
    fs::remove_dir(there.cgroup.path()).unwrap();
    let state = || there.client(&["list"]).done()["cgroups"][0]["state"].clone();
    // The kernel lets go of the programs later, in a queue of its own.
    wait_until("the cgroup to be gone", Duration::from_secs(10), || state() == "gone").unwrap();
    let other = ControlGroup::new("other").unwrap();
    let path = other.path().to_str().unwrap();
    there.client(&["attach", "web", "--config", there.config.to_str().unwrap(), "--cgroup", path]).done();
    let listed = there.client(&["list"]).done();
    assert_eq!((listed["cgroups"].as_array().unwrap().len(), &listed["cgroups"][0]["path"]), (1, &path.into()));
    // Who names a service does not mean all.
    assert!(there.client(&["detach", "--all", "web"]).message(2).contains("--all"));
    assert_eq!(there.client(&["list"]).done(), listed);
    assert_eq!(there.client(&["detach", "--all"]).done()["changed"], true);
    assert!(!there.pins.path().exists());
}

#[test]
fn what_cannot_be_attached_is_said() {
    let there = Unmodified::new("refused", "hash(48):14 pow(48,zeros=8):50");
    assert!(there.attach(&[]).message(2).contains("proof of work"));
    let config = there.config.to_str().unwrap();
    let at = |path: &str| there.client(&["attach", "web", "--config", config, "--cgroup", path]);
    assert!(at("/proc").message(2).contains("no cgroup of version 2"));
    assert!(at("/nowhere").message(2).contains("/nowhere"));
    let file = there.cgroup.path().join("cgroup.procs");
    let error = at(file.to_str().unwrap()).failed(2);
    assert!(error["message"].as_str().unwrap().ends_with("cgroup.procs is no cgroup, but a file of one"), "{error}");
    assert_eq!(error["hint"], format!("name its folder: {}", there.cgroup.path().display()));
    // An address that is somebody else's, or nobody's.
    for anchor in ["::", "::1", "ff02::1", "fe80::1", "::ffff:192.0.2.1", CLIENT] {
        let said = there.attach(&["--anchor", ANCHOR, "--anchor", anchor]);
        assert!(said.message(2).starts_with(&format!("{anchor} cannot be an anchor: it is ")), "{said:?}");
    }
    assert!(!there.pins.path().exists());
    let mut command = there.site.client.command("setpriv");
    command.arg("--bounding-set=-bpf,-sys_admin").arg(ssa_ctl_path()).arg("--json").arg("--pin-root");
    command.arg(there.pins.path()).args(["client", "attach", "web", "--config", config, "--cgroup", "/proc"]);
    assert!(Said::of(&mut command).message(5).starts_with("CAP_BPF is missing"));
}

#[test]
fn a_program_that_has_the_cgroup_for_itself_is_left_alone() {
    let there = Unmodified::new("held", RULE);
    there.attach(&[]).done();
    let id = fs::read_dir(there.pins.path().join("client")).unwrap().next().unwrap().unwrap().path();
    let other = ControlGroup::new("exclusive").unwrap();
    let path = other.path().to_str().unwrap();
    let program = id.join("progs/ssa_sendmsg6");
    bpftool(&["cgroup", "attach", path, "cgroup_udp6_sendmsg", "pinned", program.to_str().unwrap()]);
    let said = there.client(&["attach", "web", "--config", there.config.to_str().unwrap(), "--cgroup", path]);
    assert!(said.message(6).contains("sendmsg6"), "{said:?}");
    // What was attached before the one that failed is taken away again.
    let tree = bpftool(&["cgroup", "show", path]);
    assert_eq!(tree.as_array().map(Vec::len), Some(1), "{tree}");
    assert_eq!(there.client(&["list"]).done()["cgroups"].as_array().unwrap().len(), 1);
}

#[test]
fn down_takes_the_client_too() {
    let there = Unmodified::new("downclient", RULE);
    there.attach(&[]).done();
    Said::of(there.site.client.ssa_ctl(&there.pins).args(["--json", "down"])).done();
    assert!(!there.pins.path().exists());
    assert_eq!(there.inside(&python(&there.site.client, MANY, "1")), None);
}
