//! A service and an issuer in, and what that gives; the addresses that follow the rule, as far as it shows without a key, out.

use std::{net::Ipv6Addr, sync::Arc};

use ssa_common::{
    rule::{Compiled, Kind, Request},
    verdict::Reason,
};

use super::{SelectError, Selector, compile};
use crate::{
    Service,
    issue::{IssueError, Issuer, MOST},
};

/// Who gives out addresses, and what they are held against.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) issuer: Arc<Issuer>,
    /// Addresses to ask for: one in each prefix of the service, and in those of which nothing is left.
    pub(crate) count: u32,
    /// The rules of the selector, without what a key makes.
    open: Vec<Compiled>,
}

impl Selector {
    /// A selector of a service whose rule has a `mac` and whose key is not here: connections ask the issuer for addresses, and
    /// [`address`](Self::address) has none. Of a rule without a `mac` it computes them, and asks nobody.
    ///
    /// # Errors
    /// Where the service has no prefix, or its rule does not fit one.
    pub fn with_issuer(service: &Service, issuer: Arc<Issuer>) -> Result<Self, SelectError> {
        let mut selector = Self::compiled(service, &[])?;
        if service.record.rule.key().is_some() {
            let open = compile(service, &service.record.rule.without_keys(), &[])?;
            let count = u32::try_from(service.prefixes.len()).unwrap_or(MOST);
            selector.issued = Some(Issued { issuer, count, open });
        }
        Ok(selector)
    }

    /// Who is to be asked, if anybody.
    pub(crate) const fn issued(&self) -> Option<&Issued> {
        self.issued.as_ref()
    }

    /// The first of the addresses that is in the prefix of the rule at `place` of the [`rules`](Self::rules).
    ///
    /// # Errors
    /// Where there is none, or it is excluded, or it breaks the rule: whoever gives such a one is not followed at all.
    pub(crate) fn believed(
        &self,
        place: usize,
        request: &Request,
        addresses: &[Ipv6Addr],
    ) -> Result<Ipv6Addr, IssueError> {
        let Some(rule) = self.open().get(place) else { return Err(none()) };
        let is_within = |address: &&Ipv6Addr| {
            let placed = rule.placed();
            (address.to_bits() ^ placed.prefix()) & ssa_common::bits::mask(0, placed.length()) == 0
        };
        let address = *addresses.iter().find(is_within).ok_or_else(none)?;
        let wrong = |why| Err(IssueError::Address { address, why });
        if self.excludes(address.to_bits(), 0) {
            return wrong("which the service has taken out");
        }
        // The filter takes any object and any replica there is; the client wants these.
        let wanted = rule.draw(request, &mut || 0).map_err(|_| none())?;
        let locators = |kind: &Kind| matches!(kind, Kind::Object(_) | Kind::Replica { .. });
        let locators = rule.placed().fields().iter().filter(|field| locators(&field.kind));
        let locators = locators.fold(0, |bits, field| bits | ssa_common::bits::mask(field.first, field.width));
        if (wanted ^ address.to_bits()) & locators != 0 {
            return wrong("which is of another object or replica");
        }
        match rule.conforms(request.source, address.to_bits(), request.time) {
            Reason::Conform => Ok(address),
            _ => wrong("which breaks the rule"),
        }
    }

    /// The rules as far as they can be followed here.
    pub(crate) fn open(&self) -> &[Compiled] {
        self.issued.as_ref().map_or(&self.rules, |issued| &issued.open)
    }
}

fn none() -> IssueError {
    IssueError::Answer("none of its addresses is in the prefix that is called".into())
}

#[cfg(test)]
mod tests {
    use ssa_common::rule::Key;

    use super::*;
    use crate::record::Record;

    const TIME: u64 = 1_700_000_015;
    const RULE: &str =
        "replica(3):2 const(0x5):4 hash(48):10 object(112):8 keyid:4 mac(64,key=k1,period=30s):24 any:12";
    const PREFIX: &str = "2001:db8:ac10:fe01::/64";

    fn service(excluded: &[&str]) -> Service {
        let record = Record::parse_value(&format!("v=1 rule={RULE}")).unwrap();
        let excluded = excluded.iter().map(|part| part.parse().unwrap()).collect();
        let prefixes = ["2001:db8:ac10:fe02::/64", PREFIX].map(|prefix| prefix.parse().unwrap());
        Service { excluded, ..Service::new("web", &prefixes, record) }
    }

    fn selector(excluded: &[&str]) -> Selector {
        let issuer = Arc::new(Issuer::new("http://[::1]:1", "web", None).unwrap());
        Selector::with_issuer(&service(excluded), issuer).unwrap()
    }

    const REQUEST: Request = Request { source: 0x2001_0db8 << 96 | 7, object: Some(0xabcd), replica: 2, time: TIME };

    /// What an honest issuer says: an address in each prefix.
    fn honest() -> Vec<Ipv6Addr> {
        let selector = Selector::new(&service(&[]), &[Key { number: 3, secret: [9; 16] }]).unwrap();
        let address = |rule| selector.address_by(rule, &REQUEST, &mut |_| std::ops::ControlFlow::Continue(()));
        selector.rules().iter().map(|rule| address(rule).unwrap()).collect()
    }

    #[test]
    fn what_an_honest_issuer_gives_is_taken_in_each_prefix() {
        let (selector, honest) = (selector(&[]), honest());
        for place in [0, 1] {
            assert_eq!(selector.believed(place, &REQUEST, &honest).unwrap(), honest[place]);
        }
        // By itself it has no address.
        let alone = selector.address(REQUEST.source.into(), REQUEST.object, 2, TIME);
        assert!(alone.is_err(), "{alone:?}");
    }

    #[test]
    fn no_bit_can_be_another_but_those_of_the_key_and_of_chance() {
        let (selector, honest) = (selector(&[]), honest()[1]);
        let open = |bit: u8| bit >= 88;
        for bit in 64..128 {
            let other = Ipv6Addr::from(honest.to_bits() ^ 1 << (127 - bit));
            let taken = selector.believed(1, &REQUEST, &[other]);
            assert_eq!(taken.is_ok(), open(bit), "bit {bit}: {taken:?}");
        }
        for bit in 0..64 {
            let other = Ipv6Addr::from(honest.to_bits() ^ 1 << (127 - bit));
            let error = selector.believed(1, &REQUEST, &[other]).unwrap_err();
            assert!(matches!(error, IssueError::Answer(_)), "bit {bit}: {error}");
        }
    }

    #[test]
    fn what_is_excluded_or_for_somebody_else_is_refused() {
        let honest = honest();
        let part = format!("{}/128", honest[1]);
        let error = selector(&[&part]).believed(1, &REQUEST, &honest).unwrap_err();
        assert!(matches!(error, IssueError::Address { address, .. } if address == honest[1]), "{error}");
        let selector = selector(&[]);
        for other in [
            Request { source: 0x2001_0db9 << 96, ..REQUEST },
            Request { object: Some(0xaccd), ..REQUEST },
            Request { replica: 1, ..REQUEST },
        ] {
            let error = selector.believed(1, &other, &honest).unwrap_err();
            assert!(matches!(error, IssueError::Address { address, .. } if address == honest[1]), "{error}");
        }
    }

    #[test]
    fn a_rule_without_a_mac_asks_nobody() {
        let record = Record::parse_value("v=1 rule=src(0):64").unwrap();
        let issuer = Arc::new(Issuer::new("http://[::1]:1", "web", None).unwrap());
        let selector = Selector::with_issuer(&Service::new("web", &[PREFIX.parse().unwrap()], record), issuer).unwrap();
        assert!(selector.issued().is_none());
        let address = selector.address("2001:db8:77:1::5".parse().unwrap(), None, 0, TIME).unwrap();
        assert_eq!(address.to_string(), "2001:db8:ac10:fe01:2001:db8:77:1");
    }
}
