//! Random services and clients in; whether the rule takes every address that the client's library selects out.

use std::net::Ipv6Addr;

use ipnet::Ipv6Net;
use proptest::prelude::*;
use ssa_client::{
    Selector, Service,
    record::{Objects, Record},
};
use ssa_common::{rule::Request, verdict::Reason};

use crate::random::Draw;

/// The drawn service as DNS would have it, and one half of its prefix excluded, if `half` says which.
pub fn service(draw: &Draw, half: Option<bool>) -> Service {
    let prefix = Ipv6Net::new(draw.prefix.into(), draw.length).unwrap();
    let record =
        Record { rule: draw.text.parse().unwrap(), salt: draw.salt, skew: draw.skew, objects: Objects::Sha256 };
    let part = |half: bool| {
        let bits = draw.prefix | u128::from(half) << (127 - draw.length);
        Ipv6Net::new(bits.into(), draw.length + 1).unwrap()
    };
    Service { excluded: half.map(part).into_iter().collect(), ..Service::new("drawn", &[prefix], record) }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn what_is_selected_the_filter_accepts(seed: u64, half: Option<bool>) {
        let draw = Draw::new(seed);
        let service = service(&draw, half);
        let selector = Selector::new(&service, &draw.ring).unwrap();
        let Request { source, object, replica, time } = draw.request;
        match selector.address(Ipv6Addr::from(source), object, replica, time) {
            Ok(address) => {
                prop_assert!(service.prefixes[0].contains(&address));
                prop_assert!(!service.excluded.iter().any(|part| part.contains(&address)));
                for at in [time, selector.epoch_end(time).map_or(time, |end| end - 1)] {
                    prop_assert_eq!(draw.compile().conforms(source, address.to_bits(), at), Reason::Conform, "{:?}", draw);
                }
            }
            Err(error) => prop_assert!(half.is_some(), "{error}: {draw:?}"),
        }
    }
}
