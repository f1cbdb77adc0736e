//! Rule texts in; the same text back, or every fault with its place, its message and its help, out.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use ssa_common::rule::Rule;

use crate::random::{Random, rule};

proptest! {
    #[test]
    fn canonical_text_comes_back(seed: u64, suffix in 8u32..=112) {
        let text = rule(&mut Random(seed), suffix);
        let parsed: Rule = text.parse().unwrap();
        prop_assert_eq!(parsed.to_string(), text);
    }

    #[test]
    fn noise_is_refused_in_peace(text in r"[a-z():,=* 0-9]{0,60}|\PC{0,60}") {
        if let Err(errors) = Rule::parse(&text) {
            prop_assert!(!errors.is_empty());
            for error in errors {
                prop_assert!(text.get(error.span.clone()).is_some(), "{:?} is a place in {:?}", error.span, text);
                prop_assert!(!error.message.is_empty() && !error.help.is_empty());
            }
        }
    }
}

/// Texts that are right though not canonical, and their canonical form.
const SPELLINGS: &[(&str, &str)] = &[
    ("any:064", "any:64"),
    ("mac(64,key=k,period=300s):64", "mac(64,key=k,period=5m):64"),
    ("mac(64,key=k,period=60m):64", "mac(64,key=k,period=1h):64"),
    ("mac(64,key=k,period=090s):64", "mac(64,key=k,period=90s):64"),
    ("mac(064,period=1s,key=k):64", "mac(64,key=k,period=1s):64"),
    ("pow(048,period=7200s,zeros=09):50", "pow(48,zeros=9,period=2h):50"),
    ("src(007,inv,rev):64", "src(7,rev,inv):64"),
    ("object(0,inv,rev):064", "object(0,rev,inv):64"),
    ("const(0x00BEEF):16", "const(0xbeef):16"),
    ("const(0x0):*", "const(0x0):*"),
    ("const(0xffffffffffffffffffffffffffff):112", "const(0xffffffffffffffffffffffffffff):112"),
    ("hash(0128):001", "hash(128):1"),
    ("replica(00004294967295):32", "replica(4294967295):32"),
    ("mac(1,key=-_aZ9,period=4294967295s):64", "mac(1,key=-_aZ9,period=4294967295s):64"),
];

#[test]
fn other_spellings_become_canonical() {
    for (text, canonical) in SPELLINGS {
        let parsed: Rule = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(parsed.to_string(), *canonical);
        assert_eq!(canonical.parse::<Rule>().unwrap(), parsed, "equal whatever the spelling");
    }
}

/// A faulty text; for each fault the text it points at, words of its message, words of its help.
type Fault = (&'static str, &'static [(&'static str, &'static str, &'static str)]);

const FIELD: &str = "KIND:WIDTH";
const FAULTS: &[Fault] = &[
    ("", &[("", "empty", "any:*")]),
    ("foo:64", &[("foo", "`foo` is not a kind", "any, const, src, object, hash, mac, pow, replica, keyid")]),
    ("Any:64", &[("Any", "`Any` is not a kind", "any")]),
    (":64", &[("", "`` is not a kind", "any")]),
    ("any", &[("any", "`any` has no width", FIELD)]),
    ("src(0)", &[("src(0)", "`src(0)` has no width", FIELD)]),
    ("any:", &[("", "`` is not a width", "1 to 112")]),
    ("any:0", &[("0", "`0` is not a width", "1 to 112")]),
    ("any:113", &[("113", "`113` is not a width", "1 to 112")]),
    ("any:1000", &[("1000", "`1000` is not a width", "1 to 112")]),
    ("any:0064", &[("0064", "`0064` is not a width", "1 to 112")]),
    ("any:+64", &[("+64", "is not a width", "1 to 112")]),
    ("any:-1", &[("-1", "is not a width", "1 to 112")]),
    ("any:**", &[("**", "is not a width", "or *")]),
    ("any:64bits", &[("64bits", "is not a width", "1 to 112")]),
    ("any:* src(0):8 any:*", &[("any:*", "more than one field of width *", "all fields but one")]),
    ("any:1 any:2 any:3 any:4 any:5 any:6 any:7 any:8 any:9", &[("any:9", "more than 8 fields", "merge neighbours")]),
    ("hash(1):9 hash(2):9 hash(3):9", &[("hash(3):9", "more than 2 hashed fields", "hash, mac and pow")]),
    ("hash(1):9 mac(2,key=k):9 pow(3,zeros=1):9", &[("pow(3,zeros=1):9", "more than 2 hashed", "at most 2")]),
    ("mac(1,key=a):32 mac(2,key=b):32", &[("mac(2,key=b):32", "more than one mac", "at most one mac")]),
    ("keyid:2 mac(1,key=a):32 keyid:2", &[("keyid:2", "more than one keyid", "at most one keyid")]),
    ("any:8 keyid:2", &[("keyid:2", "keyid without a mac", "add a mac")]),
    ("src(100):29", &[("src(100):29", "bits 100 to 128", "begin at bit 99")]),
    ("object(127,rev):2", &[("object(127,rev):2", "bits 127 to 128", "begin at bit 126")]),
    ("src():8", &[("", "`` cannot be O", "0 to 127")]),
    ("src:8", &[("src", "src lacks O", "0 to 127")]),
    ("src(128):8", &[("128", "`128` cannot be O", "0 to 127")]),
    ("src(-1):8", &[("-1", "cannot be O", "0 to 127")]),
    ("src(0,flip):8", &[("flip", "src does not take `flip`", "rev and inv")]),
    ("src(0,rev,rev):8", &[("rev", "src does not take `rev`", "at most once")]),
    ("object(0,inv,rev,inv):8", &[("inv", "object does not take `inv`", "at most once")]),
    ("src(rev,0):8", &[("rev", "`rev` cannot be O", "0 to 127")]),
    ("const:8", &[("const", "const lacks V", "0xbeef")]),
    ("const(12):8", &[("12", "`12` is not a value", "hexadecimal")]),
    ("const(0x):8", &[("0x", "is not a value", "hexadecimal")]),
    ("const(0X1):8", &[("0X1", "is not a value", "hexadecimal")]),
    ("const(0x+1):8", &[("0x+1", "is not a value", "hexadecimal")]),
    (
        "const(0x100000000000000000000000000000000):112",
        &[("0x100000000000000000000000000000000", "is not a value", "up to 128 bits")],
    ),
    ("const(0x1,0x2):8", &[("0x2", "const does not take", "one value")]),
    ("const(0x100):8", &[("const(0x100):8", "0x100 has 9 bits, the field 8", "below 2^8")]),
    ("hash(0):14", &[("0", "`0` cannot be P", "1 to 128")]),
    ("hash(129):14", &[("129", "`129` cannot be P", "1 to 128")]),
    ("hash(48,key=k):14", &[("key=k", "hash does not take", "one number")]),
    ("hash(48):65", &[("hash(48):65", "a hash has at most 64 bits, not 65", "fill up with any")]),
    ("mac(64,key=k):65", &[("mac(64,key=k):65", "a mac has at most 64", "any")]),
    ("mac(64):64", &[("mac", "mac lacks key=NAME", "mac(64,key=k1):64")]),
    ("mac(0,key=k):64", &[("0", "cannot be P", "1 to 128")]),
    ("mac(key=k,64):64", &[("key=k", "cannot be P", "1 to 128")]),
    ("mac(64,key=):64", &[("", "`` is not a key's name", "1 to 63")]),
    ("mac(64,key=../k):64", &[("../k", "`../k` is not a key's name", "letters, digits")]),
    ("mac(64,key=k,key=l):64", &[("key=l", "mac does not take", "each once")]),
    ("mac(64,key=k,period=0s):64", &[("0s", "`0s` is not a period", "30s, 5m or 1h")]),
    ("mac(64,key=k,period=1d):64", &[("1d", "`1d` is not a period", "30s, 5m or 1h")]),
    ("mac(64,key=k,period=30):64", &[("30", "`30` is not a period", "30s")]),
    ("mac(64,key=k,period=s):64", &[("s", "`s` is not a period", "30s")]),
    ("mac(64,key=k,period=):64", &[("", "`` is not a period", "30s")]),
    ("mac(64,key=k,period=4294967296s):64", &[("4294967296s", "is not a period", "2^32 - 1")]),
    ("mac(64,key=k,period=1193047h):64", &[("1193047h", "is not a period", "2^32 - 1")]),
    ("mac(64,key=k,period=99999999999999999999h):64", &[("99999999999999999999h", "is not a period", "2^32 - 1")]),
    ("mac(64,key=k,zeros=3):64", &[("zeros=3", "mac does not take", "period=DUR")]),
    ("pow(65,zeros=18):50", &[("65", "`65` cannot be P", "1 to 64")]),
    ("pow(64):50", &[("pow", "pow lacks zeros=Z", "zeros=18")]),
    ("pow(64,zeros=0):50", &[("0", "`0` cannot be Z", "1 to 40")]),
    ("pow(64,zeros=41):64", &[("41", "`41` cannot be Z", "1 to 40")]),
    ("pow(64,zeros=18):24", &[("pow(64,zeros=18):24", "18 zero bits", "use 25 bits or more")]),
    ("replica(0):4", &[("0", "`0` cannot be K", "1 to 4294967295")]),
    ("replica(4294967296):40", &[("4294967296", "cannot be K", "1 to 4294967295")]),
    ("replica(17):4", &[("replica(17):4", "17 replicas cannot be numbered with 4 bits", "at most 16")]),
    ("keyid:65 mac(1,key=k):32", &[("keyid:65", "1 to 64 bits, not 65", "key numbers")]),
    ("keyid(1):2 mac(1,key=k):32", &[("1", "keyid does not take `1`", "no arguments")]),
    ("any(1):64", &[("1", "any does not take `1`", "no arguments")]),
    ("any():64", &[("", "any does not take ``", "no arguments")]),
    ("any:32  any:32", &[(" ", "a space too many", "one space")]),
    (" any:64", &[(" ", "a space too many", "one space")]),
    ("any:64 ", &[(" ", "a space too many", "one space")]),
    ("any:32\tany:32", &[("any:32\tany", "is not a kind", "any")]),
    ("hash(48:14", &[("hash(48", "`hash(48` has no closing bracket", FIELD)]),
    ("hash48):14", &[("hash48)", "is not a kind", "any")]),
    ("hash(48)x:14", &[("hash(48)x", "no closing bracket", FIELD)]),
    ("hash(48, key=k):14", &[("hash(48,", "has no width", FIELD), ("key=k)", "is not a kind", "any")]),
    ("größe:64", &[("größe", "`größe` is not a kind", "any")]),
    ("any:６４", &[("６４", "`６４` is not a width", "1 to 112")]),
    ("mac(1,key=клютч):64", &[("клютч", "is not a key's name", "letters")]),
    ("mac(1,key=k,period=5м):64", &[("5м", "is not a period", "5m")]),
    // Several at once, in the order of the text.
    (
        "foo:8 src(200):8 any:0  keyid:2 hash(9):65 const(0xfff):8",
        &[
            ("foo", "not a kind", "any"),
            ("200", "cannot be O", "0 to 127"),
            ("0", "not a width", "1 to 112"),
            (" ", "space", "one space"),
            ("keyid:2", "without a mac", "add a mac"),
            ("hash(9):65", "at most 64", "any"),
            ("const(0xfff):8", "12 bits", "2^8"),
        ],
    ),
    (
        "any:* mac(1,key=a):9 any:* mac(2,key=b):9 hash(1):9",
        &[
            ("any:*", "width *", "all fields but one"),
            ("mac(2,key=b):9", "one mac", "at most one"),
            ("hash(1):9", "2 hashed", "at most 2"),
        ],
    ),
];

#[test]
fn every_fault_has_its_place_and_its_words() {
    for (text, expected) in FAULTS {
        let errors = Rule::parse(text).expect_err(text);
        let places: Vec<_> = errors.iter().map(|error| &text[error.span.clone()]).collect();
        assert_eq!(places, expected.iter().map(|fault| fault.0).collect::<Vec<_>>(), "{text}: {errors:?}");
        for (error, (_, message, help)) in errors.iter().zip(*expected) {
            assert!(error.message.contains(message), "{text}: {} lacks {message}", error.message);
            assert!(error.help.contains(help), "{text}: {} lacks {help}", error.help);
        }
        let first = text.parse::<Rule>().expect_err(text);
        assert_eq!(first, errors[0], "{text}: the first fault is the first of all");
        assert_eq!(first.to_string(), format!("{}; {}", first.message, first.help));
    }
}

/// Rules that are right by themselves and do not fit a prefix: rule, prefix length, words of message and help.
const MISPLACED: &[(&str, u8, &str, &str)] = &[
    ("any:63", 64, "63 bits, and a /64 leaves 64", "add any:1"),
    ("any:65", 64, "65 bits, and a /64 leaves 64", "take 1 bits away"),
    ("any:64", 48, "64 bits, and a /48 leaves 80", "any:16"),
    ("any:8 src(0):* any:100", 64, "108 bits", "take 44 bits away"),
    ("hash(48):*", 48, "a hash has at most 64 bits, not 80", "any"),
    ("any:64 mac(1,key=k):*", 64, "nothing is left for the mac", "number of bits"),
    ("any:40 pow(1,zeros=18):*", 64, "18 zero bits", "25 bits or more"),
    ("mac(1,key=k):64 keyid:*", 64, "1 to 64 bits, not 0", "key numbers"),
    ("src(80):*", 64, "bits 80 to 143", "begin at bit 64"),
    ("const(0x1ff):* any:56", 64, "9 bits, the field 8", "below 2^8"),
    ("replica(3):* any:63", 64, "3 replicas cannot be numbered with 1 bits", "at most 2"),
];

#[test]
fn what_does_not_fit_the_prefix_is_said() {
    for &(text, length, message, help) in MISPLACED {
        let rule: Rule = text.parse().unwrap();
        let errors = rule.place(0x2001 << 112, length).expect_err(text);
        assert!(errors[0].message.contains(message), "{text}: {}", errors[0].message);
        assert!(errors[0].help.contains(help), "{text}: {}", errors[0].help);
        assert!(text.get(errors[0].span.clone()).is_some_and(|place| !place.is_empty()), "{text}");
    }
}

#[test]
fn a_hundred_kilobytes_of_noise_are_refused_quickly() {
    let random = &mut Random(1);
    let drawn: String = (0..100_000).map(|_| char::from(random.pick(b" :(),=*0123456789abcmackeypow"))).collect();
    let texts = [
        drawn,
        " ".repeat(100_000),
        "any:1 ".repeat(16_667),
        "(".repeat(100_000),
        format!("src(0{}):8", ",rev".repeat(25_000)),
        format!("any:{}", "9".repeat(100_000)),
        format!("mac(1,key={}):64", "k".repeat(100_000)),
        format!("const(0x{}):8", "f".repeat(100_000)),
        "ä".repeat(50_000),
        "hash(1):9 ".repeat(10_000),
    ];
    for text in texts {
        let start = Instant::now();
        assert!(Rule::parse(&text).is_err());
        assert!(start.elapsed() < Duration::from_secs(2), "{}… took {:?}", &text[..8], start.elapsed());
    }
}
