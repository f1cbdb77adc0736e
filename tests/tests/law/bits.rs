//! Fixed rules in; each single bit that a rule looks at counts, and no other does, out.

use ssa_common::{
    rule::{Compiled, Key, Request, Rule, Secrets},
    verdict::Reason,
};

use crate::random::{Random, destination};

const SOURCE: u128 = 0x2001_0db8_77aa_1234_5678_9abc_def0_1111;
const TIME: u64 = 1_700_000_015;
const SALT: u128 = 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10;
const SECRET: u128 = 0xf0e0_d0c0_b0a0_9080_7060_5040_3020_1000;

struct Service {
    text: &'static str,
    prefix: u128,
    length: u8,
    salt: u128,
    secret: u128,
}

impl Service {
    fn new(text: &'static str, length: u8) -> Self {
        let prefix = 0x2001_0db8_aaaa_bbbb_cccc_dddd_eeee_0000 >> (128 - length) << (128 - length);
        Self { text, prefix, length, salt: SALT, secret: SECRET }
    }

    fn compile(&self) -> Compiled {
        let ring = [Key { number: 9, secret: self.secret.to_be_bytes() }];
        let placed = self.text.parse::<Rule>().unwrap().place(self.prefix, self.length).unwrap();
        placed.compile(&Secrets { salt: self.salt.to_be_bytes(), ring: &ring }, 5)
    }

    fn address(&self) -> u128 {
        let request = Request { source: SOURCE, object: Some(7), replica: 1, time: TIME };
        destination(&self.compile(), &request, &mut Random(42))
    }
}

/// Rules, their prefix lengths, the reason for any bit of the suffix, how many source bits count, and the reason for these.
const RULES: &[(&str, u8, Reason, u8, Reason)] = &[
    ("src(0):64", 64, Reason::FieldMismatch, 64, Reason::FieldMismatch),
    ("src(0,rev):64", 64, Reason::FieldMismatch, 64, Reason::FieldMismatch),
    ("src(0,inv):40 src(40,rev,inv):24", 64, Reason::FieldMismatch, 64, Reason::FieldMismatch),
    ("src(0):80", 48, Reason::FieldMismatch, 80, Reason::FieldMismatch),
    ("const(0x5e):8 src(0):50 const(0x3):6", 64, Reason::FieldMismatch, 50, Reason::FieldMismatch),
    ("hash(48):64", 64, Reason::FieldMismatch, 48, Reason::FieldMismatch),
    ("hash(64):64", 64, Reason::FieldMismatch, 64, Reason::FieldMismatch),
    ("hash(128):56", 72, Reason::FieldMismatch, 128, Reason::FieldMismatch),
    ("const(0xff):16 hash(57):64", 48, Reason::FieldMismatch, 57, Reason::FieldMismatch),
    ("mac(64,key=k):64", 64, Reason::MacMismatch, 64, Reason::MacMismatch),
    ("mac(48,key=k,period=30s):64", 64, Reason::MacMismatch, 48, Reason::MacMismatch),
    ("any:16 mac(48,key=k):48", 64, Reason::MacMismatch, 48, Reason::MacMismatch),
    ("any:64 mac(128,key=k):48", 16, Reason::MacMismatch, 128, Reason::MacMismatch),
    ("object(0):16 mac(65,key=k,period=1h):64", 48, Reason::MacMismatch, 65, Reason::MacMismatch),
    ("mac(64,key=k):48 any:16", 64, Reason::MacMismatch, 64, Reason::MacMismatch),
];

#[test]
fn every_bit_of_source_and_destination_counts() {
    for &(text, length, of_suffix, source_bits, of_source) in RULES {
        let service = Service::new(text, length);
        let (compiled, good) = (service.compile(), service.address());
        assert_eq!(compiled.conforms(SOURCE, good, TIME), Reason::Conform, "{text}");
        for bit in length..128 {
            let found = compiled.conforms(SOURCE, good ^ 1 << (127 - bit), TIME);
            assert_eq!(found, of_suffix, "{text}: destination bit {bit}");
        }
        for bit in 0..128 {
            let found = compiled.conforms(SOURCE ^ 1 << (127 - bit), good, TIME);
            let expected = if bit < source_bits { of_source } else { Reason::Conform };
            assert_eq!(found, expected, "{text}: source bit {bit}");
        }
    }
}

#[test]
fn every_bit_of_key_salt_prefix_and_epoch_counts() {
    for &(text, length, of_suffix, ..) in RULES {
        let service = Service::new(text, length);
        let good = service.address();
        let keyed = if text.contains("mac") { of_suffix } else { Reason::Conform };
        let salted = if text.contains("hash") { of_suffix } else { Reason::Conform };
        let hashed = if text.contains("hash") || text.contains("mac") { of_suffix } else { Reason::Conform };
        for bit in 0..128 {
            let other = Service { secret: SECRET ^ 1 << bit, ..Service::new(text, length) };
            assert_eq!(other.compile().conforms(SOURCE, good, TIME), keyed, "{text}: secret bit {bit}");
            let other = Service { salt: SALT ^ 1 << bit, ..Service::new(text, length) };
            assert_eq!(other.compile().conforms(SOURCE, good, TIME), salted, "{text}: salt bit {bit}");
        }
        for bit in 128 - length..128 {
            let prefix = service.prefix ^ 1 << bit;
            let other = Service { prefix, ..Service::new(text, length) };
            assert_eq!(other.compile().conforms(SOURCE, good ^ 1 << bit, TIME), hashed, "{text}: prefix bit {bit}");
        }
        for bit in 12..60 {
            let expected = if text.contains("period") { Reason::MacMismatch } else { Reason::Conform };
            assert_eq!(service.compile().conforms(SOURCE, good, TIME ^ 1 << bit), expected, "{text}: time bit {bit}");
        }
    }
}

#[test]
fn every_bit_of_a_proof_counts() {
    const ZEROS: usize = 12;
    let service = Service::new("any:14 pow(64,zeros=12,period=10m):50", 64);
    let (compiled, good) = (service.compile(), service.address());
    assert_eq!(compiled.conforms(SOURCE, good, TIME), Reason::Conform);
    let pairs = (0..64).flat_map(|bit| [(SOURCE, good ^ 1 << bit), (SOURCE ^ 1 << (127 - bit), good)]);
    let survivors = pairs.filter(|&(source, destination)| match compiled.conforms(source, destination, TIME) {
        Reason::Conform => true,
        reason => {
            assert_eq!(reason, Reason::PowMissing);
            false
        }
    });
    // 128 neighbours, each a proof once in 2^12.
    assert!(survivors.count() <= 1, "one bit off is a proof once in 2^{ZEROS}");
    for bit in 0..64 {
        assert_eq!(compiled.conforms(SOURCE ^ 1 << bit, good, TIME), Reason::Conform, "source bits past 64");
    }
}

#[test]
fn one_zero_bit_less_is_no_proof() {
    let weaker = Service::new("pow(64,zeros=9):64", 64).compile();
    let wanted = Service::new("pow(64,zeros=10):64", 64).compile();
    let prefix = Service::new("any:64", 64).prefix;
    let random = &mut Random(7);
    let (mut exactly, mut more) = (0, 0);
    while exactly < 5 || more < 5 {
        let destination = prefix | u128::from(random.word());
        if weaker.conforms(SOURCE, destination, TIME) == Reason::Conform {
            match wanted.conforms(SOURCE, destination, TIME) {
                Reason::Conform => more += 1,
                reason => {
                    assert_eq!(reason, Reason::PowMissing);
                    exactly += 1;
                }
            }
        }
    }
}
