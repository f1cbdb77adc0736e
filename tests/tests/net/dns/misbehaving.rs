//! Name servers and clients that misbehave in; what `dns serve --rewrite` between them answers all the same, out.

use std::{
    io::Read as _,
    net::{TcpStream, UdpSocket},
    thread,
};

use ssa_tests::net::{Namespace, output_of};

use super::{expected::ask, serving::Serving};
use crate::stream::LONGEST;

/// Where the name server is, and where programs ask.
const UPSTREAM: &str = "[::1]:5300";
const HERE: &str = "[::1]:53";
/// What it has for programs that know nothing of rules, and for how long, in octets of a record.
const ANCHOR: &str = "2001:db8:a:1::1";
const RECORD: &str = "c00c001c00010000012c0010 20010db8000a00010000000000000001";
/// Connections that there may be at a time.
const CONNECTIONS: usize = 64;
/// Octets of a header; what begins a question below `_ssa`.
const HEADER: usize = 12;
const LABEL: &[u8] = b"\x04_ssa";

/// What a name server says of names below `_ssa`.
#[derive(Clone, Copy, Debug)]
enum OfRules {
    Nothing,
    Failure,
    Silence,
}

/// A name server where each name has an address. It ends with this process.
fn upstream(namespace: &Namespace, of_rules: OfRules) {
    let socket = namespace.enter(|| UdpSocket::bind(UPSTREAM)).unwrap().unwrap();
    let digits: Vec<_> = RECORD.bytes().filter(u8::is_ascii_hexdigit).collect();
    let octet = |two: &[u8]| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap();
    let record: Vec<_> = digits.chunks(2).map(octet).collect();
    thread::spawn(move || {
        let mut octets = [0; 512];
        while let Ok((length, client)) = socket.recv_from(&mut octets) {
            let name = octets[HEADER..length].split(|octet| *octet == 0).next().unwrap();
            let question = octets[HEADER..HEADER + name.len() + 5].to_vec();
            let (code, answers) = match of_rules {
                _ if !name.starts_with(LABEL) => (0, &record[..]),
                OfRules::Nothing => (0, &[][..]),
                OfRules::Failure => (2, &[][..]),
                OfRules::Silence => continue,
            };
            let count = u8::from(!answers.is_empty());
            let header = [octets[0], octets[1], 0x85, 0x80 | code, 0, 1, 0, count, 0, 0, 0, 0];
            let _ = socket.send_to(&[&header, &question[..], answers].concat(), client);
        }
    });
}

#[test]
fn what_may_have_a_rule_is_kept_by_nobody() {
    for (of_rules, ttl, why) in [
        (OfRules::Nothing, 300, None),
        (OfRules::Failure, 0, Some("DNS has no answer for _ssa.web.example.com. SVCB")),
        (OfRules::Silence, 0, Some("DNS ")),
    ] {
        let namespace = Namespace::new("norule").unwrap();
        upstream(&namespace, of_rules);
        let mut rewriting = Serving::rewriting(&namespace, HERE, "::1#5300", &[]);
        let answer = output_of(ask(&namespace, "dig", "web.example.com", "AAAA").args(["+noall", "+answer"])).unwrap();
        let words: Vec<_> = answer.split_whitespace().collect();
        let expected = ["web.example.com.", &format!("{ttl}"), "IN", "AAAA", ANCHOR];
        assert_eq!(words, expected, "{of_rules:?}");
        if let Some(why) = why {
            let line = rewriting.line();
            assert!(line.contains("web.example.com is answered as it is") && line.contains(why), "{line}");
        }
        rewriting.end();
    }
}

#[test]
fn connections_that_ask_nothing_keep_nobody_out() {
    let namespace = Namespace::new("idle").unwrap();
    upstream(&namespace, OfRules::Nothing);
    let rewriting = Serving::rewriting(&namespace, HERE, "::1#5300", &[]);
    let connect = || namespace.enter(|| TcpStream::connect(HERE)).unwrap().unwrap();
    let mut idle: Vec<_> = (0..CONNECTIONS).map(|_| connect()).collect();
    // Its name server has no TCP, and what it says of that comes all the same: there was room to ask.
    let answer =
        output_of(ask(&namespace, "dig", "web.example.com", "AAAA").args(["+tcp", "+tries=1", "+time=3"])).unwrap();
    assert!(answer.contains("status: SERVFAIL"), "{answer}");
    idle[0].set_read_timeout(Some(LONGEST)).unwrap();
    assert_eq!(idle[0].read(&mut [0]).unwrap(), 0, "the oldest is closed");
    rewriting.end();
}
