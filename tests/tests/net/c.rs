//! A strict filter and a name in; whether programs of C and of Python find the service and are let in, out.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv6Addr, TcpListener},
    process::{Command, Stdio},
    thread,
};

use ssa_tests::{
    c::{Installed, root},
    net::{Namespace, Running, output_of},
};

use crate::{
    client::{SECRET, site},
    site::{GOOD, HOST, Said, Site},
};

/// Where the server of lines listens.
const LINES: u16 = 7444;
/// What makes a datagram of a Python client, over the library's UDP socket, with a key.
const DATAGRAM: &str = "import sys, ssa_client
service = ssa_client.Service('web', sys.argv[1], sys.argv[2])
selector = ssa_client.Selector(service, [(1, bytes.fromhex(sys.argv[3]))])
with selector.connect(7443, udp=True) as connection:
    connection.send(b'who')
    print(connection.recv(64).decode(), connection.getsockname()[0], ssa_client.source_for(connection.getpeername()[0]))
";
/// What DNS says, as a Python program sees it; and what it does not say.
const RESOLVE: &str = "import sys, ssa_client
resolver = ssa_client.Resolver(sys.argv[1])
service = resolver.resolve('web.example.com')
print(service.name, service.rule, *service.prefixes, *service.excluded, service.port, service.ttl, service.authenticated)
for name, ask in [('ns.example.com', resolver), ('web.example.org', resolver),
                  ('web.example.com', ssa_client.Resolver(sys.argv[1], ssa_client.DNSSEC_REQUIRED))]:
    try:
        print(ask.resolve(name))
    except ssa_client.Failure as failure:
        print(failure.status, failure)
";

/// Answers each line that a client of a namespace sends, until it has no more to say. Ends with this process.
fn answer_lines(namespace: &Namespace) {
    let listener = namespace.enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, LINES))).unwrap().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            for line in lines.map_while(Result::ok) {
                // A client that goes away has its own way to notice.
                let _ = writeln!(stream, "heard: {line}");
            }
        }
    });
}

/// Our server of names at the host, for as long as it is kept.
fn serve_names(site: &Site) -> Running {
    let config = site.folder.path().join("config.toml");
    let mut command = site.host.ssa_ctl(&site.pins);
    command
        .args(["dns", "serve", "--zone", "example.com", "--listen", &format!("[{HOST}]:53"), "--config"])
        .arg(config);
    let mut running = Running::start(command.stdin(Stdio::null()).stderr(Stdio::piped())).unwrap();
    let mut line = String::new();
    let mut said = BufReader::new(running.stderr.take().unwrap());
    said.read_line(&mut line).unwrap();
    assert!(line.starts_with("serving example.com. at "), "{line}");
    // Nobody reads what else it says, and it must not wait for that.
    thread::spawn(move || said.lines().map_while(Result::ok).for_each(drop));
    running
}

fn conform(site: &Site) -> u64 {
    site.packets(&["reasons", "conform"])
}

#[test]
fn programs_of_c_and_of_python_find_a_service_by_name_and_are_let_in() {
    let site = site("c", "src(0):64", "allow = [\"tcp/7444\"]\n");
    answer_lines(&site.host);
    let _names = serve_names(&site);
    let installed = Installed::new().unwrap();
    let program = installed.compile("examples/c/ssa_call.c", &[]).unwrap();
    let example = root().join("examples/python/ssa_client.py");
    let by_name = |command: &mut Command, option: &str| {
        let before = conform(&site);
        let said = Said::of(command.args([option, HOST, "web.example.com", "hello"]));
        let expected = (Some(0), format!("{GOOD}\nheard: hello\n"), "web.example.com has the rule src(0):64\n".into());
        assert_eq!((said.code, said.out, said.err), expected);
        assert!(conform(&site) > before);
    };
    by_name(&mut site.client.command(&program), "-s");
    by_name(installed.for_python(site.client.command("python3").arg(&example)), "--server");
    // By hand, no server of names is asked; a rule that is not the filter's lets nobody in.
    let hand = |rule: &str| {
        let mut command = site.client.command(&program);
        command.args([
            "-p",
            crate::site::PREFIX,
            "-r",
            &format!("v=1 rule={rule}"),
            "-P",
            "7444",
            "-t",
            "300",
            "web",
            "hi",
        ]);
        Said::of(&mut command)
    };
    let said = hand("src(0):64");
    assert_eq!((said.code, said.out), (Some(0), format!("{GOOD}\nheard: hi\n")));
    assert_eq!(site.packets(&["reasons", "field-mismatch"]), 0);
    let said = hand("src(0,inv):64");
    assert_eq!((said.code, said.out.as_str()), (Some(1), ""));
    assert!(said.err.contains("ssa_call: the time is over: no answer within 0.3 s, from [2001:db8:a:1:"), "{said:?}");
    assert!(site.packets(&["reasons", "field-mismatch"]) > 0);
}

#[test]
fn what_dns_says_is_what_a_program_of_python_sees() {
    let site = site("c-dns", "src(0):64", "allow = [\"tcp/7444\"]\n");
    let _names = serve_names(&site);
    let installed = Installed::new().unwrap();
    let mut command = site.client.command("python3");
    let said = output_of(installed.for_python(command.args(["-c", RESOLVE, HOST]))).unwrap();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines[0], format!("web.example.com src(0):64 {} 7444 300 False", crate::site::PREFIX));
    assert_eq!(lines[1], "7 ns.example.com has no rule record");
    assert!(lines[2].starts_with("8 DNS has no answer for _ssa.web.example.org. SVCB: "), "{said}");
    assert!(lines[3].contains("_ssa.web.example.com. SVCB") && ["8 ", "9 "].contains(&&lines[3][..2]), "{said}");
    assert_eq!(lines.len(), 4);
}

#[test]
fn a_socket_for_datagrams_has_its_source_and_a_key() {
    let rule = "any:16 mac(48,key=k1):48";
    let site = site("c-udp", rule, "");
    let installed = Installed::new().unwrap();
    let before = conform(&site);
    let mut command = site.client.command("python3");
    command.args(["-c", DATAGRAM, crate::site::PREFIX, &format!("v=1 rule={rule}"), SECRET]);
    let said = output_of(installed.for_python(&mut command)).unwrap();
    assert_eq!(said, format!("host {0} {0}\n", crate::site::CLIENT));
    assert_eq!((conform(&site), site.packets(&["reasons", "mac-mismatch"])), (before + 1, 0));
}
