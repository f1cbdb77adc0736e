//! `ssa-ctl proxy` in; programs on its host that get through a strict filter by it, and how much it carries, out.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket},
    process::Stdio,
    thread,
    time::Duration,
};

use ssa_tests::net::{Running, wait_until};

use crate::{
    servers::PORT,
    site::{CLIENT, INTERFACE, Said, Site, config},
    stream::LONGEST,
    unmodified::Unmodified,
};

const RULE: &str = "hash(48):20 any:*";
/// How long nobody is expected to answer.
const SHORT: Duration = Duration::from_millis(300);

/// A proxy on the client host; it ends with its handle.
pub struct Proxy {
    process: Running,
    /// Where it listens.
    pub at: SocketAddr,
}

fn proxy(there: &Unmodified, more: &[&str]) -> Proxy {
    start(&there.site, &[&["web", "--config", there.config.to_str().unwrap()], more].concat())
}

/// A proxy on the client of a site.
pub fn start(site: &Site, arguments: &[&str]) -> Proxy {
    let mut command = site.client.ssa_ctl("unused");
    command.args(["proxy", "--listen", "[::1]:0"]).args(arguments);
    let mut process = Running::start(command.stdin(Stdio::null()).stderr(Stdio::piped())).unwrap();
    let mut line = String::new();
    BufReader::new(process.stderr.take().unwrap()).read_line(&mut line).unwrap();
    let at = line.strip_prefix("listening at ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    Proxy { process, at: at.unwrap_or_else(|| panic!("{line}")) }
}

fn connect(there: &Unmodified, proxy: &Proxy) -> TcpStream {
    let stream = there.site.client.enter(|| TcpStream::connect_timeout(&proxy.at, LONGEST)).unwrap().unwrap();
    stream.set_read_timeout(Some(LONGEST)).unwrap();
    stream
}

fn listen(site: &Site, port: u16) -> TcpListener {
    site.host.enter(|| TcpListener::bind(("::", port))).unwrap().unwrap()
}

#[test]
fn each_connection_is_carried_by_one_of_its_own() {
    let there = Unmodified::new("proxy", RULE);
    let listener = listen(&there.site, 7000);
    let proxy = proxy(&there, &["--port", "7000"]);
    let mut called = Vec::new();
    for _ in 0..3 {
        let mut client = connect(&there, &proxy);
        let (mut server, from) = listener.accept().unwrap();
        assert_eq!(from.ip().to_string(), CLIENT);
        called.push(server.local_addr().unwrap().ip());
        // Each direction ends by itself.
        client.write_all(b"question").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        let mut text = String::new();
        server.read_to_string(&mut text).unwrap();
        assert_eq!(text, "question");
        server.write_all(b"answer").unwrap();
        drop(server);
        text.clear();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "answer");
    }
    called.sort_unstable();
    called.dedup();
    assert_eq!(called.len(), 3, "an address for each connection");
    assert!(there.reasons().keys().eq(["conform"]));
}

#[test]
fn many_octets_are_carried_both_ways() {
    let there = Unmodified::new("octets", RULE);
    let listener = listen(&there.site, 7000);
    let proxy = proxy(&there, &["--port", "7000"]);
    let octets: Vec<u8> = (0..4u32 << 20).map(|number| (number.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let client = connect(&there, &proxy);
    let (server, _) = listener.accept().unwrap();
    thread::scope(|scope| {
        for (one, other) in [(&client, &server), (&server, &client)] {
            let octets = &octets;
            scope.spawn(move || {
                let mut one = one;
                one.write_all(octets).unwrap();
                one.shutdown(Shutdown::Write).unwrap();
            });
            scope.spawn(move || {
                let (mut other, mut heard) = (other, Vec::new());
                other.read_to_end(&mut heard).unwrap();
                assert!(heard == *octets, "{} octets, not those that were sent", heard.len());
            });
        }
    });
}

#[test]
fn more_connections_than_may_be_wait_for_their_turn() {
    let there = Unmodified::new("most", RULE);
    let listener = listen(&there.site, 7000);
    let proxy = proxy(&there, &["--port", "7000", "--most", "1"]);
    let first = connect(&there, &proxy);
    let server = listener.accept().unwrap();
    let mut second = connect(&there, &proxy);
    second.write_all(b"I").unwrap();
    second.set_read_timeout(Some(SHORT)).unwrap();
    assert!(second.read(&mut [0]).is_err(), "nobody answers yet");
    listener.set_nonblocking(true).unwrap();
    assert!(listener.accept().is_err(), "the second waits");
    drop((first, server));
    wait_until("the turn of the second", LONGEST, || listener.accept().is_ok()).unwrap();
}

#[test]
fn where_nobody_answers_the_connection_is_reset() {
    let there = Unmodified::new("reset", RULE);
    let proxy = proxy(&there, &["--port", "1"]);
    // The refusal may come while the client still waits for its own connection to be there.
    let connect = || TcpStream::connect_timeout(&proxy.at, LONGEST).and_then(|mut client| client.read(&mut [0]));
    let error = there.site.client.enter(connect).unwrap().unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{error}");
}

#[test]
fn datagrams_are_carried_for_each_client() {
    let there = Unmodified::new("udpproxy", RULE);
    let port = PORT.to_string();
    let proxy = proxy(&there, &["--udp", "--port", &port, "--most", "2", "--idle", "1s"]);
    let open = || {
        let socket = there.site.client.enter(|| UdpSocket::bind("[::1]:0")).unwrap().unwrap();
        socket.connect(proxy.at).unwrap();
        socket
    };
    let ask = |socket: &UdpSocket, longest: Duration| {
        socket.set_read_timeout(Some(longest)).unwrap();
        let mut octets = [0; 64];
        socket.send(b"who").ok()?;
        socket.recv(&mut octets).ok().map(|length| String::from_utf8_lossy(&octets[..length]).into_owned())
    };
    let clients = [open(), open(), open()];
    for client in &clients[..2] {
        for _ in 0..2 {
            assert_eq!(ask(client, LONGEST).as_deref(), Some("host"));
        }
    }
    assert_eq!(there.reasons().into_iter().collect::<Vec<_>>(), [("conform".to_owned(), 4)]);
    assert_eq!(ask(&clients[2], SHORT), None, "there are two already");
    // After a while they are forgotten.
    wait_until("room for another", LONGEST, || ask(&clients[2], SHORT).is_some()).unwrap();
}

#[test]
fn it_ends_by_a_signal_and_says_what_it_cannot() {
    let there = Unmodified::new("ends", RULE);
    let mut proxy = proxy(&there, &["--port", "7000"]);
    let id = i32::try_from(proxy.process.id()).unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(id), nix::sys::signal::Signal::SIGTERM).unwrap();
    assert_eq!(proxy.process.wait().unwrap().code(), Some(0));

    let run = |arguments: &[&str]| {
        let mut command = there.site.client.ssa_ctl(&there.pins);
        command.args(["--json", "proxy", "web", "--config", there.config.to_str().unwrap()]).args(arguments);
        Said::of(&mut command)
    };
    assert!(run(&["--listen", "[::1]:0"]).message(2).contains("which port"));
    assert!(run(&["--listen", "[2001:db8:ffff::1]:7", "--port", "7"]).message(1).contains("cannot listen"));
    let text = config(&[INTERFACE], "native", "object(0):64");
    let other = there.site.file("object.toml", &text);
    let mut command = there.site.client.ssa_ctl(&there.pins);
    command.args(["--json", "proxy", "mail", "--config", other.to_str().unwrap(), "--listen", "[::1]:0"]);
    assert!(Said::of(&mut command).message(2).contains("mail"));
}
