//! Words of the command line, or a file with a source a line, in; which clients there are, as prefixes and numbers, out.

use std::{io::Read as _, net::Ipv6Addr, path::Path, str::FromStr};

use anyhow::Context as _;
use ipnet::Ipv6Net;

use crate::{
    config::open_regular,
    failure::{Code, Failure},
};

/// Clients of a run, at most.
pub const MOST: u64 = 10_000_000;
/// Octets of a file, at most.
const MOST_OCTETS: u64 = 1 << 30;
const FORM: &str = "write an address or a prefix, and behind a space how many clients it has: 2001:db8::/32 100";

/// Clients with random addresses of a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clients {
    /// The prefix.
    pub prefix: Ipv6Net,
    /// How many.
    pub count: u64,
}

/// The addresses that the Internet's hosts have (RFC 4291 §2.4, as assigned by IANA).
pub fn global_unicast() -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3)
}

impl FromStr for Clients {
    type Err = String;

    /// `uniform:N` or `prefix:PREFIX:N`.
    fn from_str(text: &str) -> Result<Self, String> {
        let form = || "write uniform:N or prefix:PREFIX:N, such as prefix:2001:db8::/32:10000".to_owned();
        let (kind, rest) = text.split_once(':').ok_or_else(form)?;
        let (prefix, count) = match kind {
            "uniform" => (global_unicast(), rest),
            "prefix" => {
                let (address, rest) = rest.split_once('/').ok_or_else(form)?;
                let (length, count) = rest.split_once(':').ok_or_else(form)?;
                (net(&format!("{address}/{length}"))?, count)
            }
            _ => return Err(form()),
        };
        Ok(Self { prefix, count: number(count)? })
    }
}

/// Reads a file of sources.
///
/// # Errors
/// Where it cannot be read, or a line is not a source; the error names file and line.
pub fn read(path: &Path) -> Result<Vec<Clients>, Failure> {
    let shown = path.display();
    let mut text = String::new();
    let cannot = || format!("the file of sources {shown} cannot be read");
    let file = open_regular(path).with_context(cannot).map_err(|error| Failure::from(error).code(Code::Invalid))?;
    let Some(file) = file else {
        let message = format!("the file of sources {shown} is not a regular file");
        return Err(Failure::new(Code::Invalid, message).hint("folders, pipes and devices are not read: give a file"));
    };
    file.take(MOST_OCTETS + 1)
        .read_to_string(&mut text)
        .with_context(cannot)
        .map_err(|error| Failure::from(error).code(Code::Invalid))?;
    if text.len() as u64 > MOST_OCTETS {
        return Err(Failure::new(Code::Invalid, format!("the file of sources {shown} has more than 1 GiB")));
    }
    let sources = parse(&text)
        .map_err(|(line, fault)| Failure::new(Code::Invalid, format!("{shown}, line {line}: {fault}")).hint(FORM))?;
    if sources.is_empty() {
        let message = format!("the file of sources {shown} names no source");
        return Err(Failure::new(Code::Invalid, message).hint(FORM));
    }
    Ok(sources)
}

/// Addresses and prefixes, one a line; `#` begins a comment. The error has the line's number.
fn parse(text: &str) -> Result<Vec<Clients>, (usize, String)> {
    let mut sources = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default();
        if !line.trim().is_empty() {
            sources.push(source(line).map_err(|fault| (number, fault))?);
        }
    }
    Ok(sources)
}

fn source(line: &str) -> Result<Clients, String> {
    let mut words = line.split_whitespace();
    let prefix = net(words.next().unwrap_or_default())?;
    let count = words.next().map_or(Ok(1), number)?;
    words.next().map_or(Ok(Clients { prefix, count }), |word| Err(format!("{word} is one word too many")))
}

/// A prefix; an address is one of its own.
pub fn net(text: &str) -> Result<Ipv6Net, String> {
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return Ok(address.into());
    }
    let prefix: Ipv6Net = text.parse().map_err(|_| format!("{text} is no IPv6 address or prefix"))?;
    let trunc = prefix.trunc();
    if prefix == trunc { Ok(prefix) } else { Err(format!("{text} has bits behind its length: write {trunc}")) }
}

fn number(text: &str) -> Result<u64, String> {
    let count = text.parse().ok().filter(|count| (1..=MOST).contains(count));
    count.ok_or_else(|| format!("{text} is no number of clients from 1 to {MOST}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clients(prefix: &str, count: u64) -> Clients {
        Clients { prefix: prefix.parse().unwrap(), count }
    }

    #[test]
    fn populations_are_read() {
        let read = |text: &str| text.parse::<Clients>();
        assert_eq!(read("uniform:5"), Ok(clients("2000::/3", 5)));
        assert_eq!(read("prefix:2001:db8::/32:10000"), Ok(clients("2001:db8::/32", 10_000)));
        for bad in
            ["uniform", "uniform:0", "uniform:10000001", "prefix:2001:db8::/32", "prefix:2001:db8::1/32:1", "a:1"]
        {
            assert!(read(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn files_are_read() {
        let text = "# sources\n\n2001:db8::1\n 2001:db8:1::/48 20 # a network\n";
        assert_eq!(parse(text).unwrap(), [clients("2001:db8::1/128", 1), clients("2001:db8:1::/48", 20)]);
        for (text, line, words) in [
            ("::1\nx", 2, "x is no IPv6"),
            ("10.0.0.0/8", 1, "no IPv6"),
            ("2001:db8::1/32", 1, "write 2001:db8::/32"),
            ("::1 0", 1, "0 is no number"),
            ("::1 1 1", 1, "too many"),
        ] {
            let (at, fault) = parse(text).unwrap_err();
            assert!(at == line && fault.contains(words), "{at}: {fault}");
        }
    }
}
