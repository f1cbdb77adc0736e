//! A text in; the source prefix that it is, or why it is none, out.

use std::{borrow::Cow, net::IpAddr};

use ipnet::Ipv6Net;

use crate::config::Refusal;

/// Characters of a text that is quoted, at most.
const QUOTED: usize = 80;

/// Whether a text is an IPv4 address or prefix.
pub fn is_ipv4(text: &str) -> bool {
    matches!(address(text).parse(), Ok(IpAddr::V4(_)))
}

/// A text as it is quoted: its begin, where it is long.
pub fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(QUOTED) {
        None => text.into(),
        Some((end, _)) => format!("{}…", &text[..end]).into(),
    }
}

/// Reads a prefix, or an address, which is a prefix of 128 bits.
///
/// # Errors
/// Where it is neither, or not of IPv6, or has bits set behind its length.
pub fn parse(text: &str) -> Result<Ipv6Net, Refusal> {
    let refuse =
        |message: &str, help: &str| Err(Refusal { message: format!("`{}` {message}", cut(text)), help: help.into() });
    let first = text.split([' ', '\t', ',']).next().unwrap_or(text);
    if first.len() < text.len() && address(first).parse::<IpAddr>().is_ok() {
        return refuse("is more than a prefix", "write one prefix a line; a reason stands behind # or ;");
    }
    if is_ipv4(text) {
        return refuse("is IPv4", "only IPv6 sources are filtered: write an IPv6 prefix, such as 2001:db8:77::/48");
    }
    let (address, length) = text.split_once('/').unwrap_or((text, "128"));
    let Ok(address) = address.parse() else {
        return refuse("is not a prefix", "write an IPv6 prefix or address, such as 2001:db8:77::/48");
    };
    let digits = !length.is_empty() && length.bytes().all(|octet| octet.is_ascii_digit());
    let bits = length.parse().ok().filter(|_| digits);
    let Some(prefix) = bits.and_then(|bits| Ipv6Net::new(address, bits).ok()) else {
        return refuse("is not a prefix", "behind the / stands a number of bits, 128 at most");
    };
    if prefix.trunc() == prefix { Ok(prefix) } else { Err(Refusal::behind(text, prefix)) }
}

fn address(text: &str) -> &str {
    text.split_once('/').map_or(text, |(address, _)| address)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_read_as_they_are_written() {
        for (text, prefix) in [
            ("2001:db8::/32", "2001:db8::/32"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("::/0", "::/0"),
            ("64:ff9b::/96", "64:ff9b::/96"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), prefix);
        }
    }

    #[test]
    fn what_is_no_prefix_is_told_with_what_would_be_right() {
        let long = "x".repeat(1000);
        for (text, message, help) in [
            ("192.0.2.0/24", "`192.0.2.0/24` is IPv4", "only IPv6"),
            ("192.0.2.7", "`192.0.2.7` is IPv4", "only IPv6"),
            ("2001:db8::1/64", "bits set behind", "2001:db8::/64"),
            ("2001:db8::/129", "is not a prefix", "128 at most"),
            ("2001:db8::/+48", "is not a prefix", "number of bits"),
            ("2001:db8::/", "is not a prefix", "number of bits"),
            ("2001:db8:8::/48,spam", "is more than a prefix", "behind # or ;"),
            ("2001:db8:8::/48 spam list", "is more than a prefix", "behind # or ;"),
            ("2001:db8:8::/48\t// spam", "is more than a prefix", "behind # or ;"),
            ("2001:db8:8::1 2001:db8:9::/48", "is more than a prefix", "one prefix a line"),
            ("192.0.2.7 2001:db8:9::/48", "is more than a prefix", "one prefix a line"),
            ("web", "`web` is not a prefix", "2001:db8:77::/48"),
            ("a list", "is not a prefix", "2001:db8:77::/48"),
            ("", "is not a prefix", "2001:db8:77::/48"),
            (&long, "x…` is not a prefix", "2001:db8:77::/48"),
        ] {
            let refusal = parse(text).unwrap_err();
            assert!(refusal.message.contains(message) && refusal.message.len() < 120, "{text}: {refusal}");
            assert!(refusal.help.contains(help), "{text}: {}", refusal.help);
        }
        assert_eq!((cut("ä"), cut(&"ä".repeat(80)).chars().count(), cut(&long).chars().count()), ("ä".into(), 80, 81));
    }
}
