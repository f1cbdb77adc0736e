//! DESIGN §3 a second time, slowly: a rule's text, a service and an address pair in; the name of the reason out.
//!
//! Written from the text alone, over strings of zeros and ones and octet strings, with other people's digests. It shares
//! no line with the law, so where the two agree neither is wrong by the other's mistake.

use std::hash::Hasher;

use sha2::{Digest, Sha256};
use siphasher::sip::{SipHasher13, SipHasher24};

/// What a rule is judged with.
pub struct Service<'a> {
    pub rule: &'a str,
    pub prefix: u128,
    pub length: usize,
    pub salt: [u8; 16],
    /// Number and secret, in any order.
    pub ring: Vec<(u64, [u8; 16])>,
    pub skew: u64,
}

/// A field with its bits of the destination.
struct Field {
    kind: String,
    arguments: Vec<String>,
    first: usize,
    width: usize,
    found: String,
}

impl Service<'_> {
    /// The reason for this pair at `unix` seconds.
    pub fn reason(&self, source: u128, destination: u128, unix: u64) -> &'static str {
        let fields = self.fields(&bits(destination));
        let of = |kind: &'static str| fields.iter().filter(move |field| field.kind == kind);
        if of("const").any(|field| number(&field.found) != field.hexadecimal()) {
            return "field-mismatch";
        }
        if of("src").any(|field| field.found != field.copied(&bits(source))) {
            return "field-mismatch";
        }
        if of("replica").any(|field| number(&field.found) >= field.arguments[0].parse().unwrap()) {
            return "replica-range";
        }
        let mut ring = self.ring.clone();
        ring.sort_unstable();
        ring.reverse();
        for field in of("keyid") {
            ring.retain(|(number, _)| bits(u128::from(*number))[128 - field.width..] == field.found);
            if ring.is_empty() {
                return "unknown-key";
            }
        }
        ring.truncate(2);
        for field in of("hash").filter(|field| field.width > 0) {
            let mut hasher = SipHasher13::new_with_key(&self.field_key(field, self.salt));
            hasher.write(&field.source_word(source));
            if !field.begins(hasher.finish()) {
                return "field-mismatch";
            }
        }
        for field in of("mac") {
            let holds = |secret, epoch: &[u8]| {
                let mut hasher = SipHasher24::new_with_key(&self.field_key(field, secret));
                hasher.write(&self.suffix_word(field, destination));
                hasher.write(epoch);
                hasher.write(&field.source_word(source));
                field.begins(hasher.finish())
            };
            if !self.epochs(field, unix).iter().any(|epoch| ring.iter().any(|(_, secret)| holds(*secret, epoch))) {
                return "mac-mismatch";
            }
        }
        for field in of("pow") {
            let proves = |epoch: &[u8]| {
                let mut digest = Sha256::new();
                digest.update(self.field_key(field, self.salt));
                digest.update(destination.to_be_bytes());
                digest.update(epoch);
                digest.update(field.source_word(source));
                let digest = bits(u128::from_be_bytes(digest.finalize()[..16].try_into().unwrap()));
                let zeros = field.option("zeros").unwrap().parse().unwrap();
                digest.bytes().take(zeros).all(|bit| bit == b'0')
            };
            if !self.epochs(field, unix).iter().any(|epoch| proves(epoch)) {
                return "pow-missing";
            }
        }
        "conform"
    }

    /// What goes into the last hashed field and what comes out, a line each, for a reader who does the same.
    pub fn workings(&self, source: u128, destination: u128, unix: u64) -> String {
        let fields = self.fields(&bits(destination));
        let field = fields.iter().rfind(|field| ["hash", "mac", "pow"].contains(&&*field.kind)).unwrap();
        let secret = if field.kind == "mac" { self.ring[0].1 } else { self.salt };
        let key = self.field_key(field, secret);
        let mut lines = vec![("field-key", key.to_vec())];
        let mut message = vec![];
        match &*field.kind {
            "hash" => {}
            "mac" => message.push(("suffix-word", self.suffix_word(field, destination))),
            _ => message.push(("destination", destination.to_be_bytes().to_vec())),
        }
        message.push(("epoch-word", self.epochs(field, unix).swap_remove(0)));
        message.push(("source-word", field.source_word(source)));
        let octets: Vec<u8> = message.iter().flat_map(|(_, octets)| octets.clone()).collect();
        let digest = match &*field.kind {
            "hash" => siphash(SipHasher13::new_with_key(&key), &octets),
            "mac" => siphash(SipHasher24::new_with_key(&key), &octets),
            _ => Sha256::digest([&key[..], &octets].concat()).to_vec(),
        };
        lines.extend(message.into_iter().filter(|(_, octets)| !octets.is_empty()));
        lines.push(("digest", digest));
        let hexadecimal =
            |octets: Vec<u8>| octets.iter().fold(String::new(), |text, octet| format!("{text}{octet:02x}"));
        lines
            .into_iter()
            .fold(String::new(), |text, (name, octets)| format!("{text}{name:<12} {}\n", hexadecimal(octets)))
    }

    fn fields(&self, destination: &str) -> Vec<Field> {
        let texts: Vec<_> = self.rule.split(' ').map(|field| field.rsplit_once(':').unwrap()).collect();
        let fixed: usize = texts.iter().filter_map(|(_, width)| width.parse::<usize>().ok()).sum();
        let mut first = self.length;
        let mut fields = vec![];
        for (head, width) in texts {
            let width = if width == "*" { 128 - self.length - fixed } else { width.parse().unwrap() };
            let (kind, arguments) = head.split_once('(').unwrap_or((head, ")"));
            let arguments = arguments.strip_suffix(')').unwrap().split(',').map(Into::into).collect();
            let found = destination[first..first + width].into();
            fields.push(Field { kind: kind.into(), arguments, first, width, found });
            first += width;
        }
        assert_eq!(first, 128, "{} fills the suffix", self.rule);
        fields
    }

    fn field_key(&self, field: &Field, secret: [u8; 16]) -> [u8; 16] {
        let mut octets = b"ssa1".to_vec();
        octets.extend(&field.kind.as_bytes()[..1]);
        octets.extend([field.first, field.width, field.source_bits()].map(|number| u8::try_from(number).unwrap()));
        octets.extend(self.prefix.to_be_bytes());
        octets.push(u8::try_from(self.length).unwrap());
        octets.extend(secret);
        Sha256::digest(octets)[..16].try_into().unwrap()
    }

    fn suffix_word(&self, field: &Field, destination: u128) -> Vec<u8> {
        let mut bits = bits(destination);
        bits.replace_range(field.first..field.first + field.width, &"0".repeat(field.width));
        let octets = number(&bits).to_be_bytes();
        if self.length >= 64 { octets[8..].to_vec() } else { octets.to_vec() }
    }

    /// The epoch words that are accepted.
    fn epochs(&self, field: &Field, unix: u64) -> Vec<Vec<u8>> {
        let Some(period) = field.option("period") else { return vec![vec![]] };
        let (digits, scale) = period.split_at(period.len() - 1);
        let period = digits.parse::<u64>().unwrap()
            * match scale {
                "s" => 1,
                "m" => 60,
                "h" => 3600,
                _ => panic!(),
            };
        let current = unix / period;
        let mut epochs = vec![current];
        if unix < current * period + self.skew {
            epochs.push(current - 1);
        }
        if unix >= (current + 1) * period - self.skew.min(period) {
            epochs.push(current + 1);
        }
        epochs.iter().map(|epoch| epoch.to_be_bytes().to_vec()).collect()
    }
}

impl Field {
    fn option(&self, name: &str) -> Option<&str> {
        self.arguments.iter().find_map(|argument| argument.strip_prefix(name)?.strip_prefix('='))
    }

    fn hexadecimal(&self) -> u128 {
        u128::from_str_radix(&self.arguments[0][2..], 16).unwrap()
    }

    fn source_bits(&self) -> usize {
        self.arguments[0].parse().unwrap()
    }

    /// The bits that the client copies.
    fn copied(&self, from: &str) -> String {
        let offset = self.source_bits();
        let mut bits: Vec<char> = from[offset..offset + self.width].chars().collect();
        if self.arguments.iter().any(|argument| argument == "rev") {
            bits.reverse();
        }
        let inverted = self.arguments.iter().any(|argument| argument == "inv");
        bits.into_iter().map(|bit| if inverted { if bit == '0' { '1' } else { '0' } } else { bit }).collect()
    }

    fn source_word(&self, source: u128) -> Vec<u8> {
        let masked = format!("{:0<128}", &bits(source)[..self.source_bits()]);
        let octets = number(&masked).to_be_bytes();
        let count = if self.source_bits() <= 56 {
            7
        } else if self.source_bits() <= 64 {
            8
        } else {
            16
        };
        octets[..count].to_vec()
    }

    /// Whether the field holds the first bits of a digest.
    fn begins(&self, digest: u64) -> bool {
        format!("{digest:064b}").starts_with(&self.found)
    }
}

fn siphash(mut hasher: impl Hasher, message: &[u8]) -> Vec<u8> {
    hasher.write(message);
    hasher.finish().to_be_bytes().to_vec()
}

fn bits(value: u128) -> String {
    format!("{value:0128b}")
}

fn number(bits: &str) -> u128 {
    bits.bytes().fold(0, |value, bit| value << 1 | u128::from(bit == b'1'))
}
