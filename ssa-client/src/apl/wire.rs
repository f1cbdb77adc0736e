//! Record data in, items out, and back (RFC 3123 §4).
//!
//! Reading takes what others may send: zeros at the end of an address, and bits behind a prefix, which say nothing.
//! Writing sends the one form that there is: the shortest.

use std::fmt;

use ipnet::{Ipv4Net, Ipv6Net};

use super::{Family, IPV4, IPV6, Item, Opaque};

/// Family, prefix length, and the octet of the negation and the address's length.
const HEAD: usize = 4;
/// The bit of the negation; the others are the address's length.
const NEGATED: u8 = 0x80;

/// What is wrong with the data of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AplError {
    /// An item goes on past the end of the data.
    Short {
        /// Where the item begins, in octets.
        at: usize,
    },
    /// A prefix is longer than its family's addresses.
    Prefix {
        /// Where the item begins, in octets.
        at: usize,
        /// The prefix length.
        length: u8,
        /// The most it may be.
        most: u8,
    },
    /// An address is longer than its family's are.
    Address {
        /// Where the item begins, in octets.
        at: usize,
        /// Its octets.
        octets: usize,
        /// The most there may be.
        most: usize,
    },
}

impl fmt::Display for AplError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short { at } => write!(f, "the item at octet {at} goes on past the end of the APL record"),
            Self::Prefix { at, length, most } => {
                write!(f, "the item at octet {at} of the APL record has a prefix of {length} bits; {most} is the most")
            }
            Self::Address { at, octets, most } => {
                write!(
                    f,
                    "the item at octet {at} of the APL record has an address of {octets} octets; {most} is the most"
                )
            }
        }
    }
}

impl std::error::Error for AplError {}

/// The items of a record's data, in its order. None of them is a list too.
pub fn decode(rdata: &[u8]) -> Result<Vec<Item>, AplError> {
    let mut items = Vec::new();
    let mut rest = rdata;
    while !rest.is_empty() {
        let at = rdata.len() - rest.len();
        let (item, after) = item(rest, at)?;
        items.push(item);
        rest = after;
    }
    Ok(items)
}

fn item(rest: &[u8], at: usize) -> Result<(Item, &[u8]), AplError> {
    let short = AplError::Short { at };
    let (&[high, low, length, last], rest) = rest.split_first_chunk::<HEAD>().ok_or(short)?;
    let (octets, rest) = rest.split_at_checked((last & !NEGATED).into()).ok_or(short)?;
    let address = match u16::from_be_bytes([high, low]) {
        IPV4 => {
            let address = padded::<4>(octets, at)?;
            let net = Ipv4Net::new(address.into(), length);
            Family::V4(net.map_err(|_| AplError::Prefix { at, length, most: 32 })?.trunc())
        }
        IPV6 => {
            let address = padded::<16>(octets, at)?;
            let net = Ipv6Net::new(address.into(), length);
            Family::V6(net.map_err(|_| AplError::Prefix { at, length, most: 128 })?.trunc())
        }
        family => Family::Other(Opaque { family, length, octets: octets.to_vec() }),
    };
    Ok((Item { negated: last & NEGATED != 0, address }, rest))
}

/// An address whose zeros at the end may be missing.
fn padded<const N: usize>(octets: &[u8], at: usize) -> Result<[u8; N], AplError> {
    let mut address = [0; N];
    let most = AplError::Address { at, octets: octets.len(), most: N };
    address.get_mut(..octets.len()).ok_or(most)?.copy_from_slice(octets);
    Ok(address)
}

/// The data of a record with these items, in their order. DNS has room for 65,535 octets at most.
pub fn encode(items: &[Item]) -> Vec<u8> {
    let mut rdata = Vec::new();
    for item in items {
        match &item.address {
            Family::V4(net) => {
                push(&mut rdata, item.negated, IPV4, net.prefix_len(), shortest(&net.network().octets()));
            }
            Family::V6(net) => {
                push(&mut rdata, item.negated, IPV6, net.prefix_len(), shortest(&net.network().octets()));
            }
            Family::Other(Opaque { family, length, octets }) => {
                push(&mut rdata, item.negated, *family, *length, octets);
            }
        }
    }
    rdata
}

fn push(rdata: &mut Vec<u8>, negated: bool, family: u16, length: u8, octets: &[u8]) {
    let [high, low] = family.to_be_bytes();
    // Addresses have 16 octets at most, and `Opaque` has no more than there is room for.
    let count = u8::try_from(octets.len()).unwrap_or(!NEGATED) & !NEGATED;
    rdata.extend([high, low, length, count | if negated { NEGATED } else { 0 }]);
    rdata.extend(octets);
}

/// Without zeros at the end.
fn shortest(octets: &[u8]) -> &[u8] {
    let length = octets.iter().rposition(|octet| *octet != 0).map_or(0, |last| last + 1);
    &octets[..length]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::random::items, *};

    fn read(text: &str) -> Vec<Item> {
        text.parse::<super::super::List>().unwrap().0
    }

    #[test]
    fn the_octets_are_those_of_the_standard() {
        let cases: [(&str, &[u8]); 6] = [
            ("", &[]),
            ("2:2001:db8:ac10:fe01::/64", &[0, 2, 64, 8, 0x20, 1, 0x0d, 0xb8, 0xac, 0x10, 0xfe, 1]),
            ("!1:192.0.2.0/24", &[0, 1, 24, 0x83, 192, 0, 2]),
            ("1:10.0.0.0/16", &[0, 1, 16, 1, 10]),
            ("2:::/0", &[0, 2, 0, 0]),
            (
                "2:ff00::/8 !2:ff00::1/128",
                &[0, 2, 8, 1, 0xff, 0, 2, 128, 0x90, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            ),
        ];
        for (text, octets) in cases {
            assert_eq!(encode(&read(text)), octets, "{text}");
            assert_eq!(decode(octets).unwrap(), read(text), "{text}");
        }
    }

    #[test]
    fn what_says_nothing_is_read_and_not_written() {
        // Zeros at the end, and bits behind the prefix.
        for octets in [&[0, 1, 16, 4, 10, 1, 0, 0][..], &[0, 1, 16, 3, 10, 1, 255]] {
            let items = decode(octets).unwrap();
            assert_eq!(items, read("1:10.1.0.0/16"));
            assert_eq!(encode(&items), [0, 1, 16, 2, 10, 1]);
        }
        // Of a family that nobody knows, nobody knows what says nothing.
        let opaque = [0x40, 5, 7, 0x82, 9, 0];
        assert_eq!(encode(&decode(&opaque).unwrap()), opaque);
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        let cases: [(&[u8], AplError); 6] = [
            (&[0], AplError::Short { at: 0 }),
            (&[0, 2, 64, 2, 0x20], AplError::Short { at: 0 }),
            (&[0, 2, 8, 1, 0xfd, 0, 1, 8], AplError::Short { at: 5 }),
            (&[0, 1, 33, 0], AplError::Prefix { at: 0, length: 33, most: 32 }),
            (&[0, 2, 0, 0, 0, 2, 129, 0], AplError::Prefix { at: 4, length: 129, most: 128 }),
            (&[0, 1, 32, 5, 0, 0, 0, 0, 0], AplError::Address { at: 0, octets: 5, most: 4 }),
        ];
        for (octets, error) in cases {
            assert_eq!(decode(octets), Err(error), "{octets:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn what_is_written_is_read(items in items()) {
            prop_assert_eq!(decode(&encode(&items)).unwrap(), items);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        /// Octets at random, most of them near to what is right.
        #[test]
        fn whatever_is_read_is_written_and_read_alike(
            octets in prop::collection::vec(prop_oneof![0u8..5, 0x7fu8..0x86, any::<u8>()], 0..64)
        ) {
            match decode(&octets) {
                Ok(items) => {
                    let written = encode(&items);
                    prop_assert!(written.len() <= octets.len());
                    prop_assert_eq!(decode(&written).unwrap(), items);
                }
                Err(AplError::Short { at } | AplError::Prefix { at, .. } | AplError::Address { at, .. }) => {
                    prop_assert!(at < octets.len());
                }
            }
        }
    }
}
