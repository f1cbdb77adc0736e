//! Random destinations from a fixed seed in; as many of them pass as the tag's width, the epochs and the keys say, out.

use ssa_common::{
    rule::{Key, Rule, Secrets, WarningContext},
    verdict::Reason,
};

use crate::random::{Random, secret};

/// An epoch boundary of `period=30s`: the previous epoch is accepted beside the current one.
const EDGE: u64 = 1_700_000_010;

/// A rule, keys in the ring, a time; g and t of DESIGN's g/2^t.
const ODDS: &[(&str, u32, u64, u32, u32)] = &[
    ("any:56 mac(64,key=k):8", 1, 0, 1, 8),
    ("any:52 mac(64,key=k):12", 1, 0, 1, 12),
    ("any:48 mac(64,key=k):16", 1, 0, 1, 16),
    ("any:52 mac(64,key=k):12", 2, 0, 2, 12),
    ("any:52 mac(64,key=k):12", 5, 0, 2, 12),
    ("any:52 mac(64,key=k,period=30s):12", 1, EDGE, 2, 12),
    ("any:52 mac(64,key=k,period=30s):12", 1, EDGE + 15, 1, 12),
    ("any:52 mac(64,key=k,period=30s):12", 2, EDGE, 4, 12),
    ("any:48 mac(64,key=k,period=30s):16", 2, EDGE, 4, 16),
    // One field of 12 bits, whatever fills them.
    ("any:52 hash(48):12", 0, 0, 1, 12),
    ("any:52 src(0):12", 0, 0, 1, 12),
    ("any:14 pow(64,zeros=10):50", 0, 0, 1, 10),
];

#[test]
fn as_many_random_addresses_pass_as_the_width_says() {
    assert_eq!(EDGE % 30, 0);
    let prefix = 0x2001_0db8_0000_0001 << 64;
    for &(text, keys, time, g, t) in ODDS {
        let random = &mut Random(0x5353_4131);
        let ring: Vec<Key> = (1..=keys).map(|number| Key { number, secret: secret(random) }).collect();
        let placed = text.parse::<Rule>().unwrap().place(prefix, 64).unwrap();
        let compiled = placed.compile(&Secrets { salt: secret(random), ring: &ring }, 5);
        // 64 are expected, and a random source for each keeps them independent.
        let packets = (64 << t) / g;
        let passed = (0..packets)
            .filter(|_| {
                let destination = prefix | u128::from(random.word());
                compiled.conforms(random.wide(), destination, time) == Reason::Conform
            })
            .count();
        let expected = 64.0;
        let sigma = f64::sqrt(expected * (1.0 - expected / f64::from(packets)));
        let off = (f64::from(u32::try_from(passed).unwrap()) - expected).abs() / sigma;
        assert!(off <= 4.0, "{text} with {keys} keys at {time}: {passed} of {packets}, {off:.1} sigma off");
    }
}

/// A rule, keys in the ring, the skew; the figure that `check` prints.
type Figure = (&'static str, usize, u32, Option<(u64, u8)>);

const FIGURES: &[Figure] = &[
    ("any:64", 1, 5, None),
    ("mac(64,key=k):64", 1, 5, Some((1, 64))),
    ("mac(64,key=k):64", 3, 5, Some((2, 64))),
    ("mac(64,key=k,period=30s):64", 1, 0, Some((1, 64))),
    ("mac(64,key=k,period=30s):64", 1, 5, Some((2, 64))),
    ("mac(64,key=k,period=30s):64", 2, 5, Some((4, 64))),
    ("mac(64,key=k,period=30s):64", 2, 15, Some((4, 64))),
    ("mac(64,key=k,period=30s):64", 2, 16, Some((6, 64))),
    ("keyid:16 mac(64,key=k,period=30s):48", 2, 5, Some((2, 48))),
];

#[test]
fn the_figure_counts_keys_and_epochs() {
    for &(text, keys, skew, expected) in FIGURES {
        let placed = text.parse::<Rule>().unwrap().place(0, 64).unwrap();
        let context = WarningContext { slice_bits: 0, keys, skew };
        assert_eq!(placed.forgery(&context), expected, "{text} {keys} {skew}");
    }
}
