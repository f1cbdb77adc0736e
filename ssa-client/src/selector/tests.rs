//! Services, keys and excluded parts in; what a selector makes of them out.

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
    let keys = [3, 4, 3].map(|number| Key { number, secret: [1; 16] });
    let twice = Selector::new(&service(&["2001:db8:a::/64"], &[], "any:16 mac(48,key=k1):48"), &keys);
    assert_eq!(twice.unwrap_err(), SelectError::KeyTwice { number: 3 });
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
