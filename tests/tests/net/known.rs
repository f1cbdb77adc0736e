//! Connections that began by a rule, and a rule that changes; which of them go on, and who is let in anew, out.

use std::{
    io::{Read as _, Write as _},
    net::{Ipv6Addr, SocketAddr, SocketAddrV6, TcpListener, TcpStream, UdpSocket},
    thread,
    time::Duration,
};

use ssa_tests::net::Namespace;

use crate::site::{CLIENT, GOOD, INTERFACE, RULE, Site, config};

/// A rule that no address by [`RULE`] follows.
const NEXT: &str = "src(0,inv):64";
const PORT: u16 = 7000;
const PATIENCE: Duration = Duration::from_millis(500);

fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddrV6::new(address.parse::<Ipv6Addr>().unwrap(), port, 0, 0).into()
}

/// A connection, from both ends.
struct Pair(TcpStream, TcpStream);

impl Pair {
    fn open(site: &Site, listener: &TcpListener) -> Self {
        let client = connect(&site.client).unwrap();
        let (server, _) = listener.accept().unwrap();
        for end in [&client, &server] {
            end.set_read_timeout(Some(PATIENCE)).unwrap();
        }
        Self(client, server)
    }

    /// Sends a word from the client, and says whether it came within the patience.
    fn talks(&mut self) -> bool {
        let mut word = [0; 4];
        self.0.write_all(b"word").unwrap();
        self.1.read_exact(&mut word).is_ok()
    }
}

fn connect(client: &Namespace) -> std::io::Result<TcpStream> {
    client.enter(|| TcpStream::connect_timeout(&at(GOOD, PORT), PATIENCE)).unwrap()
}

fn strict(rule: &str, settings: &str) -> String {
    config(&[INTERFACE], "native", rule) + settings
}

/// Changes the rule under a connection; how many packets were known after, by what the client sent.
fn rotate(label: &str, settings: &str) -> (Site, bool, u64) {
    let site = Site::new(label);
    site.apply(&strict(RULE, settings)).done();
    let listener = site.host.enter(|| TcpListener::bind(at("::", PORT))).unwrap().unwrap();
    let mut pair = Pair::open(&site, &listener);
    assert!(pair.talks());
    site.apply(&strict(NEXT, settings)).done();
    let talks = pair.talks();
    assert!(connect(&site.client).is_err(), "a SYN by a rule that is over is let in");
    let known = site.packets(&["reasons", "established"]);
    assert!(site.packets(&["reasons", "field-mismatch"]) > 0);
    (site, talks, known)
}

#[test]
fn without_it_a_new_rule_ends_connections() {
    let (_, talks, known) = rotate("known-none", "");
    assert!(!talks && known == 0, "{talks} {known}");
}

#[test]
fn connections_with_a_socket_live_through_a_new_rule() {
    let (_, talks, known) = rotate("known-sock", "established = \"socket\"\n");
    assert!(talks && known > 0, "{talks} {known}");
}

#[test]
fn connections_that_are_remembered_live_through_a_new_rule() {
    let (_, talks, known) = rotate("known-flow", "established = \"flows\"\n");
    assert!(talks && known > 0, "{talks} {known}");
}

#[test]
fn flows_are_carried_into_larger_maps() {
    let settings = "established = \"flows\"\n";
    let site = Site::new("known-grow");
    site.apply(&strict(RULE, settings)).done();
    let listener = site.host.enter(|| TcpListener::bind(at("::", PORT))).unwrap().unwrap();
    let mut pair = Pair::open(&site, &listener);
    assert!(pair.talks());
    let grown = strict(NEXT, settings).replace("[host]\n", "[host]\nflows = 131072\n");
    let steps = site.apply(&grown).done();
    assert!(steps["steps"].to_string().contains("grow"), "{steps}");
    assert!(pair.talks());
    let known = site.packets(&["reasons", "established"]);
    assert!(known > 0);
    // A block list that outgrows its maps brings new ones too.
    let list = (0..3000).map(|number| format!("2001:db9:{number:x}::/48\n")).collect::<Vec<_>>().concat();
    let list = site.file("list", &list);
    site.ctl(["block", "import", list.to_str().unwrap()]).done();
    assert!(pair.talks());
    assert!(site.packets(&["reasons", "established"]) > known);
}

#[test]
fn datagrams_to_a_connected_socket_are_known() {
    let site = Site::new("known-udp");
    site.host.run("sysctl", ["-q", "-w", "net.ipv6.ip_nonlocal_bind=1"]).unwrap();
    site.apply(&strict(RULE, "established = \"socket\"\n")).done();
    let server = |port| site.host.enter(|| UdpSocket::bind(at(GOOD, port))).unwrap().unwrap();
    let client = |port| site.client.enter(|| UdpSocket::bind(at(CLIENT, port))).unwrap().unwrap();
    let (connected, open) = (server(PORT), server(PORT + 1));
    let (friend, stranger) = (client(5000), client(5001));
    connected.connect(at(CLIENT, 5000)).unwrap();
    for socket in [&connected, &open] {
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
    }
    let comes = |from: &UdpSocket, to: &UdpSocket, port| {
        from.send_to(b"word", at(GOOD, port)).unwrap();
        to.recv(&mut [0; 4]).is_ok()
    };
    assert!(comes(&friend, &connected, PORT) && comes(&friend, &open, PORT + 1));
    site.apply(&strict(NEXT, "established = \"socket\"\n")).done();
    assert!(comes(&friend, &connected, PORT));
    assert!(!comes(&stranger, &connected, PORT), "another sender");
    assert!(!comes(&friend, &open, PORT + 1), "a socket that takes from everybody");
    assert_eq!(site.packets(&["reasons", "established"]), 1);
    assert_eq!(site.packets(&["reasons", "field-mismatch"]), 2);
}

#[test]
fn connections_outlive_the_epoch_that_they_began_in() {
    let site = Site::new("known-hop");
    let key = "[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"k1.key\"\n";
    let path = site.file("k1.key", "00112233445566778899aabbccddeeff\n");
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let settings = format!("skew = 0\nestablished = \"socket\"\n{key}");
    site.apply(&strict("mac(64,key=k1,period=2s):64", &settings)).done();
    let listener = site.host.enter(|| TcpListener::bind(at("::", PORT))).unwrap().unwrap();
    let connect = || {
        let computed = site.ctl(["address", "web", "--from", CLIENT]).done();
        let address = at(computed["addresses"][0].as_str().unwrap(), PORT);
        site.client.enter(|| TcpStream::connect_timeout(&address, PATIENCE)).unwrap().ok()
    };
    // An epoch may end on the way.
    let client = (0..5).find_map(|_| connect()).unwrap();
    let mut pair = Pair(client, listener.accept().unwrap().0);
    pair.1.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    for _ in 0..3 {
        // sleep: an epoch is over then.
        thread::sleep(Duration::from_secs(2));
        assert!(pair.talks());
    }
    assert!(site.packets(&["reasons", "established"]) >= 3);
}
