//! A prefix's text in; a prefix that a service can have, or what is wrong with it, out. And the prefixes of all services
//! in; those that overlap, or are too many, out.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    ops::Range,
};

use ipnet::Ipv6Net;
use ssa_client::apl::{Why, usable};
use ssa_common::layout::{LENGTHS, LONGEST_PREFIX, SHORTEST_PREFIX};

use super::{
    service::Draft,
    table::{At, Sink},
};

/// Prefixes in one config, at most.
const MAX_PREFIXES: usize = 1 << 16;

/// Reads a prefix; else what is wrong and what would be right.
pub(super) fn parse(text: &str) -> Result<Ipv6Net, (String, String)> {
    let example = || "write an IPv6 prefix, such as 2001:db8:ac10:fe01::/64".to_owned();
    let Some((address, length)) = text.split_once('/') else {
        return Err(match text.parse() {
            Ok(IpAddr::V6(address)) => (format!("`{address}` has no prefix length"), format!("write {address}/64")),
            Ok(IpAddr::V4(address)) => (format!("`{address}` is an IPv4 address"), example()),
            Err(_) => (format!("{text:?} is not a prefix"), example()),
        });
    };
    let address: Ipv6Addr = match address.parse() {
        Ok(address) => address,
        Err(_) if address.parse::<Ipv4Addr>().is_ok() => {
            return Err((format!("{text:?} is an IPv4 prefix"), example()));
        }
        Err(_) => return Err((format!("{address:?} is not an IPv6 address"), example())),
    };
    let digits = length.bytes().all(|octet| octet.is_ascii_digit());
    let bounds = format!("a service's prefix has {SHORTEST_PREFIX} to {LONGEST_PREFIX} bits");
    let net = match length.parse().map(|length: u32| (length, u8::try_from(length))) {
        Ok((0, _)) if digits => return Err(("a prefix of /0 is every address there is".into(), bounds)),
        Ok((_, Ok(length))) if digits && length <= 128 => Ipv6Net::new_assert(address, length),
        Ok(_) if digits => return Err((format!("an address has 128 bits, not {length}"), bounds)),
        _ => return Err((format!("{length:?} is not a prefix length"), bounds)),
    };
    if let Err(unusable) = usable(net) {
        return Err(match unusable.why {
            Why::Special { all, .. } => {
                let help = format!("no service has addresses in {all}: use global or unique local ones");
                (unusable.to_string(), help)
            }
            Why::Length => (format!("a service cannot have a prefix of /{}", net.prefix_len()), bounds),
        });
    }
    if net.trunc() != net {
        let message = format!("`{text}` has bits set after its first {}", net.prefix_len());
        return Err((message, format!("write {}", net.trunc())));
    }
    Ok(net)
}

/// The faults of prefixes that are right each by itself.
pub(super) fn together(drafts: &[Draft<'_>], sink: &mut Sink) {
    let all: Vec<(&At<Ipv6Net>, &Draft<'_>)> =
        drafts.iter().flat_map(|draft| draft.prefixes.iter().map(move |prefix| (prefix, draft))).collect();
    if let Some((prefix, _)) = all.get(MAX_PREFIXES) {
        let message = format!("the config has {} prefixes", all.len());
        sink.error(prefix.span.clone(), message, format!("a config has at most {MAX_PREFIXES} prefixes"));
    }
    let mut lengths = BTreeSet::new();
    for (prefix, _) in &all {
        if lengths.insert(prefix.value.prefix_len()) && lengths.len() == LENGTHS + 1 {
            let message = format!("/{} is the 17th prefix length of the config", prefix.value.prefix_len());
            let help = format!("a config has at most {LENGTHS} different prefix lengths");
            sink.error(prefix.span.clone(), message, help);
        }
    }
    overlaps(all, sink);
}

/// Prefixes that overlap are one inside the other: sorted, the outer one comes first, and what is in it follows.
fn overlaps(mut all: Vec<(&At<Ipv6Net>, &Draft<'_>)>, sink: &mut Sink) {
    all.sort_by_key(|(prefix, _)| (prefix.value.network(), prefix.value.prefix_len(), prefix.span.start));
    let mut outer: Option<(&At<Ipv6Net>, &Draft<'_>)> = None;
    for (prefix, draft) in all {
        match outer {
            Some((around, other)) if around.value.contains(&prefix.value) => {
                // Said at the second of the two.
                let pair = [(around, other), (prefix, draft)];
                let [(first, of), (second, _)] =
                    if around.span.start < prefix.span.start { pair } else { [pair[1], pair[0]] };
                overlap(first, of, second, sink);
            }
            _ => outer = Some((prefix, draft)),
        }
    }
}

fn overlap(first: &At<Ipv6Net>, of: &Draft<'_>, second: &At<Ipv6Net>, sink: &mut Sink) {
    let Range { start, end } = second.span;
    let name = of.name.as_ref().map_or_else(String::new, |name| format!(" of the service {}", name.value));
    let message = if first.value == second.value {
        format!("{} is listed twice: it is a prefix{name} already", second.value)
    } else {
        format!("{} overlaps {}{name}", second.value, first.value)
    };
    sink.error(start..end, message, "an address belongs to one prefix of one service: take one of the two away");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_services_are_read() {
        for good in ["2001:db8::/32", "2001:db8::/120", "fd00::/16", "2001:db8:ac10:fe01::/64", "64:ff9b::/96"] {
            assert_eq!(parse(good).map(|net| net.to_string()), Ok(good.to_owned()));
        }
    }

    #[test]
    fn other_prefixes_are_refused_with_what_would_be_right() {
        let cases = [
            ("", "not a prefix", "2001:db8"),
            ("2001:db8::1", "no prefix length", "2001:db8::1/64"),
            ("192.0.2.1", "IPv4", "IPv6"),
            ("192.0.2.0/24", "IPv4", "IPv6"),
            ("2001:db8::/", "not a prefix length", "16 to 120"),
            ("2001:db8::/+64", "not a prefix length", "16 to 120"),
            ("2001:db8::/129", "128 bits", "16 to 120"),
            ("2001:db8::/99999999999", "not a prefix length", "16 to 120"),
            ("::/0", "every address", "16 to 120"),
            ("2001:db8::/121", "/121", "16 to 120"),
            ("2000::/3", "/3", "16 to 120"),
            ("2001:db8::1/64", "after its first 64", "write 2001:db8::/64"),
            ("fe80::/64", "link-local", "fe80::/10"),
            ("fe80::1%eth0/64", "not an IPv6 address", "2001:db8"),
            ("ff02::/64", "multicast", "ff00::/8"),
            ("::1/128", "loopback", "::1/128"),
            ("::ffff:1.2.3.4/96", "v4-mapped", "::ffff:0.0.0.0/96"),
            ("::ffff:1.2.3.0/120", "v4-mapped", "::ffff:0.0.0.0/96"),
            ("::/64", "holds unspecified", "::/128"),
        ];
        for (text, message, help) in cases {
            let (said, would_be) = parse(text).expect_err(text);
            assert!(said.contains(message) && would_be.contains(help), "{text}: {said}; {would_be}");
        }
    }
}
