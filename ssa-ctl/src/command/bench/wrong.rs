//! A rule and an address that follows it in; one that does not, and takes the filter the most work to see, out.

use std::net::Ipv6Addr;

use ssa_common::{
    bits::mask,
    rule::{Compiled, Kind},
};

/// Values that are tried in a field. A field that half of all values are right for is wrong in one of them, but for once in
/// 2^64 times.
const ATTEMPTS: u32 = 64;

/// The address with another value in the field that is checked last, of those that can be wrong. None: all are right.
pub(super) fn wrong(rule: &Compiled, right: Ipv6Addr, follows: impl Fn(Ipv6Addr) -> bool) -> Option<Ipv6Addr> {
    let mut fields: Vec<_> = rule.placed().fields().iter().collect();
    fields.sort_by_key(|field| std::cmp::Reverse(place(&field.kind)));
    fields.into_iter().find_map(|field| {
        let bits = mask(field.first, field.width);
        let guess = |_| Ipv6Addr::from_bits(right.to_bits() & !bits | rand::random::<u128>() & bits);
        (0..ATTEMPTS).map(guess).find(|address| !follows(*address))
    })
}

/// The order in which kinds are checked (DESIGN §3); 0 is never.
const fn place(kind: &Kind) -> u8 {
    match kind {
        Kind::Any | Kind::Object(_) => 0,
        Kind::Const(_) | Kind::Src(_) => 1,
        Kind::Replica { .. } => 2,
        Kind::KeyId => 3,
        Kind::Hash { .. } => 4,
        Kind::Mac { .. } => 5,
        Kind::Pow { .. } => 6,
    }
}

#[cfg(test)]
mod tests {
    use ssa_common::{
        rule::{Rule, Secrets},
        verdict::Reason,
    };

    use super::*;

    #[test]
    fn what_is_checked_last_is_wrong() {
        let right = "2001:db8::".parse::<Ipv6Addr>().unwrap();
        for (rule, reason) in [
            ("any:64", None),
            ("object(0):60 replica(16):4", None),
            ("const(0x0):10 any:54", Some(Reason::FieldMismatch)),
            ("const(0x0):10 any:51 replica(3):3", Some(Reason::ReplicaRange)),
            ("hash(48):1 any:63", Some(Reason::FieldMismatch)),
            ("hash(48):14 pow(64,zeros=1):50", Some(Reason::PowMissing)),
        ] {
            let rule: Rule = rule.parse().unwrap();
            let rule = rule.place(right.to_bits(), 64).unwrap().compile(&Secrets { salt: [0; 16], ring: &[] }, 5);
            let request = ssa_common::rule::Request { object: Some(0), ..Default::default() };
            let right = rule
                .destination(&request, &mut rand::random::<u64>, &mut |_| std::ops::ControlFlow::Continue(()))
                .unwrap();
            let judge = |address: Ipv6Addr| rule.conforms(0, address.to_bits(), 0);
            let found = wrong(&rule, right.into(), |address| judge(address) == Reason::Conform);
            assert_eq!(found.map(judge), reason, "{rule:?}");
        }
    }
}
