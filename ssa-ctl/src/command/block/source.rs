//! The text of a source prefix, or of a reason, in; what can be blocked, or what is wrong with it, out.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::Ipv6Net;
use ssa_common::layout::{BLOCK_TEXT, SHORTEST_BLOCK};

use crate::config::{Refusal, WordError};

/// Sources that cannot be: what comes from there is dropped without a list.
const IMPOSSIBLE: [(&str, Ipv6Addr, u8); 5] = [
    ("unspecified", Ipv6Addr::UNSPECIFIED, 128),
    ("loopback", Ipv6Addr::LOCALHOST, 128),
    ("v4-mapped", Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96),
    ("link-local", Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    ("multicast", Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
];

/// Whether a text is an IPv4 address or prefix.
pub(super) fn is_ipv4(text: &str) -> bool {
    let address = text.split_once('/').map_or(text, |(address, _)| address);
    matches!(address.parse(), Ok(IpAddr::V4(_)))
}

/// Reads a prefix, or an address, which is a prefix of 128 bits.
pub(super) fn parse(text: &str) -> Result<Ipv6Net, Refusal> {
    let refuse = |message: String, help: String| Err(Refusal { message, help });
    if is_ipv4(text) {
        return refuse(format!("`{text}` is IPv4"), "only IPv6 sources are filtered, and can be blocked".into());
    }
    let (address, length) = text.split_once('/').unwrap_or((text, "128"));
    let Ok(address) = address.parse::<Ipv6Addr>() else {
        return refuse(format!("{text:?} is not a prefix"), "write an IPv6 prefix, such as 2001:db8:77::/48".into());
    };
    let digits = !length.is_empty() && length.bytes().all(|octet| octet.is_ascii_digit());
    let bits = length.parse().ok().filter(|bits| digits && (SHORTEST_BLOCK..=128).contains(bits));
    let Some(prefix) = bits.and_then(|bits| Ipv6Net::new(address, bits).ok()) else {
        let bounds = format!("a prefix that is blocked has {SHORTEST_BLOCK} to 128 bits");
        return refuse(format!("`{text}` cannot be blocked"), bounds);
    };
    if prefix.trunc() != prefix {
        return Err(Refusal::behind(text, prefix));
    }
    let kinds = IMPOSSIBLE.iter().map(|(kind, address, bits)| (kind, Ipv6Net::new_assert(*address, *bits)));
    if let Some((kind, _)) = kinds.into_iter().find(|(_, net)| net.contains(&prefix)) {
        let help = "such sources are bad-source, but for neighbour discovery: they need no list";
        return refuse(format!("`{text}` is {kind}"), help.into());
    }
    Ok(prefix)
}

/// Reads a reason: words behind each other, and not too long.
pub(super) fn reason(text: &str) -> Result<String, WordError> {
    let words: Vec<_> = text.split_whitespace().collect();
    let reason = words.join(" ");
    if reason.len() > BLOCK_TEXT {
        return Err(WordError("a reason has 128 octets at most"));
    }
    if reason.chars().any(char::is_control) {
        return Err(WordError("a reason is text, without control characters"));
    }
    Ok(reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_are_read_as_they_are_written() {
        for (text, prefix) in [
            ("2001:db8::/32", "2001:db8::/32"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("2000::/16", "2000::/16"),
            ("fd00::/64", "fd00::/64"),
            ("64:ff9b::/96", "64:ff9b::/96"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), prefix);
        }
    }

    #[test]
    fn what_cannot_be_blocked_is_told_with_what_would_be_right() {
        for (text, message, help) in [
            ("192.0.2.0/24", "is IPv4", "only IPv6"),
            ("192.0.2.7", "is IPv4", "only IPv6"),
            ("2001:db8::1/64", "bits set behind", "2001:db8::/64"),
            ("2000::/15", "cannot be blocked", "16 to 128"),
            ("::/0", "cannot be blocked", "16 to 128"),
            ("2001:db8::/129", "cannot be blocked", "16 to 128"),
            ("2001:db8::/+48", "cannot be blocked", "16 to 128"),
            ("2001:db8::/", "cannot be blocked", "16 to 128"),
            ("fe80::/64", "link-local", "bad-source"),
            ("ff02::1", "multicast", "bad-source"),
            ("::1", "loopback", "bad-source"),
            ("::", "unspecified", "bad-source"),
            ("::ffff:192.0.2.1", "v4-mapped", "bad-source"),
            ("web", "is not a prefix", "2001:db8:77::/48"),
            ("", "is not a prefix", "2001:db8:77::/48"),
        ] {
            let refusal = parse(text).unwrap_err();
            assert!(refusal.message.contains(message), "{text}: {refusal}");
            assert!(refusal.help.contains(help), "{text}: {}", refusal.help);
        }
    }

    #[test]
    fn reasons_are_short_text() {
        assert_eq!(reason("  a\tb \n c ").unwrap(), "a b c");
        assert!(reason(&"ä".repeat(64)).is_ok());
        assert!(reason(&"ä".repeat(65)).is_err() && reason("a\u{1b}[m").is_err());
    }
}
