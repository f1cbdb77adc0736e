//! A prefix in; whether a service can have it, or why not, out.

use std::{fmt, net::Ipv6Addr};

use ipnet::Ipv6Net;
use ssa_common::layout::{LONGEST_PREFIX, SHORTEST_PREFIX};

/// Addresses that are no service's and no endpoint's, and what they are.
const SPECIAL: [(&str, Ipv6Addr, u8); 5] = [
    ("unspecified", Ipv6Addr::UNSPECIFIED, 128),
    ("loopback", Ipv6Addr::LOCALHOST, 128),
    ("v4-mapped", Ipv6Addr::new(0, 0, 0, 0, 0, 0xffff, 0, 0), 96),
    ("link-local", Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    ("multicast", Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
];

/// A prefix that no service can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The prefix.
    pub prefix: Ipv6Net,
    /// Why not.
    pub why: Why,
}

/// Why no service can have a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// All or some of its addresses are of this kind, and no service's.
    Special {
        /// What they are called.
        kind: &'static str,
        /// All addresses of the kind.
        all: Ipv6Net,
    },
    /// It is shorter than [`SHORTEST_PREFIX`] or longer than [`LONGEST_PREFIX`].
    Length,
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { prefix, why } = self;
        match why {
            Why::Special { kind, all } if all.prefix_len() > prefix.prefix_len() => {
                write!(f, "{prefix} holds {kind} addresses")
            }
            Why::Special { kind, .. } => write!(f, "{prefix} is {kind}"),
            Why::Length => {
                write!(f, "{prefix} is no service's, whose prefixes have {SHORTEST_PREFIX} to {LONGEST_PREFIX} bits")
            }
        }
    }
}

/// The prefix, if a service can have it.
///
/// # Errors
/// Why not.
pub fn usable(prefix: Ipv6Net) -> Result<Ipv6Net, Unusable> {
    if let Some((kind, all)) = special(&prefix) {
        return Err(Unusable { prefix, why: Why::Special { kind, all } });
    }
    if !(SHORTEST_PREFIX..=LONGEST_PREFIX).contains(&prefix.prefix_len()) {
        return Err(Unusable { prefix, why: Why::Length });
    }
    Ok(prefix)
}

/// What addresses of `net` are that belong to no service and no endpoint, and which those are.
pub fn special(net: &Ipv6Net) -> Option<(&'static str, Ipv6Net)> {
    specials().find(|(_, special)| special.contains(net) || net.contains(special))
}

/// The addresses that are no host's of its own, and what they are called.
pub fn specials() -> impl Iterator<Item = (&'static str, Ipv6Net)> {
    SPECIAL.iter().map(|(kind, address, length)| (*kind, Ipv6Net::new_assert(*address, *length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_has_prefixes_of_some_lengths_and_no_special_ones() {
        let why = |text: &str| usable(text.parse().unwrap()).map(|_| ()).map_err(|error| error.to_string());
        for good in ["2001:db8::/16", "2001:db8::/120", "fd00::/16", "64:ff9b::/96"] {
            assert_eq!(why(good), Ok(()), "{good}");
        }
        for (text, words) in [
            ("::/0", "::/0 holds unspecified addresses"),
            ("::/64", "::/64 holds unspecified addresses"),
            ("::1/128", "::1/128 is loopback"),
            ("::ffff:1.2.3.0/120", "::ffff:1.2.3.0/120 is v4-mapped"),
            ("fe80::/64", "fe80::/64 is link-local"),
            ("f000::/4", "f000::/4 holds link-local addresses"),
            ("ff0e::/64", "ff0e::/64 is multicast"),
            ("2000::/3", "2000::/3 is no service's, whose prefixes have 16 to 120 bits"),
            ("2001:db8::/121", "2001:db8::/121 is no service's, whose prefixes have 16 to 120 bits"),
        ] {
            assert_eq!(why(text), Err(words.into()), "{text}");
        }
    }
}
