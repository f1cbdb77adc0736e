//! Items as zone files have them, `[!]FAMILY:ADDRESS/LENGTH` (RFC 3123 §5): text in, items out, and back.
//!
//! The standard has no text for other families than IPv4 and IPv6: their octets are written as hexadecimal digits.

use std::{fmt, str::FromStr};

use ipnet::{Ipv4Net, Ipv6Net};
use ssa_common::quote::Quoted;

use super::{Family, IPV4, IPV6, Item, Opaque};

/// The items of one record, with blanks between them in its text. It may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List(pub Vec<Item>);

/// A text that is no item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextError {
    text: String,
    help: &'static str,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no item of an APL record: {}", Quoted(&self.text), self.help)
    }
}

impl std::error::Error for TextError {}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            let blank = if index == 0 { "" } else { " " };
            write!(f, "{blank}{item}")?;
        }
        Ok(())
    }
}

impl FromStr for List {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        text.split_ascii_whitespace().map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = if self.negated { "!" } else { "" };
        match &self.address {
            Family::V4(net) => write!(f, "{not}{IPV4}:{}", net.trunc()),
            Family::V6(net) => write!(f, "{not}{IPV6}:{}", net.trunc()),
            Family::Other(Opaque { family, length, octets }) => {
                write!(f, "{not}{family}:")?;
                octets.iter().try_for_each(|octet| write!(f, "{octet:02x}"))?;
                write!(f, "/{length}")
            }
        }
    }
}

impl FromStr for Item {
    type Err = TextError;

    fn from_str(text: &str) -> Result<Self, TextError> {
        let refuse = |help| TextError { text: text.into(), help };
        let form = "write it as 2:2001:db8::/32, or with ! in front to take it out";
        let (negated, rest) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let (family, prefix) = rest.split_once(':').ok_or(refuse(form))?;
        let family = number::<u16>(family).ok_or(refuse("the family is a number from 0 to 65535, 2 for IPv6"))?;
        let (address, length) = prefix.split_once('/').ok_or(refuse("the length of the prefix comes after a /"))?;
        let length = number::<u8>(length);
        let address = match family {
            IPV4 => {
                let net =
                    address.parse().ok().zip(length).and_then(|(address, length)| Ipv4Net::new(address, length).ok());
                Family::V4(net.ok_or(refuse("family 1 is IPv4, with a length of 0 to 32"))?.trunc())
            }
            IPV6 => {
                let net =
                    address.parse().ok().zip(length).and_then(|(address, length)| Ipv6Net::new(address, length).ok());
                Family::V6(net.ok_or(refuse("family 2 is IPv6, with a length of 0 to 128"))?.trunc())
            }
            _ => {
                let opaque =
                    octets(address).zip(length).and_then(|(octets, length)| Opaque::new(family, length, octets));
                let help = "other families have pairs of hexadecimal digits, 127 at most, and a length of 0 to 255";
                Family::Other(opaque.ok_or(refuse(help))?)
            }
        };
        Ok(Self { negated, address })
    }
}

/// Digits alone: no sign.
fn number<N: FromStr>(text: &str) -> Option<N> {
    text.bytes().all(|octet| octet.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn octets(text: &str) -> Option<Vec<u8>> {
    let digit = |octet: &u8| char::from(*octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::random::items, *};

    #[test]
    fn other_spellings_are_read() {
        let list: List = " 2:2001:0DB8::1/32\t!1:192.0.2.77/24 3:0A0b/9 ".parse().unwrap();
        assert_eq!(list.to_string(), "2:2001:db8::/32 !1:192.0.2.0/24 3:0a0b/9");
        assert_eq!("".parse::<List>().unwrap().to_string(), "");
        // RFC 3123 §5 has this one, with a colon that is the family's and two that are the address's.
        assert_eq!("2:::/0".parse::<Item>().unwrap().to_string(), "2:::/0");
    }

    #[test]
    fn what_is_no_item_is_refused_with_what_would_be_right() {
        let cases = [
            ("2001:db8::/32", "pairs of hexadecimal digits"),
            ("!", "write it as"),
            ("x:1/2", "the family is a number"),
            ("65536:00/2", "the family is a number"),
            ("+2:::/0", "the family is a number"),
            ("2:2001:db8::", "after a /"),
            ("2:2001:db8::/129", "0 to 128"),
            ("2:2001:db8::/+9", "0 to 128"),
            ("1:192.0.2/24", "0 to 32"),
            ("3:abc/0", "pairs of hexadecimal digits"),
            ("3:é/0", "pairs of hexadecimal digits"),
            ("!!2:::/0", "the family is a number"),
        ];
        for (text, help) in cases {
            let error = text.parse::<Item>().unwrap_err().to_string();
            assert!(error.contains(help), "{text}: {error}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_is_written_is_read(items in items()) {
            let text = List(items.clone()).to_string();
            prop_assert_eq!(text.parse::<List>().unwrap().0, items);
        }

        #[test]
        fn noise_is_read_or_refused(text in r"!?[0-9]{1,5}:[0-9a-f:.]{0,20}/[0-9]{1,3}|\PC{0,30}") {
            if let Ok(list) = text.parse::<List>() {
                prop_assert_eq!(list.to_string().parse::<List>().unwrap(), list);
            }
        }
    }
}
