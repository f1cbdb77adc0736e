//! A row in; what people and programs read of it, in the words of the services in force, out.

use std::{
    fmt,
    net::{Ipv6Addr, SocketAddrV6},
};

use ssa_common::rows::LookupRow;

use super::hand::{bound, slice_shift};
use crate::config::{Allow, Service};

/// What people and programs read of a row.
pub struct Shown<'a> {
    /// The service; none where its prefix is in none any more.
    pub service: Option<&'a str>,
    /// The prefix, or the first and the last address.
    pub addresses: String,
    /// The first and the last slice, where they are not all.
    pub slices: Option<(u128, u128)>,
    /// Protocol and port that are called.
    pub call: Allow,
    /// Where the socket is bound.
    pub to: SocketAddrV6,
}

impl<'a> Shown<'a> {
    /// What a row says of services.
    pub fn of(services: &'a [Service], row: &LookupRow) -> Self {
        let call = Allow { protocol: row.protocol, port: Some(row.port) };
        let to = bound(row).address;
        let [first, last] = [row.first, row.last].map(|words| Ipv6Addr::from_bits(words.to_u128()));
        let prefixes = services.iter().flat_map(|service| service.prefixes.iter().map(move |prefix| (service, prefix)));
        let within = prefixes.into_iter().find(|(_, prefix)| prefix.contains(&first) && prefix.contains(&last));
        let Some((service, prefix)) = within else {
            return Self { service: None, addresses: format!("{first}-{last}"), slices: None, call, to };
        };
        let (shift, host) = (slice_shift(service, *prefix), u128::from(prefix.hostmask()));
        let (begin, end) = (first.to_bits() & host, last.to_bits() & host);
        let slices = match () {
            () if begin == 0 && end == host => None,
            () if begin.trailing_zeros() >= shift && end.trailing_ones() >= shift => {
                Some((begin >> shift, end >> shift))
            }
            // The service has other slices now.
            () => {
                return Self {
                    service: Some(&service.name),
                    addresses: format!("{first}-{last}"),
                    slices: None,
                    call,
                    to,
                };
            }
        };
        Self { service: Some(&service.name), addresses: prefix.to_string(), slices, call, to }
    }

    /// The slices in words.
    pub fn slices(&self) -> String {
        self.slices.map_or_else(|| "all".into(), |(first, last)| format!("{first}-{last}"))
    }
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.call, self.addresses)?;
        if let Some((first, last)) = self.slices {
            write!(f, ", slices {first}-{last},")?;
        }
        write!(f, " to {}", self.to)
    }
}
