//! A service and its keys in; the address for a source, an object, a replica and a time out.

mod error;

use std::{net::Ipv6Addr, ops::ControlFlow};

use ipnet::Ipv6Net;
use ssa_common::rule::{Compiled, Key, Kind, Request, Secrets};

pub use self::error::SelectError;

use crate::{Service, pow};

/// Addresses that are drawn until one is not excluded: with a hundredth of a prefix left, one in 10^17 searches fails.
const DRAWS: u32 = 4096;
/// Proofs of work that are searched for until one is not excluded.
const PROOFS: u32 = 64;

/// Computes the addresses of a service.
#[derive(Clone, Debug)]
pub struct Selector {
    rules: Vec<Compiled>,
    excluded: Vec<Ipv6Net>,
    skew: u32,
}

impl Selector {
    /// Compiles the rule over each prefix. `keys` is the ring of the rule's `mac`, in any order; others need none.
    ///
    /// # Errors
    /// Where the service has no prefix, its rule does not fit one, or it needs a key.
    pub fn new(service: &Service, keys: &[Key]) -> Result<Self, SelectError> {
        let record = &service.record;
        if let Some(ring) = record.rule.key()
            && keys.is_empty()
        {
            return Err(SelectError::NoKey { ring: ring.to_owned() });
        }
        let secrets = Secrets { salt: record.salt, ring: keys };
        let is_left = |prefix: &&Ipv6Net| !service.excluded.iter().any(|excluded| excluded.contains(*prefix));
        let compile = |prefix: &Ipv6Net| {
            let placed = record.rule.place(prefix.network().to_bits(), prefix.prefix_len());
            let placed = placed.map_err(|errors| SelectError::Unfit { prefix: *prefix, errors })?;
            Ok::<_, SelectError>(placed.compile(&secrets, record.skew))
        };
        let rules = service.prefixes.iter().filter(is_left).map(compile).collect::<Result<Vec<_>, _>>()?;
        if rules.is_empty() {
            return Err(SelectError::NoPrefix);
        }
        Ok(Self { rules, excluded: service.excluded.clone(), skew: record.skew })
    }

    /// The rule over each prefix of which something is left, in order.
    pub fn rules(&self) -> &[Compiled] {
        &self.rules
    }

    /// The address to use, in the first prefix that has one. A proof of work is searched for to its end.
    ///
    /// `time` is in Unix seconds. No address is excluded.
    ///
    /// # Errors
    /// Where no prefix has one, or the rule needs an object and there is none.
    pub fn address(
        &self,
        source: Ipv6Addr,
        object: Option<u128>,
        replica: u32,
        time: u64,
    ) -> Result<Ipv6Addr, SelectError> {
        let request = Request { source: source.to_bits(), object, replica, time };
        self.address_for(&request, &mut |_| ControlFlow::Continue(()))
    }

    /// The same; `progress` is told now and then how many attempts the search for a proof of work has taken, and may end it.
    ///
    /// # Errors
    /// As of [`Self::address`], or `progress` gave up.
    pub fn address_for(
        &self,
        request: &Request,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Ipv6Addr, SelectError> {
        let mut found = Err(SelectError::NoPrefix);
        for rule in &self.rules {
            found = self.address_by(rule, request, progress);
            if found != Err(SelectError::Excluded) {
                break;
            }
        }
        found
    }

    /// The address to use in the prefix of one of the [`rules`](Self::rules).
    ///
    /// `progress` is told now and then how many attempts the search for a proof of work has taken, and may end it.
    ///
    /// # Errors
    /// Where all that could be used is excluded, the rule needs an object and there is none, or `progress` gave up.
    pub fn address_by(
        &self,
        rule: &Compiled,
        request: &Request,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Ipv6Addr, SelectError> {
        let worked_out = worked_out(rule);
        let is_drawn = rule.placed().fields().iter().any(|field| field.kind == Kind::Any && field.width > 0);
        let mut proofs = if pow::zeros(rule) > 0 { PROOFS } else { DRAWS };
        for _ in 0..DRAWS {
            let drawn = rule.draw(request, &mut rand::random::<u64>)?;
            if self.excludes(drawn, worked_out) {
                if is_drawn {
                    continue;
                }
                break;
            }
            let found = pow::prove(rule, request, drawn, progress)?;
            if !self.excludes(found, 0) {
                return Ok(found.into());
            }
            proofs -= 1;
            if proofs == 0 || !is_drawn && pow::zeros(rule) == 0 {
                break;
            }
        }
        Err(SelectError::Excluded)
    }

    /// How many replicas there are: 1 if the rule has none.
    pub fn replicas(&self) -> u32 {
        let count = |kind: &Kind| if let Kind::Replica { count } = kind { Some(*count) } else { None };
        let fields = self.rules.iter().flat_map(|rule| rule.placed().fields());
        fields.filter_map(|field| count(&field.kind)).min().unwrap_or(1)
    }

    /// When an address of `time` is to be computed anew: where the first epoch ends, if the rule has any. Unix seconds.
    pub fn epoch_end(&self, time: u64) -> Option<u64> {
        let fields = self.rules.iter().flat_map(|rule| rule.placed().fields());
        let periods = fields.filter_map(|field| field.kind.period());
        periods.map(|period| (time / period.seconds()).saturating_add(1).saturating_mul(period.seconds())).min()
    }

    /// The first second in which an address of `time` is taken no more: the service's skew after the end of the epoch.
    pub fn valid_until(&self, time: u64) -> Option<u64> {
        self.epoch_end(time).map(|end| end.saturating_add(self.skew.into()))
    }

    /// Whether an address is excluded, whatever its bits in `open` are.
    fn excludes(&self, address: u128, open: u128) -> bool {
        self.excluded.iter().any(|prefix| {
            let differ = address ^ prefix.network().to_bits();
            (differ | open) & prefix.netmask().to_bits() == 0
        })
    }
}

/// The bits that are worked out after the others are drawn.
fn worked_out(rule: &Compiled) -> u128 {
    let late = |kind: &Kind| matches!(kind, Kind::Mac { .. } | Kind::Pow { .. });
    let fields = rule.placed().fields().iter().filter(|field| late(&field.kind));
    fields.fold(0, |bits, field| bits | ssa_common::bits::mask(field.first, field.width))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ssa_common::{rule::AddressError, verdict::Reason};

    use super::*;
    use crate::record::Record;

    const TIME: u64 = 1_700_000_015;
    const SOURCE: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0x77, 1, 0, 0, 0, 5);

    fn service(prefixes: &[&str], excluded: &[&str], rule: &str) -> Service {
        let nets = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Ipv6Net>>();
        let record = Record::parse_value(&format!("v=1 rule={rule}")).unwrap();
        Service { excluded: nets(excluded), ..Service::new("svc.example", &nets(prefixes), record) }
    }

    fn select(service: &Service) -> Result<Ipv6Addr, SelectError> {
        Selector::new(service, &[])?.address(SOURCE, None, 0, TIME)
    }

    #[test]
    fn a_rule_that_leaves_no_choice_goes_on_to_the_next_prefix() {
        let prefixes = ["2001:db8:a::/64", "2001:db8:b::/64"];
        let first = service(&prefixes, &[], "src(0):64");
        assert_eq!(select(&first), Ok("2001:db8:a:0:2001:db8:77:1".parse().unwrap()));
        let second = service(&prefixes, &["2001:db8:a:0:2001:db8::/96"], "src(0):64");
        assert_eq!(select(&second), Ok("2001:db8:b:0:2001:db8:77:1".parse().unwrap()));
        let none = service(&prefixes, &["2001:db8:a:0:2001:db8::/96", "2001:db8:b:0:2001::/80"], "src(0):64");
        assert_eq!(select(&none), Err(SelectError::Excluded));
    }

    #[test]
    fn a_prefix_that_is_excluded_whole_is_none() {
        let one = service(&["2001:db8:a::/64", "2001:db8:b::/64"], &["2001:db8:a::/48"], "const(0x7):64");
        assert_eq!(select(&one), Ok("2001:db8:b::7".parse().unwrap()));
        let none = service(&["2001:db8:a::/64"], &["2001:db8::/32"], "any:64");
        assert_eq!(select(&none), Err(SelectError::NoPrefix));
    }

    #[test]
    fn what_the_service_lacks_is_said() {
        assert_eq!(select(&service(&[], &[], "any:64")), Err(SelectError::NoPrefix));
        let unfit = select(&service(&["2001:db8:a::/64", "2001:db8:b::/48"], &[], "any:64"));
        assert!(matches!(unfit, Err(SelectError::Unfit { prefix, .. }) if prefix.prefix_len() == 48), "{unfit:?}");
        let keyless = select(&service(&["2001:db8:a::/64"], &[], "any:16 mac(48,key=k1):48"));
        assert_eq!(keyless, Err(SelectError::NoKey { ring: "k1".into() }));
        let wish = select(&service(&["2001:db8:a::/64"], &[], "object(0):64"));
        assert_eq!(wish, Err(SelectError::Address(AddressError::NoObject)));
    }

    #[test]
    fn an_address_is_good_to_the_end_of_the_first_epoch() {
        let rule = "mac(48,key=k,period=30s):24 pow(64,zeros=4,period=20s):40";
        let selector = Selector::new(&service(&["2001:db8:a::/64"], &[], rule), &[Key { number: 1, secret: [1; 16] }]);
        let selector = selector.unwrap();
        assert_eq!([29, 30, 40, 59].map(|time| selector.epoch_end(time)), [30, 40, 60, 60].map(Some));
        assert_eq!(selector.valid_until(41), Some(65));
        let still = Selector::new(&service(&["2001:db8:a::/64"], &[], "replica(3):2 any:62"), &[]).unwrap();
        assert_eq!((still.epoch_end(29), still.valid_until(29), still.replicas()), (None, None, 3));
    }

    #[test]
    fn who_gives_a_search_up_has_no_address_of_the_next_prefix() {
        let both = service(&["2001:db8:a::/64", "2001:db8:b::/64"], &[], "pow(64,zeros=40):64");
        let mut told = Vec::new();
        let found = Selector::new(&both, &[]).unwrap().address_for(&Request::default(), &mut |attempts| {
            told.push(attempts);
            ControlFlow::Break(())
        });
        assert_eq!((found, told.len()), (Err(SelectError::Address(AddressError::Cancelled)), 1));
    }

    proptest! {
        /// The rule draws, works out or searches for the bits by which a part is excluded.
        #[test]
        fn no_address_is_excluded_and_all_conform(
            rule in prop::sample::select(vec![
                "any:64",
                "hash(48):14 any:50",
                "any:16 mac(48,key=k1,period=30s):48",
                "mac(48,key=k1):32 any:32",
                "hash(48):4 pow(64,zeros=4,period=1m):60",
                "pow(64,zeros=3):24 any:40",
            ]),
            source: u128,
            time in 0..u64::from(u32::MAX),
            parts in prop::collection::vec((66u8..72, any::<u64>()), 0..4),
        ) {
            let prefix: Ipv6Net = "2001:db8:ac10:fe01::/64".parse().unwrap();
            let part = |(length, bits): &(u8, u64)| {
                let address = Ipv6Addr::from(prefix.network().to_bits() | u128::from(*bits));
                Ipv6Net::new(address, *length).unwrap().trunc()
            };
            let mut service = service(&[&prefix.to_string()], &[], rule);
            service.excluded = parts.iter().map(part).collect();
            let keys = [Key { number: 2, secret: [7; 16] }, Key { number: 1, secret: [8; 16] }];
            let selector = Selector::new(&service, &keys).unwrap();
            match selector.address(source.into(), None, 0, time) {
                Ok(address) => {
                    prop_assert!(!service.excluded.iter().any(|part| part.contains(&address)), "{address}");
                    prop_assert_eq!(selector.rules()[0].conforms(source, address.to_bits(), time), Reason::Conform);
                }
                // A source's own slice can be excluded; what is drawn goes beside it.
                Err(error) => prop_assert!(error == SelectError::Excluded && rule.starts_with("hash"), "{error}"),
            }
        }
    }
}
