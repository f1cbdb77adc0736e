//! What DNS says of a service, or who makes it by hand, in; its prefixes with a rule out.

use std::time::Duration;

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

    /// A service with the prefixes of address prefix lists (RFC 3123), in their order. What an item with `!` names is
    /// taken out of all prefixes, wherever it stands; families other than IPv6 are ignored.
    pub fn from_items<'a>(name: impl Into<String>, items: impl IntoIterator<Item = &'a Item>, record: Record) -> Self {
        let mut service = Self::new(name, &[], record);
        for item in items {
            let Family::V6(prefix) = &item.address else { continue };
            let list = if item.negated { &mut service.excluded } else { &mut service.prefixes };
            if !list.contains(&prefix.trunc()) {
                list.push(prefix.trunc());
            }
        }
        service
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(rule: &str) -> Record {
        Record::parse_value(&format!("v=1 rule={rule}")).unwrap()
    }

    #[test]
    fn lists_are_taken_in_order_and_without_what_is_no_ipv6() {
        let items =
            ["2:2001:db8:2::/48", "1:192.0.2.0/24", "!2:2001:db8:2:8::/64", "2:2001:db8:1::/48", "2:2001:db8:2::/48"];
        let items = items.map(|item| item.parse::<Item>().unwrap());
        let service = Service::from_items("svc.example", &items, record("any:*"));
        assert_eq!(service.prefixes, ["2001:db8:2::/48", "2001:db8:1::/48"].map(|net| net.parse().unwrap()));
        assert_eq!(service.excluded, ["2001:db8:2:8::/64".parse().unwrap()]);
    }
}
