//! A strict filter and programs that know nothing of rules in; which of them get through, from a cgroup and from outside, out.

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpListener,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use ssa_tests::net::{ControlGroup, Namespace, PinRoot, output_of};

use crate::{
    servers::{PORT, start},
    site::{CLIENT, INTERFACE, Said, Site, config},
};

/// The address under which programs know the service.
pub const ANCHOR: &str = "2001:db8:a:1::1";
/// Where curl asks.
const WEB: u16 = 80;

/// Sends a datagram to the address that was given, and says whom the answer is from.
const DATAGRAM: &str = "import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.settimeout(float(sys.argv[2]))
s.sendto(b'who', (sys.argv[1], 7443))
said, peer = s.recvfrom(64)
print(said.decode(), peer[0], peer[1])
";
/// The same with a socket that is connected.
const CONNECTED: &str = "import socket, sys
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.settimeout(float(sys.argv[2]))
s.connect((sys.argv[1], 7443))
s.send(b'who')
said, peer = s.recvfrom(64)
print(said.decode(), peer[0], s.getpeername()[0])
";
/// Connects, and says who answers and who that is.
pub const STREAM: &str = "import socket, sys
s = socket.create_connection((sys.argv[1], 7443), float(sys.argv[2]))
print(s.recv(64).decode(), s.getpeername()[0], s.getsockname()[0])
";
/// A program without any library that could be put before another.
const STATIC: &str = r#"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
int main(int count, char **words) {
    struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(7443) };
    struct timeval longest = { .tv_sec = atoi(words[2]) };
    char said[64] = "";
    int s = socket(AF_INET6, SOCK_STREAM, 0);
    setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof longest);
    if (inet_pton(AF_INET6, words[1], &to.sin6_addr) != 1 || connect(s, (struct sockaddr *)&to, sizeof to) != 0) return 1;
    if (read(s, said, sizeof said - 1) <= 0) return 2;
    puts(said);
    return 0;
}
"#;

/// A client host whose programs may be in a cgroup, and a host behind a filter.
pub struct Unmodified {
    pub site: Site,
    pub pins: PinRoot,
    pub cgroup: ControlGroup,
    pub config: PathBuf,
}

impl Unmodified {
    pub fn new(label: &str, rule: &str) -> Self {
        let site = Site::new(label);
        start(&site.host, "host");
        let key = site.file("k1.key", "00112233445566778899aabbccddeeff");
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        let keys = format!("[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"{}\"\n", key.display());
        let keys = if rule.contains("mac") { &keys } else { "" };
        let text = config(&[INTERFACE], "native", rule) + keys;
        site.apply(&text).done();
        let config = site.folder.path().join("config.toml");
        Self { site, pins: PinRoot::new(), cgroup: ControlGroup::new(label).unwrap(), config }
    }

    /// `ssa-ctl client` on the client host.
    pub fn client(&self, arguments: &[&str]) -> Said {
        Said::of(self.site.client.ssa_ctl(&self.pins).args(["--json", "client"]).args(arguments))
    }

    /// Attaches the service to the cgroup.
    pub fn attach(&self, more: &[&str]) -> Said {
        let (config, cgroup) = (self.config.to_str().unwrap(), self.cgroup.path().to_str().unwrap());
        self.client(&[&["attach", "web", "--config", config, "--cgroup", cgroup], more].concat())
    }

    /// What a program prints that runs inside the cgroup, if it ends well.
    pub fn inside(&self, command: &Command) -> Option<String> {
        said(&mut self.cgroup.run(command))
    }

    /// The frames of the service by reason, of those reasons that had some.
    pub fn reasons(&self) -> BTreeMap<String, u64> {
        let stats = self.site.ctl(["stats"]).done();
        let reasons = stats["services"]["web"]["reasons"].as_object().unwrap();
        let counted = reasons.iter().map(|(name, cell)| (name.clone(), cell["packets"].as_u64().unwrap()));
        counted.filter(|(_, packets)| *packets > 0).collect()
    }
}

fn said(command: &mut Command) -> Option<String> {
    output_of(command).ok().map(|said| said.trim().to_owned())
}

/// A Python program that calls the anchor and waits so many seconds.
pub fn python(client: &Namespace, text: &str, longest: &str) -> Command {
    let mut command = client.command("python3");
    command.args(["-c", text, ANCHOR, longest]);
    command
}

/// A web server that says which address was asked and who asked. It ends with this process.
fn web(host: &Namespace) {
    let listener = host.enter(|| TcpListener::bind(("::", WEB))).unwrap().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (asked, from) = (stream.local_addr().unwrap().ip(), stream.peer_addr().unwrap().ip());
            // A request of curl comes in one piece.
            let _ = stream.read(&mut [0; 4096]);
            let said = format!("{asked} {from}");
            let _ =
                write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{said}", said.len());
        }
    });
}

fn curl(client: &Namespace, longest: &str) -> Command {
    let mut command = client.command("curl");
    command.args(["--silent", "--noproxy", "*", "--max-time", longest, &format!("http://[{ANCHOR}]:{WEB}/")]);
    command
}

/// Compiles the static program.
fn compile(folder: &Path) -> PathBuf {
    let (source, program) = (folder.join("client.c"), folder.join("client"));
    std::fs::write(&source, STATIC).unwrap();
    output_of(Command::new("cc").args(["-static", "-o"]).arg(&program).arg(&source)).unwrap();
    program
}

/// All programs get through from inside and none from outside, and no other counter moves.
fn get_through(label: &str, rule: &str) {
    let there = Unmodified::new(label, rule);
    let client = &there.site.client;
    web(&there.site.host);
    let compiled = compile(there.site.folder.path());
    let run_static = |longest: &str| {
        let mut command = client.command(&compiled);
        command.args([ANCHOR, longest]);
        command
    };
    let attached = there.attach(&[]).done();
    let anchor = &attached["anchors"][0];
    assert_eq!((&anchor["anchor"], &anchor["service"]), (&ANCHOR.into(), &"web".into()), "{attached}");

    assert!(there.reasons().is_empty());
    let answer = there.inside(&curl(client, "10")).expect("curl gets through");
    let (asked, from) = answer.split_once(' ').unwrap();
    assert!(asked != ANCHOR && asked.starts_with("2001:db8:a:1:") && from == CLIENT, "{answer}");
    assert_eq!(there.inside(&python(client, STREAM, "10")), Some(format!("host {ANCHOR} {CLIENT}")));
    assert_eq!(there.inside(&python(client, DATAGRAM, "10")), Some(format!("host {ANCHOR} {PORT}")));
    assert_eq!(there.inside(&python(client, CONNECTED, "10")), Some(format!("host {ANCHOR} {ANCHOR}")));
    assert_eq!(there.inside(&run_static("10")), Some("host".to_owned()));
    let moved = there.reasons();
    assert!(moved.keys().eq(["conform"]), "{moved:?}");

    // Outside, each of them calls the anchor itself. A rule that the anchor follows lets them in.
    if rule.starts_with("any") && !rule.contains("mac") {
        assert_eq!(said(&mut python(client, STREAM, "10")), Some(format!("host {ANCHOR} {CLIENT}")));
        return;
    }
    let outside = [curl(client, "1"), python(client, STREAM, "1"), python(client, DATAGRAM, "1"), run_static("1")];
    for mut command in outside {
        assert_eq!(said(&mut command), None, "{command:?}");
    }
    let after = there.reasons();
    let refused = if rule.contains("mac") { "mac-mismatch" } else { "field-mismatch" };
    assert!(after.keys().eq(["conform", refused]) && after["conform"] == moved["conform"], "{after:?}");
    assert!(after[refused] >= 4, "{after:?}");
}

#[test]
fn by_a_hash_of_the_source() {
    get_through("byhash", "hash(48):20 any:*");
}

#[test]
fn by_a_mac_that_hops() {
    get_through("bymac", "any:16 mac(48,key=k1,period=1m):48");
}

#[test]
fn by_random_bits() {
    get_through("byany", "any:*");
}

#[test]
fn by_copied_bits() {
    get_through("bysrc", "src(0):64");
}
