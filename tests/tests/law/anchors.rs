//! Drawn services and clients in; what a program of the kernel writes for them is what the law wants, out.

use std::ops::ControlFlow;

use proptest::prelude::*;
use ssa_common::{
    anchor::{self, Call},
    bits::{Words, mask},
    rule::{AddressError, AnchorError, Compiled, Key, Kind, Request, Rule, Secrets, Wanted},
    verdict::Reason,
};

use crate::random::Draw;

const ANCHOR: u128 = 0x2001_0db8 << 96 | 1;

fn wanted(request: &Request) -> Wanted<'static> {
    let Request { source, object, replica, .. } = *request;
    Wanted { anchor: ANCHOR, source, object, replica, excluded: &[] }
}

/// What the law writes with random bits that are all ones or all zeros.
fn by_law(compiled: &Compiled, request: &Request, random: u64) -> u128 {
    compiled.destination(request, &mut || random, &mut |_| ControlFlow::Break(())).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, ..ProptestConfig::default() })]

    #[test]
    fn a_program_writes_what_the_law_wants(seed: u64, random: u128, later in 0u64..100_000) {
        let draw = Draw::new(seed);
        let compiled = draw.compile();
        let made = compiled.anchor(&wanted(&draw.request));
        let fields = compiled.placed().fields();
        if fields.iter().any(|field| field.width > 0 && matches!(field.kind, Kind::Pow { .. })) {
            prop_assert_eq!(made, Err(AnchorError::Work));
            return Ok(());
        }
        let row = made.unwrap();
        prop_assert_eq!(row.anchor.to_u128(), ANCHOR);
        let asks = |kind: &Kind| matches!(kind, Kind::Src(_) | Kind::Hash { .. } | Kind::Mac { .. });
        let asks = fields.iter().any(|field| field.width > 0 && asks(&field.kind));
        prop_assert_eq!(row.source.to_u128(), if asks { draw.request.source } else { 0 }, "{:?}", draw);

        let request = Request { time: draw.request.time + later, ..draw.request };
        let source = Words::from_u128(request.source);
        let writes = |random: u128| {
            let step = |call: &mut Call, number| anchor::step(&row, call, number, request.time);
            anchor::address(0, source, |_| Words::from_u128(random), step).unwrap().to_u128()
        };
        prop_assert_eq!(compiled.conforms(request.source, writes(random), request.time), Reason::Conform, "{:?}", draw);
        for (bits, word) in [(0, 0), (u128::MAX, u64::MAX)] {
            prop_assert_eq!(writes(bits), by_law(&compiled, &request, word), "{:?}", draw);
        }
        // Each random bit goes where the rule has one, and moves nothing else but the `mac` over it.
        let of = |of: fn(&Kind) -> bool| {
            fields.iter().filter(|field| of(&field.kind)).fold(0, |bits, field| bits | mask(field.first, field.width))
        };
        let (any, mac) = (of(|kind| *kind == Kind::Any), of(|kind| matches!(kind, Kind::Mac { .. })));
        prop_assert_eq!((writes(random) ^ writes(!random)) & !mac, any, "{:?}", draw);
    }
}

fn anchor(rule: &str, ring: &[Key], wanted: &Wanted<'_>) -> Result<(), AnchorError> {
    let placed = rule.parse::<Rule>().unwrap().place(0x2001_0db8 << 96, 64).unwrap();
    placed.compile(&Secrets { salt: [0; 16], ring }, 5).anchor(wanted).map(|_| ())
}

#[test]
fn what_a_program_lacks_is_said() {
    let none = wanted(&Request { source: 1, ..Request::default() });
    let key = [Key { number: 3, secret: [7; 16] }];
    let lacks = |error| Err(AnchorError::Address(error));
    assert_eq!(anchor("object(0):64", &[], &none), lacks(AddressError::NoObject));
    assert_eq!(anchor("object(0):64", &[], &Wanted { object: Some(1), ..none }), Ok(()));
    assert_eq!(anchor("replica(3):2 any:*", &[], &Wanted { replica: 2, ..none }), Ok(()));
    assert_eq!(
        anchor("replica(3):2 any:*", &[], &Wanted { replica: 3, ..none }),
        lacks(AddressError::NoReplica { count: 3 })
    );
    for rule in ["mac(64,key=k):64", "keyid:8 mac(64,key=k):*"] {
        assert_eq!(anchor(rule, &[], &none), lacks(AddressError::NoKey), "{rule}");
        assert_eq!(anchor(rule, &key, &none), Ok(()), "{rule}");
    }
    assert_eq!(anchor("pow(64,zeros=8):64", &[], &none), Err(AnchorError::Work));
    let parts = [(0, 128); 9];
    assert_eq!(anchor("any:64", &[], &Wanted { excluded: &parts[..8], ..none }), Ok(()));
    assert_eq!(anchor("any:64", &[], &Wanted { excluded: &parts, ..none }), Err(AnchorError::Excluded { parts: 9 }));
}

#[test]
fn a_row_has_the_newest_key_and_no_other() {
    let ring = [3, 9, 5].map(|number| Key { number, secret: [u8::try_from(number).unwrap(); 16] });
    let placed = "keyid:8 mac(64,key=k):*".parse::<Rule>().unwrap().place(0, 64).unwrap();
    let compiled = placed.compile(&Secrets { salt: [0; 16], ring: &ring }, 5);
    let row = compiled.anchor(&wanted(&Request::default())).unwrap();
    assert_eq!((row.rule.keys, row.rule.ring[0].number), (1, 9));
    assert!(row.rule.ring[1..].iter().all(|key| key.start == [0; 4]));
    assert_eq!(row.template.to_u128(), 9 << 56);
}
