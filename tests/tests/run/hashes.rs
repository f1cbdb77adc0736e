//! Published vectors as rules set by hand in; a verdict that the published digest alone decides, out.

use bytemuck::Zeroable;
use sha2::{Digest, Sha256};
use ssa_common::{
    bits::Words,
    layout::BANK_MAGIC,
    rows::{BankRow, ClockRow, HashedRow, KeyRow, PrefixRow, PreviousRow, RuleRow, STALE_LAST, ServiceRow},
    rule::{Key, Rule, Secrets, Timing},
    siphash::{start, tail},
    verdict::Reason,
};
use ssa_ctl::{
    kernel::sandbox::Sandbox,
    plan::{blocks::BlockTable, slices::Slices, tables::Tables},
};
use ssa_tests::run::load;

use crate::{packet::tcp, random::Random};

/// Ticks in an epoch, long enough to run one frame in, and short enough for the epochs of the vectors.
const PERIOD: u64 = 31;

/// The one service is every address, so that every bit of the destination can be the rule's.
fn tables(rule: &RuleRow) -> Tables {
    let mut service = ServiceRow::zeroed();
    service.name[0] = b'a';
    let row = PrefixRow { service: 1, length: 1, enforce: 1 << 32, rule: *rule, ..PrefixRow::zeroed() };
    Tables {
        bank: BankRow { magic: BANK_MAGIC, lengths: 1, seeds: [1, 1], shift: 63, ..BankRow::zeroed() },
        prefixes: vec![row, PrefixRow::zeroed()],
        previous: vec![PreviousRow::zeroed(); 2],
        services: vec![ServiceRow::zeroed(), service],
        endpoints: Vec::new(),
        slices: Slices::default(),
        blocks: BlockTable::default(),
    }
}

/// A field that begins with the first bit of the address and has 64.
const FIELD: HashedRow = HashedRow {
    start: [0; 4],
    key: Words { hi: 0, lo: 0 },
    source_mask: Words { hi: u64::MAX, lo: u64::MAX },
    others: Words { hi: 0, lo: u64::MAX },
    tail: 0,
    period: 0,
    skew: 0,
    rotate: 0,
    source_octets: 8,
    suffix_octets: 8,
    shift: 0,
    zeros: 0,
};

/// A rule of one such field: compiled, and then the field is set by hand.
fn rule(text: &str, field: HashedRow) -> RuleRow {
    let placed = text.parse::<Rule>().unwrap().place(0, 64).unwrap();
    let ring = [Key { number: 1, secret: [0; 16] }];
    let timing = Timing { hertz: 1, skew: 0, max_age: 0, stale: STALE_LAST };
    let mut row = placed.row(&Secrets { salt: [0; 16], ring: &ring }, timing);
    row.hashed[0] = field;
    row
}

/// The octets `first`, `first` + 1 and so on, as many as there are in 128 bits.
fn counting(first: u8) -> u128 {
    u128::from_be_bytes(std::array::from_fn(|at| first.wrapping_add(u8::try_from(at).unwrap())))
}

fn word(octets: u128) -> u64 {
    Words::from_u128(octets).hi
}

/// The program, asked about one rule after the other.
struct Asked(Sandbox);

impl Asked {
    fn new() -> Self {
        Self(load(&tables(&RuleRow::zeroed())))
    }

    fn put(&self, rule: &RuleRow) {
        self.0.instance().put_in_force(&tables(rule), "", 2).unwrap();
    }

    /// The reason for a pair, at the begin of an epoch.
    fn reason(&mut self, source: u128, destination: u128, epoch: u64) -> Reason {
        // The clocks can differ by a tick.
        let jiffies = self.0.ticks().now();
        let offset = (epoch * PERIOD + 2).wrapping_sub(jiffies);
        self.0.instance().publish(ClockRow { offset, published: jiffies }).unwrap();
        self.0.judge(&tcp(source, destination, 0), None).unwrap().reason
    }

    /// Conforms with this digest in the first 64 bits, and with no other that is one bit off.
    fn decides(&mut self, digest: u64, source: u128, rest: u64, epoch: u64, refused: Reason) {
        let to = |digest: u64| u128::from(digest) << 64 | u128::from(rest);
        assert_eq!(self.reason(source, to(digest), epoch), Reason::Conform, "{digest:#x}");
        for bit in 0..64 {
            let off = digest ^ 1 << bit;
            assert_eq!(self.reason(source, to(off), epoch), refused, "{digest:#x}, bit {bit}");
        }
    }
}

#[test]
fn the_published_vectors_of_siphash_1_3() {
    // Key 00 to 0f, messages 00, 01 and so on: lengths and digests.
    let published = [(7, 0xd392_7d98_9bb1_1140), (8, 0x3690_9511_8d29_9a8e), (16, 0xcc4f_dd1a_7d90_8b66)];
    let mut asked = Asked::new();
    for (source_octets, digest) in published {
        let start = start(Words::from_u128(counting(0)));
        let field = HashedRow { start, source_octets, tail: tail(source_octets.into()), ..FIELD };
        asked.put(&rule("hash(64):64", field));
        // Of a word of seven octets the rest is masked, as the compiler of rules does.
        let source = if source_octets == 7 { counting(0) >> 72 << 72 } else { counting(0) };
        asked.decides(digest, source, 0, 0, Reason::FieldMismatch);
    }
}

#[test]
fn the_published_vectors_of_siphash_2_4() {
    // The suffix is 00 to 07; then the epoch, if there is one, and the source.
    let published = [
        (false, 7, 0xa129_ca61_49be_45e5),
        (false, 8, 0x3f2a_cc7f_57c2_9bdb),
        (false, 16, 0xb8ad_50c6_f649_af94),
        (true, 7, 0xa80c_038c_cd5c_cec8),
        (true, 8, 0xb8ad_50c6_f649_af94),
        (true, 16, 0x7127_512f_72f2_7cce),
    ];
    let mut asked = Asked::new();
    for (with_epoch, source_octets, digest) in published {
        let period = if with_epoch { PERIOD } else { 0 };
        let tail = tail(u64::from(source_octets) + if with_epoch { 16 } else { 8 });
        let mut row = rule("mac(64,key=k):64", HashedRow { source_octets, period, tail, ..FIELD });
        row.ring[0] = KeyRow { start: start(Words::from_u128(counting(0))), number: 1 };
        asked.put(&row);
        let source = counting(if with_epoch { 16 } else { 8 });
        let source = if source_octets == 7 { source >> 72 << 72 } else { source };
        asked.decides(digest, source, word(counting(0)), word(counting(8)), Reason::MacMismatch);
    }
}

/// What the proof of work hashes.
struct Work {
    key: u128,
    destination: u128,
    epoch: Option<u64>,
    source: u128,
    source_octets: u8,
}

impl Work {
    /// The zero bits that SHA-256 begins with, says another implementation.
    fn zeros(&self) -> u32 {
        let epoch = self.epoch.map_or(vec![], |epoch| epoch.to_be_bytes().to_vec());
        let source = &self.source.to_be_bytes()[..self.source_octets.into()];
        let message = [&self.key.to_be_bytes(), &self.destination.to_be_bytes(), &epoch[..], source].concat();
        let digest: [u8; 32] = Sha256::digest(message).into();
        u64::from_be_bytes(*digest.first_chunk().unwrap()).leading_zeros()
    }

    /// So many zero bits are there, and one more is not.
    fn decides(&self, asked: &mut Asked, zeros: u32) {
        assert_eq!(self.zeros(), zeros);
        for (wanted, reason) in [(zeros, Reason::Conform), (zeros + 1, Reason::PowMissing)] {
            if wanted == 0 {
                continue;
            }
            let period = if self.epoch.is_some() { PERIOD } else { 0 };
            let Self { source_octets, key, .. } = *self;
            let zeros = u8::try_from(wanted).unwrap();
            let field = HashedRow { key: Words::from_u128(key), source_octets, period, zeros, ..FIELD };
            asked.put(&rule("pow(64,zeros=9):64", field));
            let found = asked.reason(self.source, self.destination, self.epoch.unwrap_or(0));
            assert_eq!(found, reason, "{wanted} of {:#x}", self.destination);
        }
    }
}

#[test]
fn sha_256_of_published_messages() {
    // "SHA-256 ShortMsg" of NIST's CAVS (21.3), 39 and 40 octets: the digests begin 4c2f4a1e and 3f0d507b.
    let published = [
        (
            0x52cd_f75d_6da6_3297_381a_9572_e2af_5fbc,
            0x4eca_2f27_b9c4_c9f9_9e41_1706_d6bd_6edb,
            0x0468_133d_3034_fe00,
            7,
        ),
        (
            0x0b27_4b6a_9dc0_d023_d337_62c8_161f_d627,
            0x046f_d890_c385_dcf1_956b_5740_ad58_2e19,
            0x427a_6ea9_e1f2_3fca,
            8,
        ),
    ];
    let mut asked = Asked::new();
    for ((key, destination, source, source_octets), digest) in published.into_iter().zip([0x4c2f_4a1e_u32, 0x3f0d_507b])
    {
        let work = Work { key, destination, epoch: None, source: source << 64, source_octets };
        work.decides(&mut asked, digest.leading_zeros());
    }
}

#[test]
fn sha_256_of_drawn_messages_with_many_zero_bits() {
    let (random, mut asked) = (&mut Random(180), Asked::new());
    for (epoch, source_octets, wanted) in [(None, 7, 13), (None, 8, 10), (Some(77_777), 7, 12), (Some(1 << 40), 8, 11)]
    {
        let source = random.wide() >> 72 << 72;
        let mut work = Work { key: random.wide(), destination: 0, epoch, source, source_octets };
        while work.zeros() != wanted {
            work.destination = random.wide();
        }
        work.decides(&mut asked, wanted);
        // Another bit of the destination, another digest.
        work.destination ^= 1 << random.below(128);
        work.decides(&mut asked, work.zeros());
    }
}
