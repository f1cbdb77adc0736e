//! Services and sockets in; calls of one port that reach the socket of their service, and no other, out.

use std::{
    fs,
    net::{Ipv6Addr, SocketAddr, TcpListener, UdpSocket},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::Stdio,
};

use serde_json::Value;
use ssa_tests::{
    net::{Running, wait_until},
    ssa_ctl_path, udp_echo_path,
};

use crate::{
    host::{LONGEST, SILENCE, address, connect, host, services, site},
    site::{HOST, Said, Site, bpftool, names},
};

const WEB: &str = "web=tcp/443@[::1]:8443";
const MAIL: &str = "mail=tcp/443@[::1]:8444";

fn listen(site: &Site, address: &str) -> TcpListener {
    let listener = site.host.enter(|| TcpListener::bind(address)).unwrap().unwrap();
    listener.set_nonblocking(true).unwrap();
    listener
}

/// Which of the listeners gets a connection to this address; none where it is refused.
fn who(site: &Site, to: SocketAddr, listeners: &[&TcpListener]) -> Option<usize> {
    let stream = connect(site, to)?;
    let mut who = None;
    wait_until("a listener to have the connection", LONGEST, || {
        who = listeners.iter().position(|listener| {
            listener.accept().is_ok_and(|(accepted, peer)| {
                assert_eq!((accepted.local_addr().unwrap(), peer), (to, stream.local_addr().unwrap()));
                true
            })
        });
        who.is_some()
    })
    .unwrap();
    who
}

/// Which of the sockets gets a datagram to this address.
fn whose(site: &Site, to: SocketAddr, sockets: &[&UdpSocket]) -> Option<usize> {
    let client = site.client.enter(|| UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))).unwrap().unwrap();
    client.send_to(b"hello", to).unwrap();
    let from = client.local_addr().unwrap().port();
    let mut whose = None;
    let came = wait_until("a socket to have the datagram", SILENCE, || {
        whose =
            sockets.iter().position(|socket| socket.recv_from(&mut [0; 16]).is_ok_and(|(_, peer)| peer.port() == from));
        whose.is_some()
    });
    came.ok().and(whose)
}

fn called(service: usize, port: u16) -> SocketAddr {
    (address(service, 0x1234_5678), port).into()
}

#[test]
fn services_share_a_port() {
    let site = site("share");
    let (web, mail, all) = (listen(&site, "[::1]:8443"), listen(&site, "[::1]:8444"), listen(&site, "[::]:443"));
    let listeners = [&web, &mail, &all];
    host(&site, &["on"]).done();
    let reached = || [0, 1, 2].map(|service| who(&site, called(service, 443), &listeners));
    assert_eq!(reached(), [Some(2); 3]);

    let hands = ["on", "--hand", WEB, "--hand", MAIL];
    let dry = host(&site, &[&hands[..], &["--dry-run"]].concat());
    assert_eq!((dry.code, names(site.pins.path()).len()), (Some(3), 3), "{dry:?}");
    assert_eq!(host(&site, &hands).done()["changed"], true);
    assert_eq!(reached(), [Some(0), Some(1), Some(2)], "the third service is nobody's");
    let other = |to: SocketAddr| connect(&site, to).is_some();
    assert!(!other(called(0, 444)) && !other(called(0, 8443)), "another port was handed on");
    assert_eq!(who(&site, (HOST.parse::<Ipv6Addr>().unwrap(), 443).into(), &listeners), Some(2));

    let shown = host(&site, &[]).done();
    let row = &shown["hands"][0];
    assert_eq!((&row["service"], &row["call"], &row["to"]), (&"web".into(), &"tcp/443".into(), &"[::1]:8443".into()));
    assert_eq!((&row["slices"], &row["socket"]), (&Value::Null, &true.into()));
    assert_eq!((&shown["lookup"]["attached"], &shown["lookup"]["build"]), (&true.into(), &"current".into()));
    for again in [&hands[..], &["on"], &["on", "web"]] {
        assert_eq!(host(&site, again).done()["changed"], false, "{again:?}");
    }
    assert_eq!(host(&site, &[]).done(), shown);
    let text = Said::of(site.host.ssa_ctl(&site.pins).args(["endpoint", "host"]));
    assert!(text.code == Some(0) && text.out.contains("[::1]:8444") && text.out.contains("attached"), "{text:?}");

    // Those that are named take the place of those before.
    host(&site, &["on", "--hand", MAIL]).done();
    assert_eq!(reached(), [Some(2), Some(1), Some(2)]);
    host(&site, &["off"]).done();
    assert_eq!(names(site.pins.path()), ["links", "maps", "progs"]);
    host(&site, &["on"]).done();
    assert_eq!(reached(), [Some(2); 3]);
}

#[test]
fn slices_share_a_service() {
    let site = site("slices");
    let listeners = [listen(&site, "[::1]:1"), listen(&site, "[::1]:2"), listen(&site, "[::]:443")];
    let [one, two, all] = &listeners;
    host(&site, &["on", "--hand", "web:0-2=tcp/443@[::1]:1", "--hand", "web:15=tcp/443@[::1]:2"]).done();
    for (rest, expected) in [
        (0, 0),
        (0x2fff_ffff_ffff_ffff, 0),
        (0x3000_0000_0000_0000, 2),
        (0xefff_ffff_ffff_ffff, 2),
        (0xf000_0000_0000_0000, 1),
        (u64::MAX, 1),
    ] {
        assert_eq!(who(&site, (address(0, rest), 443).into(), &[one, two, all]), Some(expected), "{rest:x}");
    }
    assert_eq!(host(&site, &[]).done()["hands"][1]["slices"], serde_json::json!([15, 15]));
    host(&site, &["on", "--hand", "web:16=tcp/443@[::1]:1"]).failed(2);
    host(&site, &["on", "--hand", WEB, "--hand", "web:3=tcp/443@[::1]:1"]).failed(2);
}

#[test]
fn datagrams_are_handed_and_answered() {
    let site = site("datagrams");
    let bind = |address: &str| {
        let socket = site.host.enter(|| UdpSocket::bind(address)).unwrap().unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    };
    let (web, mail) = (bind("[::1]:53"), bind(&format!("[{HOST}]:53")));
    let mail_to = format!("mail=udp/53@[{HOST}]:53");
    host(&site, &["on", "--hand", "web=udp/53@[::1]:53", "--hand", &mail_to]).done();
    let reached = [0, 1, 2].map(|service| whose(&site, called(service, 53), &[&web, &mail]));
    assert_eq!(reached, [Some(0), Some(1), None]);

    // From the address and the port that were called.
    let mut echo = site.host.command(udp_echo_path());
    let _echo = Running::start(echo.arg("[::1]:7").stdout(Stdio::null())).unwrap();
    wait_until("the server", LONGEST, || host(&site, &["on", "--hand", "web=udp/7@[::1]:7"]).code == Some(0)).unwrap();
    let client = site.client.enter(|| UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))).unwrap().unwrap();
    client.connect(called(0, 7)).unwrap();
    client.set_read_timeout(Some(LONGEST)).unwrap();
    // It may be bound, and not yet be told to which address a datagram was sent.
    let answered = || client.send(b"hello").is_ok() && client.recv(&mut [0; 16]).is_ok_and(|length| length == 5);
    wait_until("an answer", LONGEST, answered).unwrap();

    let other = host(&site, &["on", "--hand", "web=udp/70@[::1]:7"]).done();
    assert!(other["warnings"][0].as_str().unwrap().contains("answers come from port 7"), "{other}");
}

#[test]
fn a_server_that_starts_anew_is_found_again() {
    let site = site("anew");
    let all = listen(&site, "[::]:443");
    let message = host(&site, &["on", "--hand", WEB]).message(1);
    assert!(message.contains("no socket is bound to tcp [::1]:8443"), "{message}");
    assert_eq!(names(site.pins.path()), ["links", "maps", "progs"], "something was done");

    let web = listen(&site, "[::1]:8443");
    let mail = listen(&site, "[::1]:8444");
    host(&site, &["on", "--hand", WEB, "--hand", MAIL]).done();
    drop(web);
    let sockets = || {
        let shown = host(&site, &[]).done();
        shown["hands"].as_array().unwrap().iter().map(|row| row["socket"] == true).collect::<Vec<_>>()
    };
    assert_eq!(sockets(), [false, true]);
    assert_eq!(
        who(&site, called(0, 443), &[&all, &mail]),
        Some(0),
        "a call without a socket goes where the kernel says"
    );
    let on = host(&site, &["on"]).done();
    assert_eq!((&on["changed"], on["warnings"].as_array().unwrap().len()), (&false.into(), 1), "{on}");

    let web = listen(&site, "[::1]:8443");
    assert_eq!(sockets(), [false, true]);
    assert_eq!(host(&site, &["on"]).done()["changed"], true);
    assert_eq!(sockets(), [true, true]);
    let reached = [0, 1].map(|service| who(&site, called(service, 443), &[&web, &mail, &all]));
    assert_eq!(reached, [Some(0), Some(1)]);

    // A service that is no more takes its rows along.
    site.apply(&services(1)).done();
    assert_eq!(host(&site, &[]).done()["hands"][1]["service"], Value::Null);
    host(&site, &["on"]).done();
    assert_eq!(sockets(), [true]);
    assert_eq!(who(&site, called(0, 443), &[&web, &mail, &all]), Some(0));
}

#[test]
fn what_somebody_broke_is_mended() {
    let site = site("mended");
    let (web, all) = (listen(&site, "[::1]:8443"), listen(&site, "[::]:443"));
    let reached = || who(&site, called(0, 443), &[&web, &all]);
    host(&site, &["on", "--hand", WEB]).done();
    let link = host(&site, &[]).done()["lookup"]["link_id"].to_string();
    bpftool(&["link", "detach", "id", &link]);
    assert_eq!(host(&site, &[]).done()["lookup"]["attached"], false);
    assert_eq!(reached(), Some(1));
    assert_eq!(host(&site, &["on"]).done()["changed"], true);
    assert_eq!((&host(&site, &[]).done()["lookup"]["attached"], reached()), (&true.into(), Some(0)));

    // A command that was killed before its pins had their place.
    let (pins, staging) = (site.pins.path().join("lookup"), site.pins.path().join("staging"));
    fs::create_dir(&staging).unwrap();
    fs::rename(&pins, staging.join("lookup")).unwrap();
    assert_eq!(reached(), Some(0));
    host(&site, &["on"]).done();
    assert_eq!((reached(), names(site.pins.path())), (Some(1), ["links", "maps", "progs"].map(str::to_owned).to_vec()));
    host(&site, &["on", "--hand", WEB]).done();

    fs::remove_file(pins.join("maps/lookups")).unwrap();
    let hint = host(&site, &["on"]).failed(1)["hint"].clone();
    assert!(hint.as_str().unwrap().contains("off"), "{hint}");
    assert_eq!(reached(), Some(0), "the program goes on");
    host(&site, &["on", "--hand", WEB]).done();
    assert_eq!(reached(), Some(0));
}

#[test]
fn down_leaves_nothing() {
    let site = site("nothing");
    let _web = listen(&site, "[::1]:8443");
    host(&site, &["on", "--hand", WEB]).done();
    let lookup = host(&site, &[]).done()["lookup"].clone();
    let is_there =
        |kind: &str, id: &Value| bpftool(&[kind, "show"]).as_array().unwrap().iter().any(|one| one["id"] == *id);
    let program = || is_there("prog", &lookup["program_id"]);
    let link = || is_there("link", &lookup["link_id"]);
    assert!(program() && link());
    site.apply(&services(2)).done();
    assert!(program() && link(), "apply is about the filter alone");
    site.ctl(["down"]).done();
    assert!(!site.pins.path().exists());
    wait_until("program and link to go", LONGEST, || !program() && !link()).unwrap();
    let said = site.host.ip(&["-6", "route", "show", "table", "local", "proto", "250"]).unwrap();
    assert_eq!(said, "");
}

#[test]
fn a_socket_of_another_process_takes_a_capability() {
    let site = site("ptrace");
    let web = listen(&site, "[::1]:8443");
    let with = |capabilities: &str, line: &str, arguments: &[&str]| {
        let mut command = site.host.command("setpriv");
        command.arg(format!("--bounding-set=-all,+bpf,+net_admin,+perfmon{capabilities}"));
        command.args(["sh", "-c", &format!("{line}; exec \"$0\" \"$@\"")]).arg(ssa_ctl_path());
        command.arg("--json").arg("--pin-root").arg(site.pins.path()).args(["endpoint", "host"]);
        Said::of(command.args(arguments))
    };
    with("", ":", &["on"]).done();
    let error = with("", ":", &["on", "--hand", WEB]).failed(5);
    assert!(error["hint"].as_str().unwrap().contains("CAP_SYS_PTRACE"), "{error}");
    assert_eq!(names(site.pins.path()), ["links", "maps", "progs"]);
    for umask in ["000", "777"] {
        with(",+sys_ptrace", &format!("umask {umask}"), &["on", "--hand", WEB]).done();
        assert_eq!(who(&site, called(0, 443), &[&web]), Some(0));
        let pins = site.pins.path().join("lookup");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        let folders = ["", "maps", "progs", "links"].map(|name| mode(&pins.join(name)));
        let files =
            ["maps/lookups", "maps/sockets", "progs/ssa_lookup", "links/netns"].map(|name| mode(&pins.join(name)));
        assert_eq!((folders, files), ([0o700; 4], [0o600; 4]), "umask {umask}");
        with("", ":", &["off"]).done();
    }
}
