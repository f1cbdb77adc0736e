//! Drawn services and clients in; what the client computes conforms, and one bit off gives the right reason, out.

use proptest::prelude::*;
use ssa_common::{
    rule::{AddressError, Compiled, Key, Kind, PlacedField, Request, Rule, Secrets},
    verdict::Reason,
};

use crate::random::{Draw, Random, destination};

/// From this width on a digest that agrees by chance is not expected in the life of these tests.
const WIDE: u8 = 40;

/// The verdict of a rule whose fields before `mac` and `pow` hold, when something that these digest has changed; none
/// where chance decides.
fn after(fields: &[PlacedField], covered: impl Fn(&Kind) -> bool) -> Option<Reason> {
    let digests =
        |field: &&PlacedField| matches!(field.kind, Kind::Mac { .. } | Kind::Pow { .. }) && covered(&field.kind);
    let mut digests = fields.iter().filter(digests).peekable();
    if digests.peek().is_none() {
        return Some(Reason::Conform);
    }
    digests.any(|field| matches!(field.kind, Kind::Mac { .. }) && field.width >= WIDE).then_some(Reason::MacMismatch)
}

/// What flipping `bit` of a good destination must give.
fn flipped_destination(draw: &Draw, fields: &[PlacedField], destination: u128, bit: u8) -> Option<Reason> {
    let field = fields.iter().find(|field| (field.first..field.first + field.width).contains(&bit)).unwrap();
    let shift = 128 - u32::from(field.first) - u32::from(field.width);
    let value = ((destination ^ 1 << (127 - bit)) >> shift) & (u128::MAX >> (128 - field.width));
    match field.kind {
        Kind::Const(_) | Kind::Src(_) | Kind::Hash { .. } => Some(Reason::FieldMismatch),
        Kind::Replica { count } if value >= count.into() => Some(Reason::ReplicaRange),
        Kind::KeyId
            if !draw.ring.iter().any(|key| u128::from(key.number) & (u128::MAX >> (128 - field.width)) == value) =>
        {
            Some(Reason::UnknownKey)
        }
        _ => after(fields, |_| true),
    }
}

/// What flipping `bit` of the source must give.
fn flipped_source(fields: &[PlacedField], bit: u8) -> Option<Reason> {
    let depends = |kind: &Kind| kind.source_bits().is_some_and(|bits| bit < bits);
    let mut chance = false;
    for field in fields.iter().filter(|field| field.width > 0) {
        match field.kind {
            Kind::Src(from) if (from.offset..from.offset + field.width).contains(&bit) => {
                return Some(Reason::FieldMismatch);
            }
            Kind::Hash { .. } if depends(&field.kind) && field.width >= WIDE => return Some(Reason::FieldMismatch),
            Kind::Hash { .. } if depends(&field.kind) => chance = true,
            _ => {}
        }
    }
    if chance { None } else { after(fields, depends) }
}

fn reasons_of(fields: &[PlacedField]) -> Vec<Reason> {
    let of = |kind: &Kind| match kind {
        Kind::Any | Kind::Object(_) => Reason::Conform,
        Kind::Const(_) | Kind::Src(_) | Kind::Hash { .. } => Reason::FieldMismatch,
        Kind::Replica { .. } => Reason::ReplicaRange,
        Kind::KeyId => Reason::UnknownKey,
        Kind::Mac { .. } => Reason::MacMismatch,
        Kind::Pow { .. } => Reason::PowMissing,
    };
    fields.iter().map(|field| of(&field.kind)).chain([Reason::Conform]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn what_the_client_makes_the_filter_accepts_and_nothing_beside_it(seed: u64) {
        let draw = Draw::new(seed);
        let compiled = draw.compile();
        let fields = compiled.placed().fields();
        let (source, time) = (draw.request.source, draw.request.time);
        let good = destination(&compiled, &draw.request, &mut Random(!seed));
        prop_assert_eq!(good >> (128 - draw.length) << (128 - draw.length), draw.prefix);
        prop_assert_eq!(compiled.conforms(source, good, time), Reason::Conform, "{:?}", draw);
        let check = |found: Reason, expected: Option<Reason>, what: &str, bit: u8| {
            let right = expected.map_or_else(|| reasons_of(fields).contains(&found), |expected| found == expected);
            prop_assert!(right, "{what} bit {bit} of {draw:?}: {found:?}, not {expected:?}");
            Ok(())
        };
        for bit in draw.length..128 {
            let found = compiled.conforms(source, good ^ 1 << (127 - bit), time);
            check(found, flipped_destination(&draw, fields, good, bit), "destination", bit)?;
        }
        for bit in 0..128 {
            let found = compiled.conforms(source ^ 1 << (127 - bit), good, time);
            check(found, flipped_source(fields, bit), "source", bit)?;
        }
    }

    #[test]
    fn a_client_with_another_secret_fails(seed: u64, bit in 0..128u32) {
        let draw = Draw::new(seed);
        let compiled = draw.compile();
        let mut other = Draw::new(seed);
        let flip = |secret: [u8; 16]| (u128::from_be_bytes(secret) ^ 1 << bit).to_be_bytes();
        let newest = other.ring.iter_mut().max_by_key(|key| key.number).unwrap();
        newest.secret = flip(newest.secret);
        let forged = destination(&other.compile(), &draw.request, &mut Random(!seed));
        let fields = compiled.placed().fields();
        if let Some(expected) = after(fields, |kind| matches!(kind, Kind::Mac { .. })) {
            prop_assert_eq!(compiled.conforms(draw.request.source, forged, draw.request.time), expected, "{:?}", draw);
        }
    }

    #[test]
    fn replicas_past_the_last_are_refused(count in 1u32..100, replica in 0u32..200, seed: u64) {
        let compiled = compile(&format!("replica({count}):8 any:*"));
        let request = Request { replica, ..Request::default() };
        let made = compiled.destination(&request, &mut || seed, &mut |_| std::ops::ControlFlow::Continue(()));
        prop_assert_eq!(made.err(), (replica >= count).then_some(AddressError::NoReplica { count }));
        let number = u128::from(replica) << 56;
        let expected = if replica < count { Reason::Conform } else { Reason::ReplicaRange };
        prop_assert_eq!(compiled.conforms(0, number, 0), expected);
    }
}

fn compile(text: &str) -> Compiled {
    let ring = [Key { number: 1, secret: [1; 16] }];
    text.parse::<Rule>().unwrap().place(0, 64).unwrap().compile(&Secrets { salt: [0; 16], ring: &ring }, 5)
}

#[test]
fn what_the_client_lacks_is_said() {
    let ask = |compiled: &Compiled, request: &Request| {
        compiled.destination(request, &mut || 0, &mut |_| std::ops::ControlFlow::Break(())).map(|_| ())
    };
    let none = Request::default();
    assert_eq!(ask(&compile("object(0):64"), &none), Err(AddressError::NoObject));
    assert_eq!(ask(&compile("object(0):64"), &Request { object: Some(1), ..none }), Ok(()));
    // A nonce that is always zero never proves 40 bits, and the search ends where the caller says so.
    assert_eq!(ask(&compile("pow(64,zeros=40):64"), &none), Err(AddressError::Cancelled));
    let rule: Rule = "mac(64,key=k):64".parse().unwrap();
    let keyless = rule.place(0, 64).unwrap().compile(&Secrets::default(), 5);
    assert_eq!(ask(&keyless, &none), Err(AddressError::NoKey));
    assert_eq!(keyless.conforms(0, 0, 0), Reason::MacMismatch);
}

#[test]
fn the_seed_examples_place_bits_where_the_words_say() {
    let source = 0x2001_0db8_ffff_0000_1234_5678_9abc_def0;
    let object = 0x0123_4567_89ab_cdef_0f1e_2d3c_4b5a_6978;
    let request = Request { source, object: Some(object), ..Request::default() };
    // The prefix is all zeros.
    let suffix = |text: &str| u64::try_from(destination(&compile(text), &request, &mut Random(0))).unwrap();
    assert_eq!(suffix("src(0):64"), 0x2001_0db8_ffff_0000);
    assert_eq!(suffix("object(64,inv):64"), !0x0f1e_2d3c_4b5a_6978);
    assert_eq!(suffix("object(114,inv):14 any:50") >> 50, !0x6978 & 0x3fff);
    assert_eq!(suffix("src(0,rev):64"), 0x2001_0db8_ffff_0000u64.reverse_bits());
    assert_eq!(suffix("const(0xbeef):16 any:48") >> 48, 0xbeef);
    assert_eq!(suffix("hash(48):14 object(0):50") & (u64::MAX >> 14), 0x0123_4567_89ab_cdef >> 14);
}
