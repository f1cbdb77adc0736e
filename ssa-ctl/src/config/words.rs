//! The small words of a config, text in and value out and back: `enforce`, `allow`, durations, names, salt.

use std::{borrow::Cow, fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use ssa_common::parse::protocol;

/// For which share of the source prefixes verdicts are enforced, in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enforce(u8);

impl Enforce {
    /// For none: verdicts are counted, and everything passes.
    pub const OFF: Self = Self(0);
    /// For all.
    pub const ON: Self = Self(100);

    /// 0 to 100.
    pub const fn percent(self) -> u8 {
        self.0
    }
}

impl Default for Enforce {
    fn default() -> Self {
        Self::ON
    }
}

impl fmt::Display for Enforce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::OFF => f.write_str("off"),
            Self::ON => f.write_str("on"),
            Self(percent) => write!(f, "{percent}%"),
        }
    }
}

/// A word that is not what it should be; the text says what it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordError(pub &'static str);

impl fmt::Display for WordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for WordError {}

impl FromStr for Enforce {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        match text {
            "on" => Ok(Self::ON),
            "off" => Ok(Self::OFF),
            _ => text
                .strip_suffix('%')
                .and_then(decimal)
                .filter(|percent| *percent <= 100)
                .map(Self)
                .ok_or(WordError("write \"on\", \"off\", or a share of the sources from \"0%\" to \"100%\"")),
        }
    }
}

/// A protocol that a service takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Allow {
    /// IP protocol number.
    pub protocol: u8,
    /// The destination port. None: all.
    pub port: Option<u16>,
}

/// The protocols with a name. Those with ports come first.
const PROTOCOLS: [(&str, u8); 4] =
    [("tcp", protocol::TCP), ("udp", protocol::UDP), ("sctp", protocol::SCTP), ("icmpv6", protocol::ICMPV6)];
/// How many of them have ports.
const WITH_PORTS: usize = 3;

impl fmt::Display for Allow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match PROTOCOLS.iter().find(|(_, number)| *number == self.protocol) {
            Some((name, _)) => f.write_str(name)?,
            None => self.protocol.fmt(f)?,
        }
        self.port.map_or(Ok(()), |port| write!(f, "/{port}"))
    }
}

impl FromStr for Allow {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let form = "write tcp, udp or sctp with a port or without (\"tcp/443\"), icmpv6, or an IP protocol number \
                    from \"0\" to \"255\"";
        let (name, port) = text.split_once('/').map_or((text, None), |(name, port)| (name, Some(port)));
        let named = PROTOCOLS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number);
        let protocol = named.or_else(|| decimal(name)).ok_or(WordError(form))?;
        let Some(port) = port else { return Ok(Self { protocol, port: None }) };
        if !PROTOCOLS[..WITH_PORTS].iter().any(|(_, number)| *number == protocol) {
            return Err(WordError("only tcp, udp and sctp have ports: leave the port away"));
        }
        let port = decimal(port).filter(|port| *port != 0);
        port.map(|port| Self { protocol, port: Some(port) }).ok_or(WordError("a port is 1 to 65535, as in \"tcp/443\""))
    }
}

/// A stretch of time, at least one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub u32);

impl fmt::Display for Seconds {
    /// The largest unit that divides it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => f.write_str("0s"),
            seconds if seconds.is_multiple_of(3600) => write!(f, "{}h", seconds / 3600),
            seconds if seconds.is_multiple_of(60) => write!(f, "{}m", seconds / 60),
            seconds => write!(f, "{seconds}s"),
        }
    }
}

impl FromStr for Seconds {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let unit = match text.as_bytes().last() {
            Some(b's') => 1,
            Some(b'm') => 60,
            Some(b'h') => 3600,
            _ => 0,
        };
        let digits = text.trim_end_matches(['s', 'm', 'h']);
        let seconds = (digits.len() + 1 == text.len()).then(|| decimal::<u32>(digits)?.checked_mul(unit)).flatten();
        seconds
            .filter(|seconds| *seconds > 0)
            .map(Self)
            .ok_or(WordError("a time is at least one second and at most 2^32 - 1, written \"90s\", \"30m\" or \"24h\""))
    }
}

/// A hardware address (EUI-48) of one station.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

impl FromStr for Mac {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        const FORM: WordError = WordError("write six octets, as in \"02:00:5e:10:00:01\"");
        let octet = |octet: &str| (octet.len() == 2).then(|| u8::from_str_radix(octet, 16).ok()).flatten();
        let octets: Option<Vec<u8>> = text.split(':').map(octet).collect();
        let octets: [u8; 6] = octets.and_then(|octets| octets.try_into().ok()).ok_or(FORM)?;
        if octets == [0; 6] || octets[0] & 1 != 0 {
            return Err(WordError(
                "an endpoint has the address of one station: not zero, not multicast, not broadcast",
            ));
        }
        Ok(Self(octets))
    }
}

/// 16 octets as 32 hexadecimal digits.
pub(super) fn sixteen_octets(text: &str) -> Option<[u8; 16]> {
    let good = text.len() == 32 && text.bytes().all(|octet| octet.is_ascii_hexdigit());
    u128::from_str_radix(text, 16).ok().filter(|_| good).map(u128::to_be_bytes)
}

/// Whether `text` is 1 to 63 letters, digits and characters of `others`, the first a letter or a digit.
pub(super) fn is_name(text: &str, others: &str) -> bool {
    text.len() <= ssa_common::layout::NAME
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
}

/// A number of decimal digits alone: no sign.
pub(super) fn decimal<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

macro_rules! text_in_configs {
    ($name:ident, $pattern:literal) => {
        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern })
            }
        }
    };
}

pub(super) use text_in_configs;

text_in_configs!(Mac, r"^([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}$");
text_in_configs!(Enforce, r"^(on|off|(100|[0-9]{1,2})%)$");
text_in_configs!(Allow, r"^((tcp|udp|sctp)(/[0-9]{1,5})?|icmpv6|[0-9]{1,3})$");

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comes_back<T: FromStr + fmt::Display>(texts: &[&str]) {
        for text in texts {
            assert_eq!(text.parse::<T>().ok().map(|value| value.to_string()).as_deref(), Some(*text));
        }
    }

    fn is_refused<T: FromStr>(texts: &[&str]) {
        for text in texts {
            assert!(text.parse::<T>().is_err(), "{text}");
        }
    }

    #[test]
    fn words_come_back_as_they_were_written() {
        comes_back::<Enforce>(&["on", "off", "1%", "99%"]);
        comes_back::<Allow>(&["tcp", "tcp/443", "udp/65535", "sctp/1", "icmpv6", "0", "47", "255"]);
        comes_back::<Mac>(&["02:00:5e:10:00:01", "fe:ff:ff:ff:ff:ff"]);
        comes_back::<Seconds>(&["1s", "90s", "30m", "24h", "4294967295s"]);
        assert_eq!("0%".parse(), Ok(Enforce::OFF));
        assert_eq!("6/22".parse(), Ok(Allow { protocol: 6, port: Some(22) }));
    }

    #[test]
    fn other_words_are_refused() {
        is_refused::<Enforce>(&["", "On", "101%", "%", "-1%", "+1%", "25", "2.5%", "256%"]);
        is_refused::<Allow>(&["", "tcp/", "tcp/0", "tcp/65536", "tcp/-1", "icmpv6/1", "47/1", "256", "TCP", " tcp"]);
        is_refused::<Mac>(&["", "02:00:5e:10:00", "2:0:0:0:0:1", "01:00:5e:00:00:01", "33:33:00:00:00:01"]);
        is_refused::<Mac>(&["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "02:00:5e:10:00:01:02", "02-00-5e-10-00-01"]);
        is_refused::<Seconds>(&["", "0s", "5", "h", "1d", "1ss", "-1s", "+1s", "4294967296s", "1193047h", "1 h"]);
    }

    #[test]
    fn names_are_short_and_plain() {
        assert!(is_name("a", "") && is_name("9.a_b-c", "._-") && is_name(&"x".repeat(63), ""));
        for bad in ["", "-rf", ".", "../a", "a b", "a\0", "ä", &"x".repeat(64)] {
            assert!(!is_name(bad, "._-"), "{bad:?}");
        }
    }
}
