//! Address prefix lists at random in; what dnspython makes of our octets and text, and we of its, out.

use std::{
    fmt::Write as _,
    io::Write as _,
    process::{Command, Stdio},
};

use ipnet::{Ipv4Net, Ipv6Net};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use ssa_client::apl::{Family, Item, List, decode, encode};

/// Reads lines of octets and text; writes for each the text that it makes of the octets, and the octets of the text.
const SCRIPT: &str = "
import sys, dns.rdata
for line in sys.stdin:
    octets, _, text = line.rstrip('\\n').partition(' ')
    octets = bytes.fromhex(octets)
    read = dns.rdata.from_wire('IN', 'APL', octets, 0, len(octets))
    written = dns.rdata.from_text('IN', 'APL', text)
    print(written.to_wire().hex(), read.to_text())
";

/// Lists.
const LISTS: usize = 2_000;

fn item(random: &mut StdRng) -> Item {
    let address = if random.random() {
        Family::V4(Ipv4Net::new(random.random::<u32>().into(), random.random_range(0..=32)).unwrap().trunc())
    } else {
        Family::V6(Ipv6Net::new(random.random::<u128>().into(), random.random_range(0..=128)).unwrap().trunc())
    };
    Item { negated: random.random(), address }
}

fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut digits, octet| {
        write!(digits, "{octet:02x}").unwrap();
        digits
    })
}

fn octets(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn dnspython_reads_what_we_write_and_we_what_it_writes() {
    let mut random = StdRng::seed_from_u64(42);
    let mut lists: Vec<Vec<Item>> = Vec::new();
    for _ in 0..LISTS {
        let count = random.random_range(1..12);
        lists.push((0..count).map(|_| item(&mut random)).collect());
    }
    let line = |items: &Vec<Item>| format!("{} {}\n", hexadecimal(&encode(items)), List(items.clone()));
    let ours: String = lists.iter().map(line).collect();

    // Debian's own, whatever others there are.
    let mut python = Command::new("/usr/bin/python3");
    python.args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut python = python.spawn().unwrap();
    let mut input = python.stdin.take().unwrap();
    let writer = std::thread::spawn(move || input.write_all(ours.as_bytes()));
    let output = python.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "dnspython has said why on standard error");
    let theirs = String::from_utf8(output.stdout).unwrap();
    assert_eq!(theirs.lines().count(), LISTS);
    for (items, line) in lists.iter().zip(theirs.lines()) {
        let (digits, text) = line.split_once(' ').unwrap();
        assert_eq!(text.parse::<List>().unwrap().0, *items, "its text of our octets");
        assert_eq!(digits, hexadecimal(&encode(items)), "its octets of our text are ours");
        assert_eq!(decode(&octets(digits)).unwrap(), *items);
    }
}
