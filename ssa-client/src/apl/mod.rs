//! Lists of address prefixes (RFC 3123): record data or text in, items out, and back.

mod text;
mod usable;
mod wire;

use ipnet::{Ipv4Net, Ipv6Net};

pub use self::{
    text::{List, TextError},
    usable::{Unusable, Why, special, specials, usable},
    wire::{AplError, decode, encode},
};

/// The DNS record type of a list.
pub const TYPE: u16 = 42;
/// The family number of IPv4.
pub const IPV4: u16 = 1;
/// The family number of IPv6.
pub const IPV6: u16 = 2;

/// One item of a list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// It takes something out rather than in.
    pub negated: bool,
    /// The prefix.
    pub address: Family,
}

/// A prefix of some address family. What is read has no bits behind its length; what is written loses them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Family 1.
    V4(Ipv4Net),
    /// Family 2.
    V6(Ipv6Net),
    /// Any other, which RFC 3123 says nothing about.
    Other(Opaque),
}

/// A prefix of a family that nobody here can read, kept to the octet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Opaque {
    family: u16,
    length: u8,
    octets: Vec<u8>,
}

impl Opaque {
    /// The most octets that an item has room for.
    pub const MOST: usize = 127;

    /// A prefix of `length`, whose unit is the family's own. None for families 1 and 2, and for more than
    /// [`Self::MOST`] octets.
    pub fn new(family: u16, length: u8, octets: Vec<u8>) -> Option<Self> {
        let fits = !matches!(family, IPV4 | IPV6) && octets.len() <= Self::MOST;
        fits.then_some(Self { family, length, octets })
    }

    /// The family's number.
    pub const fn family(&self) -> u16 {
        self.family
    }

    /// The prefix length as it was sent.
    pub const fn length(&self) -> u8 {
        self.length
    }

    /// The address part as it was sent, at most [`Self::MOST`] octets.
    pub fn octets(&self) -> &[u8] {
        &self.octets
    }
}

impl Item {
    /// An item that takes an IPv6 prefix in.
    pub const fn of(prefix: Ipv6Net) -> Self {
        Self { negated: false, address: Family::V6(prefix) }
    }

    /// The prefix that it takes in for a service, or why no service can have it. None of an item that takes none in.
    pub fn prefix(&self) -> Option<Result<Ipv6Net, Unusable>> {
        match &self.address {
            Family::V6(net) if !self.negated => Some(usable(net.trunc())),
            _ => None,
        }
    }
}

#[cfg(test)]
mod random {
    //! Items at random, as the properties of both forms need them.

    use proptest::prelude::*;

    use super::{Family, Item, Opaque};

    fn family() -> impl Strategy<Value = Family> {
        let v4 = (any::<[u8; 4]>(), 0u8..=32)
            .prop_map(|(address, length)| Family::V4(ipnet::Ipv4Net::new(address.into(), length).unwrap().trunc()));
        let v6 = (any::<u128>(), 0u8..=128)
            .prop_map(|(address, length)| Family::V6(ipnet::Ipv6Net::new(address.into(), length).unwrap().trunc()));
        let other = (3u16.., any::<u8>(), proptest::collection::vec(any::<u8>(), 0..=Opaque::MOST));
        let other = other.prop_map(|(family, length, octets)| Opaque::new(family, length, octets).unwrap());
        prop_oneof![2 => v4, 4 => v6, 1 => other.prop_map(Family::Other)]
    }

    /// A list.
    pub(super) fn items() -> impl Strategy<Value = Vec<Item>> {
        let item = (any::<bool>(), family()).prop_map(|(negated, address)| Item { negated, address });
        proptest::collection::vec(item, 0..20)
    }
}
