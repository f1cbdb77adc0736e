//! What DNS says of a service, or who makes it by hand, in; its prefixes with a rule out.

use std::{net::Ipv6Addr, time::Duration};

use ipnet::Ipv6Net;

use crate::{
    apl::{Family, Item},
    record::Record,
};

/// A service as its clients know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// The name it was found by, for messages.
    pub name: String,
    /// Its prefixes, host bits zero, in the order in which they are tried.
    pub prefixes: Vec<Ipv6Net>,
    /// Parts of them in which no address is used.
    pub excluded: Vec<Ipv6Net>,
    /// The rule, and what goes with it.
    pub record: Record,
    /// The port that goes with the rule, if DNS says one.
    pub port: Option<u16>,
    /// How long all of this holds.
    pub ttl: Duration,
    /// DNSSEC vouches for all of it.
    pub authenticated: bool,
}

impl Service {
    /// A service made by hand: its prefixes hold for good, and nobody vouches for them but the caller.
    pub fn new(name: impl Into<String>, prefixes: &[Ipv6Net], record: Record) -> Self {
        let prefixes = prefixes.iter().map(Ipv6Net::trunc).collect();
        let (excluded, port, ttl) = (Vec::new(), None, Duration::MAX);
        Self { name: name.into(), prefixes, excluded, record, port, ttl, authenticated: false }
    }

    /// A service of addresses that leave nothing to compute; none of no addresses.
    pub fn of_addresses(name: impl Into<String>, addresses: &[Ipv6Addr]) -> Option<Self> {
        let rule = "any:*".parse().ok().filter(|_| !addresses.is_empty())?;
        let prefixes: Vec<_> = addresses.iter().map(|address| Ipv6Net::from(*address)).collect();
        Some(Self::new(name, &prefixes, Record::new(rule)))
    }

    /// Whether its prefixes are single addresses, and so its rule has nothing to say.
    pub fn is_of_addresses(&self) -> bool {
        self.prefixes.iter().all(|prefix| prefix.prefix_len() == 128)
    }

    /// A service with the prefixes of address prefix lists (RFC 3123), in their order. What an item with `!` names is
    /// taken out of all prefixes, wherever it stands; families other than IPv6 are ignored, and so are prefixes that no
    /// service can have.
    pub fn from_items<'a>(name: impl Into<String>, items: impl IntoIterator<Item = &'a Item>, record: Record) -> Self {
        let mut service = Self::new(name, &[], record);
        for item in items {
            let (list, prefix) = match (&item.address, item.prefix()) {
                (_, Some(Ok(prefix))) => (&mut service.prefixes, prefix),
                (Family::V6(excluded), None) => (&mut service.excluded, excluded.trunc()),
                _ => continue,
            };
            if !list.contains(&prefix) {
                list.push(prefix);
            }
        }
        service
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apl::List;

    #[test]
    fn addresses_are_a_service_that_computes_nothing() {
        let addresses = ["2001:db8::1", "2001:db8::2"].map(|text| text.parse::<Ipv6Addr>().unwrap());
        let service = Service::of_addresses("svc.example", &addresses).unwrap();
        let selector = crate::Selector::new(&service, &[]).unwrap();
        assert!(service.is_of_addresses());
        let mut made = selector.rules().iter().map(|rule| {
            let any = &mut |_| std::ops::ControlFlow::Continue(());
            selector.address_by(rule, &ssa_common::rule::Request::default(), any).unwrap()
        });
        assert_eq!([made.next(), made.next(), made.next()], [Some(addresses[0]), Some(addresses[1]), None]);
        assert_eq!(Service::of_addresses("svc.example", &[]), None);
    }

    fn record(rule: &str) -> Record {
        Record::parse_value(&format!("v=1 rule={rule}")).unwrap()
    }

    #[test]
    fn lists_are_taken_in_order_and_without_what_is_no_ipv6_or_no_service_s() {
        let items =
            "2:2001:db8:2::/48 1:192.0.2.0/24 !2:2001:db8:2:8::/64 2:fe80::/10 2:2001:db8:1::/48 2:2001:db8:2::/48";
        let List(items) = items.parse().unwrap();
        let service = Service::from_items("svc.example", &items, record("any:*"));
        assert_eq!(service.prefixes, ["2001:db8:2::/48", "2001:db8:1::/48"].map(|net| net.parse().unwrap()));
        assert_eq!(service.excluded, ["2001:db8:2:8::/64".parse().unwrap()]);
    }
}
