//! `dns serve --rewrite` in; which programs get through a strict filter that ask it, and what else it answers, out.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use ssa_tests::net::{Namespace, output_of, route};

use super::{
    expected::{MANY, ask},
    name_server::{Kind, NameServer},
    published::{NAME, Published, UPSTREAM},
    secure,
    serving::Serving,
};
use crate::{
    client::SECRET,
    site::{GOOD, HOST, Said, Site},
};

/// What DNS has for programs that know nothing of rules.
const ANCHOR: &str = "2001:db8:a:1::1";
/// Where programs ask.
const HERE: &str = "[::1]:53";
/// Sends a datagram to a name, and says who answers.
const DATAGRAM: &str = "import socket
where = socket.getaddrinfo('web.example.com', 7443, type=socket.SOCK_DGRAM)[0]
s = socket.socket(*where[:3])
s.settimeout(1)
s.sendto(b'who', where[4])
print(s.recv(64).decode())
";
/// Connects to a name, and says who answers and who that is.
const STREAM: &str = "import socket
s = socket.create_connection(('web.example.com', 7443), 10)
print(s.recv(64).decode(), s.getpeername()[0])
";

/// What `dig` hears on the client.
fn asked(there: &Published, name: &str, kind: &str, more: &[&str]) -> String {
    dig(&there.site.client, name, kind, more)
}

/// The addresses of the service, and for how long.
fn served(there: &Published) -> Vec<(u32, String)> {
    addresses(&asked(there, NAME, "AAAA", &["+noall", "+answer"]))
}

fn reasons(there: &Published, names: [&str; 2]) -> [u64; 2] {
    names.map(|name| there.site.packets(&["reasons", name]))
}

fn rewriting(there: &Published, more: &[&str]) -> Serving {
    Serving::rewriting(&there.site.client, HERE, UPSTREAM, more)
}

fn dig(namespace: &Namespace, name: &str, kind: &str, more: &[&str]) -> String {
    output_of(ask(namespace, "dig", name, kind).args(more)).unwrap()
}

fn addresses(answer: &str) -> Vec<(u32, String)> {
    let record = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        (words[1].parse().unwrap(), words[4].to_owned())
    };
    answer.lines().filter(|line| line.contains("\tAAAA\t")).map(record).collect()
}

/// A file that names one server.
fn asks(site: &Site, name: &str, server: &str) -> PathBuf {
    site.file(name, &format!("nameserver {server}\noptions timeout:5 attempts:1\n"))
}

/// A program on the client that finds names by this file.
fn by(site: &Site, servers: &Path, program: &[&str]) -> Command {
    let mut command = site.client.command("unshare");
    command
        .args(["--mount", "sh", "-c", "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\""])
        .arg(servers)
        .args(program);
    command
}

#[test]
fn unmodified_programs_get_through_by_name_and_not_without() {
    let there = Published::new("rewrite", "hash(48):20 any:*");
    let site = &there.site;
    let _rewriting = rewriting(&there, &[]);
    let (here, elsewhere) = (asks(site, "here.conf", "::1"), asks(site, "elsewhere.conf", HOST));
    let counted = || reasons(&there, ["conform", "field-mismatch"]);
    let said = output_of(&mut by(site, &here, &["python3", "-c", DATAGRAM])).unwrap();
    assert_eq!((said.as_str(), counted()), ("host\n", [1, 0]));
    let said = output_of(&mut by(site, &elsewhere, &["python3", "-c", DATAGRAM])).unwrap_err();
    assert!(format!("{said:#}").contains("timed out"), "{said:#}");
    assert_eq!(counted(), [1, 1]);
    // Each connection has an address of its own.
    let stream = || output_of(&mut by(site, &here, &["python3", "-c", STREAM])).unwrap();
    let (one, other) = (stream(), stream());
    assert!(one.starts_with("host 2001:db8:a:1:") && other.starts_with("host 2001:db8:a:1:"), "{one}{other}");
    assert!(one != other && !one.contains(ANCHOR), "{one}{other}");
    let curl = ["curl", "--silent", "--http0.9", "--noproxy", "*", "--max-time", "10", "http://web.example.com:7443/"];
    // It is no web server: what it says comes before it has heard what is wanted.
    let output = by(site, &here, &curl).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "host", "{output:?}");
    assert_eq!(there.site.packets(&["reasons", "field-mismatch"]), 1);
    let [first, second] = [served(&there), served(&there)];
    assert!(first[0].0 == 0 && first.len() == 1 && first != second, "{first:?} {second:?}");
}

#[test]
fn a_rule_that_leaves_no_choice_is_kept_for_a_while_and_other_answers_are_as_they_were() {
    let there = Published::new("rewritten", "src(0):64");
    let server = rewriting(&there, &[]);
    let answer = asked(&there, NAME, "AAAA", &[]);
    let found = addresses(&answer);
    assert!(matches!(&found[..], [(1..=2, address)] if address == GOOD), "{answer}");
    let flags = answer.lines().find(|line| line.starts_with(";; flags:")).unwrap();
    assert!(flags.contains(" qr rd ra;"), "neither authoritative nor authentic: {flags}");
    // No address of another family leads past the rule.
    let legacy = asked(&there, NAME, "A", &[]);
    assert!(legacy.contains("status: NOERROR") && legacy.contains("ANSWER: 0"), "{legacy}");
    // Letters are as they were asked for.
    assert!(asked(&there, "wEb.eXample.com", "AAAA", &["+noall", "+answer"]).starts_with("wEb.eXample.com."));

    // All else is what the others say, octet for octet but for the time it took.
    let theirs = |name: &str, kind: &str, more: &[&str]| {
        let mut command = there.site.client.command("dig");
        command.args([&format!("@{HOST}"), name, kind, "+nocookie"]).args(more);
        output_of(&mut command).unwrap()
    };
    let same = |text: String| -> Vec<String> {
        let differs = |line: &&str| {
            [";; Query", ";; SERVER", ";; WHEN", "; <<>>", ";; ->>HEADER"].iter().all(|start| !line.starts_with(start))
        };
        let status =
            text.lines().find_map(|line| line.split_once("status: ")).map(|(_, rest)| rest.split(',').next().unwrap());
        let status = status.unwrap_or_default().to_owned();
        text.lines().filter(differs).map(str::to_owned).chain([status]).collect()
    };
    for (name, kind) in [
        ("ns.example.com", "AAAA"),
        ("ns.example.com", "A"),
        ("mail.example.com", "AAAA"),
        ("mail.example.com", "A"),
        ("web.example.com", "ANY"),
        ("_ssa.web.example.com", "TXT"),
        ("_ssa.web.example.com", "APL"),
        ("_ssa.web.example.com", "SVCB"),
        ("example.com", "SOA"),
        ("example.org", "AAAA"),
        ("_ssa.wide.example.com", "APL"),
    ] {
        for more in [
            &["+notcp", "+ignore"][..],
            &["+tcp"],
            &["+notcp", "+ignore", "+noedns"],
            &["+notcp", "+ignore", "+bufsize=4000"],
        ] {
            let mine = asked(&there, name, kind, &[&["+nocookie"], more].concat());
            assert_eq!(same(mine), same(theirs(name, kind, more)), "{name} {kind} {more:?}");
        }
    }
    assert!(asked(&there, "mail.example.com", "AAAA", &[]).contains("status: NXDOMAIN"));
    let cut = asked(&there, "_ssa.wide.example.com", "APL", &["+ignore"]);
    assert!(cut.lines().any(|line| line.starts_with(";; flags:") && line.contains(" tc ")), "{cut}");
    let whole = asked(&there, "_ssa.wide.example.com", "APL", &["+short"]);
    assert_eq!(whole.matches("2:2001:db8:").count(), MANY);
    let wayless = asked(&there, "wide.example.com", "AAAA", &[]);
    assert!(wayless.contains("status: SERVFAIL") && wayless.contains("EDE: 0"), "{wayless}");
    let zone = output_of(&mut ask(&there.site.client, "dig", "example.com", "AXFR")).unwrap();
    assert!(zone.contains("Transfer failed"), "{zone}");

    // Nobody is there to ask.
    there.upstream.end();
    for (name, more) in [("ns.example.com", "+notcp"), ("ns.example.com", "+tcp"), ("other.example.com", "+notcp")] {
        let answer = dig(&there.site.client, name, "AAAA", &[more]);
        assert!(answer.contains("status: SERVFAIL") && answer.contains("EDE: 22"), "{answer}");
    }
    server.end();
}

#[test]
fn of_many_prefixes_sixteen_are_called() {
    let there = Published::new("rewidth", "src(0):64");
    let _rewriting = rewriting(&there, &[]);
    route(&there.site.client, &["2001:db8:1000::/36", "via", HOST]).unwrap();
    let found = addresses(&asked(&there, "wide.example.com", "AAAA", &["+tcp"]));
    assert_eq!(found.len(), 16, "{found:?}");
    // All of them have room in the least datagram.
    assert_eq!(addresses(&asked(&there, "wide.example.com", "AAAA", &["+noedns", "+ignore"])).len(), 16);
}

#[test]
fn what_a_rule_needs_is_said_or_the_name_is_as_it_is() {
    let there = Published::new("rewish", "hash(48):16 object(0):48");
    let mut without = rewriting(&there, &[]);
    assert_eq!(served(&there), [(2, ANCHOR.to_owned())]);
    let line = without.line();
    assert!(line.contains("web.example.com is answered as it is") && line.contains("add --object ID"), "{line}");
    without.end();
    let with = rewriting(&there, &["--object", "0xffff0000000000000000000000000000"]);
    let found = served(&there);
    assert!(matches!(&found[..], [(1..=2, address)] if address.ends_with(":ffff::")), "{found:?}");
    with.end();
}

#[test]
fn keys_and_proofs_let_in() {
    for (label, rule, refused) in [
        ("rekey", "any:16 mac(48,key=k1,period=1m):48", "mac-mismatch"),
        ("repow", "hash(48):14 pow(64,zeros=12,period=10m):50", "pow-missing"),
    ] {
        let there = Published::new(label, rule);
        let key = there.site.file("client.key", SECRET);
        fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let key = format!("1:{}", key.display());
        let _rewriting = rewriting(&there, &["--key", &key]);
        let here = asks(&there.site, "here.conf", "::1");
        let said = output_of(&mut by(&there.site, &here, &["python3", "-c", DATAGRAM])).unwrap();
        assert_eq!((said.as_str(), reasons(&there, ["conform", refused])), ("host\n", [1, 0]), "{rule}");
    }
}

#[test]
fn a_proof_that_takes_too_long_is_none() {
    let there = Published::new("repoor", "hash(48):14 pow(64,zeros=40):50");
    let _rewriting = rewriting(&there, &[]);
    let answer = asked(&there, NAME, "AAAA", &[]);
    assert!(
        answer.contains("status: SERVFAIL") && answer.contains("a proof of work takes longer than 3 s"),
        "{answer}"
    );
}

#[test]
fn nobody_vouches_for_what_is_computed() {
    let server = NameServer::signed(&secure::zone());
    let anchor = secure::anchor(&server);
    server.namespace.ip(&["-6", "address", "add", "2001:db8:77:1::5/128", "dev", "lo", "nodad"]).unwrap();
    route(&server.namespace, &["2001:db8:ac10::/44", "dev", "lo"]).unwrap();
    let secure = ["--require-secure", "--trust-anchor", &anchor];
    let _rewriting = Serving::rewriting(&server.namespace, "[::1]:5353", "::1", &secure);
    let asked = |more: &[&str]| dig(&server.namespace, NAME, "AAAA", &[&["-p", "5353"], more].concat());
    let computed = asked(&["+dnssec"]);
    let found = addresses(&computed);
    assert!(found.len() == 2 && found.iter().all(|(ttl, _)| *ttl == 0), "{computed}");
    assert!(found[0].1 != "2001:db8:ac10:fe01::1" && !computed.contains("RRSIG"), "{computed}");
    // Who checks signatures for itself gets what is signed.
    let signed = asked(&["+dnssec", "+cdflag"]);
    assert!(signed.contains("RRSIG") && addresses(&signed)[0].1 == "2001:db8:ac10:fe01::1", "{signed}");
    // What is not signed is not followed.
    let unsigned = NameServer::start(Kind::Bind, &secure::zone());
    let mut rewriting = Serving::rewriting(&unsigned.namespace, "[::1]:5353", "::1", &secure);
    let left = dig(&unsigned.namespace, NAME, "AAAA", &["-p", "5353"]);
    assert_eq!(addresses(&left)[0].1, "2001:db8:ac10:fe01::1");
    let line = rewriting.line();
    assert!(
        line.contains("web.example.com is answered as it is") && line.contains("_ssa.web.example.com. SVCB"),
        "{line}"
    );
}

#[test]
fn what_would_be_of_no_use_is_refused() {
    let namespace = Namespace::new("refuse").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = namespace.ssa_ctl("unused");
        Said::of(command.args(["--json", "dns", "serve"]).args(arguments))
    };
    let rewrite = |listen: &str, server: &str| run(&["--rewrite", "--listen", listen, "--server", server]);
    assert!(rewrite("[::]:53", "::1").message(2).contains("not on the loopback interface"));
    assert!(rewrite("[::1]:53", "::1").message(2).contains("round in a circle"));
    let zone = ["--zone", "example.com"];
    for (arguments, word) in [
        (&["--rewrite"][..], "--server"),
        (&["--rewrite", "--server", "::1", "--zone", "example.com"], "--zone"),
        (&["--rewrite", "--server", "::1", "--config", "dns.toml"], "--config"),
        (&[&zone[..], &["--server", "::1"]].concat(), "--server"),
        (&[&zone[..], &["--object", "7"]].concat(), "--object"),
        (&[&zone[..], &["--key", "7:file"]].concat(), "--key"),
        (&["--server", "::1"], "--zone"),
        (&[], "--zone"),
    ] {
        let message = run(arguments).message(2);
        assert!(message.contains(word), "{arguments:?}: {message}");
    }
}
