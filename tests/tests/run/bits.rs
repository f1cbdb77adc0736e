//! A rule of each kind and an address that conforms in; refused by the loaded program with any one bit flipped, out.

use ssa_common::{
    rule::{Compiled, Key, Request, Rule, Secrets},
    verdict::Reason,
};
use ssa_ctl::{kernel::sandbox::Sandbox, plan::numbers::Numbers};
use ssa_tests::run::{Config, load};

use crate::{
    packet::tcp,
    random::{Random, destination},
};

const SOURCE: u128 = 0x2001_0db8_0077_0001_0203_0405_0607_0809;
const SALT: [u8; 16] = *b"any salt will do";
const SECRET: [u8; 16] = *b"sixteen octets..";
const TIME: u64 = 1_700_000_015;

/// A rule on a /64, how many bits of the source it looks at, the bits of the field, what it says of a flipped one.
struct Kind {
    rule: &'static str,
    source_bits: std::ops::Range<u32>,
    field: std::ops::Range<u32>,
    refused: Reason,
}

const KINDS: [Kind; 14] = [
    Kind { rule: "const(0x123456789abcdef0):64", source_bits: 0..0, field: 64..128, refused: Reason::FieldMismatch },
    Kind { rule: "src(0):64", source_bits: 0..64, field: 64..128, refused: Reason::FieldMismatch },
    Kind { rule: "any:7 src(13,rev,inv):57", source_bits: 13..70, field: 71..128, refused: Reason::FieldMismatch },
    Kind { rule: "hash(48):64", source_bits: 0..48, field: 64..128, refused: Reason::FieldMismatch },
    Kind { rule: "hash(64):64", source_bits: 0..64, field: 64..128, refused: Reason::FieldMismatch },
    Kind { rule: "hash(128):64", source_bits: 0..128, field: 64..128, refused: Reason::FieldMismatch },
    // Not `any`: the tag is over the whole destination.
    Kind { rule: "any:8 mac(48,key=k):56", source_bits: 0..48, field: 64..128, refused: Reason::MacMismatch },
    Kind { rule: "mac(64,key=k):64", source_bits: 0..64, field: 64..128, refused: Reason::MacMismatch },
    Kind { rule: "mac(128,key=k):56 any:8", source_bits: 0..128, field: 64..128, refused: Reason::MacMismatch },
    Kind { rule: "mac(64,key=k,period=30s):64", source_bits: 0..64, field: 64..128, refused: Reason::MacMismatch },
    Kind { rule: "pow(56,zeros=14):64", source_bits: 0..56, field: 64..128, refused: Reason::PowMissing },
    Kind { rule: "pow(64,zeros=14,period=30s):64", source_bits: 0..64, field: 64..128, refused: Reason::PowMissing },
    Kind { rule: "any:32 replica(1):32", source_bits: 0..0, field: 96..128, refused: Reason::ReplicaRange },
    Kind { rule: "keyid:16 mac(48,key=k):48", source_bits: 0..48, field: 80..128, refused: Reason::MacMismatch },
];

impl Kind {
    fn compile(&self, number: usize, salt: [u8; 16], secret: [u8; 16]) -> Compiled {
        let prefix = (0x2001_0db8_0000_0000 + number as u128) << 64;
        let placed = self.rule.parse::<Rule>().unwrap().place(prefix, 64).unwrap();
        placed.compile(&Secrets { salt, ring: &[Key { number: 1, secret }] }, 0)
    }
}

fn sandbox() -> Sandbox {
    let mut config = Config::default();
    for (number, kind) in KINDS.iter().enumerate() {
        let rule = kind.rule;
        let salt = u128::from_be_bytes(SALT);
        config = config.service(&format!(
            "name = \"s{number}\"\nprefixes = [\"2001:db8:0:{number:x}::/64\"]\nrule = \"{rule}\"\nsalt = \"{salt:032x}\"\n\
             skew = 0\nallow_weak = true\n"
        ));
        if rule.contains("mac(") {
            config = config.key("k", 1, SECRET);
        }
    }
    let sandbox = load(&config.tables(&Numbers::default()).0);
    sandbox.set_clock(TIME).unwrap();
    sandbox
}

/// The program's reason for a pair, in the middle of a 30 s epoch.
fn reason(sandbox: &mut Sandbox, source: u128, to: u128) -> Reason {
    sandbox.judge(&tcp(source, to, 0), None).unwrap().reason
}

fn flip(of: u128, bit: u32) -> u128 {
    of ^ 1 << (127 - bit)
}

fn request(time: u64) -> Request {
    Request { source: SOURCE, time, ..Request::default() }
}

#[test]
fn every_bit_of_source_and_field_counts_and_no_other() {
    let mut sandbox = sandbox();
    for (number, kind) in KINDS.iter().enumerate() {
        let compiled = kind.compile(number, SALT, SECRET);
        let to = destination(&compiled, &request(TIME), &mut Random(70));
        assert_eq!(reason(&mut sandbox, SOURCE, to), Reason::Conform, "{}", kind.rule);
        for bit in 0..128 {
            let expected = if kind.source_bits.contains(&bit) { kind.refused } else { Reason::Conform };
            let found = reason(&mut sandbox, flip(SOURCE, bit), to);
            assert_eq!(found, expected, "{}: bit {bit} of the source", kind.rule);
        }
        for bit in kind.field.clone() {
            let found = reason(&mut sandbox, SOURCE, flip(to, bit));
            assert_eq!(found, kind.refused, "{}: bit {bit} of the destination", kind.rule);
        }
    }
}

#[test]
fn every_bit_of_a_key_number_counts() {
    let mut sandbox = sandbox();
    let (number, kind) = KINDS.iter().enumerate().find(|(_, kind)| kind.rule.starts_with("keyid")).unwrap();
    let to = destination(&kind.compile(number, SALT, SECRET), &request(TIME), &mut Random(1));
    for bit in 64..80 {
        assert_eq!(reason(&mut sandbox, SOURCE, flip(to, bit)), Reason::UnknownKey, "bit {bit}");
    }
}

#[test]
fn every_bit_of_key_and_salt_counts() {
    let mut sandbox = sandbox();
    for (number, kind) in
        KINDS.iter().enumerate().filter(|(_, kind)| kind.rule.contains("(48") || kind.rule.contains("(56"))
    {
        for bit in 0..128 {
            let off = |octets: [u8; 16]| flip(u128::from_be_bytes(octets), bit).to_be_bytes();
            // The salt is no part of a mac, nor the key of any other.
            let compiled = kind.compile(number, off(SALT), off(SECRET));
            let to = destination(&compiled, &request(TIME), &mut Random(2));
            let found = reason(&mut sandbox, SOURCE, to);
            assert_eq!(found, kind.refused, "{}: bit {bit} of the key", kind.rule);
        }
    }
}

#[test]
fn every_bit_of_the_epoch_counts() {
    let mut sandbox = sandbox();
    for (number, kind) in KINDS.iter().enumerate().filter(|(_, kind)| kind.rule.contains("period")) {
        let compiled = kind.compile(number, SALT, SECRET);
        let epoch = TIME / 30;
        for bit in 0..58 {
            let to = destination(&compiled, &request((epoch ^ 1 << bit) * 30), &mut Random(4));
            assert_eq!(reason(&mut sandbox, SOURCE, to), kind.refused, "{}: bit {bit} of the epoch", kind.rule);
        }
    }
}
