//! A seed in; the same random numbers, rules and requests out.

use ssa_common::rule::{Compiled, Key, Request, Rule, Secrets};

/// Splitmix64 (Steele, Lea, Flood 2014): all that the tests draw comes from one seed, which a failure prints.
pub struct Random(pub u64);

impl Random {
    pub fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let a = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let b = (a ^ a >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        b ^ b >> 31
    }

    pub fn wide(&mut self) -> u128 {
        u128::from(self.word()) << 64 | u128::from(self.word())
    }

    /// 0 to `limit` − 1.
    pub fn below(&mut self, limit: u32) -> u32 {
        u32::try_from(self.word() % u64::from(limit)).unwrap()
    }

    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.index(of.len())]
    }

    /// An index into so many.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.word() % length as u64).unwrap()
    }

    pub fn chance(&mut self, one_in: u32) -> bool {
        self.below(one_in) == 0
    }
}

/// A service and a client that wants an address of it, all drawn.
#[derive(Debug)]
pub struct Draw {
    pub text: String,
    pub prefix: u128,
    pub length: u8,
    pub salt: [u8; 16],
    pub ring: Vec<Key>,
    pub skew: u32,
    pub request: Request,
}

impl Draw {
    pub fn new(seed: u64) -> Self {
        let random = &mut Random(seed);
        let length = match random.below(3) {
            0 => random.pick(&[16, 40, 47, 48, 56, 63, 64, 65, 80, 96, 120]),
            1 => 64,
            _ => u8::try_from(16 + random.below(105)).unwrap(),
        };
        let text = rule(random, 128 - u32::from(length));
        let newest = random.below(1000) + 8;
        let ring =
            (0..=random.below(4)).map(|back| Key { number: newest - back * 2, secret: secret(random) }).collect();
        Self {
            text,
            prefix: random.wide() >> (128 - length) << (128 - length),
            length,
            salt: secret(random),
            ring,
            skew: random.pick(&[0, 5, 5, 20, 400]),
            request: Request {
                source: random.wide(),
                object: Some(random.wide()),
                replica: 0,
                time: 1_000_000 + random.word() % 4_000_000_000,
            },
        }
    }

    pub fn compile(&self) -> Compiled {
        let rule: Rule = self.text.parse().unwrap_or_else(|error| panic!("{}: {error}", self.text));
        let placed = rule.place(self.prefix, self.length).unwrap_or_else(|error| panic!("{}: {error:?}", self.text));
        placed.compile(&Secrets { salt: self.salt, ring: &self.ring }, self.skew)
    }
}

pub fn secret(random: &mut Random) -> [u8; 16] {
    random.wide().to_be_bytes()
}

/// The address a client would use; the search for a proof of work has no end.
pub fn destination(compiled: &Compiled, request: &Request, random: &mut Random) -> u128 {
    let go_on = &mut |_| std::ops::ControlFlow::Continue(());
    compiled.destination(request, &mut || random.word(), go_on).unwrap()
}

/// A valid rule in canonical form that fills `suffix` bits.
pub fn rule(random: &mut Random, suffix: u32) -> String {
    let count = (1 + random.below(8)).min(suffix);
    let mut cuts: Vec<u32> = (1..count).map(|_| random.below(suffix)).collect();
    cuts.extend([0, suffix]);
    cuts.sort_unstable();
    cuts.dedup();
    let widths: Vec<u32> = cuts.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let mut left = Left { hashed: 2, mac: 1, keyid: 1 };
    let mut kinds: Vec<String> = widths.iter().map(|&width| kind(random, width, &mut left)).collect();
    if left.mac == 1 {
        for kind in kinds.iter_mut().filter(|kind| *kind == "keyid") {
            *kind = "any".into();
        }
    }
    let mut widths: Vec<String> = widths.iter().map(ToString::to_string).collect();
    if random.chance(3) {
        let at = random.index(widths.len());
        widths[at] = "*".into();
    } else if random.chance(4) && kinds.len() < 8 {
        kinds.push(random.pick(&["any", "src(127,rev)", "object(3)", "const(0x0)", "replica(1)"]).into());
        widths.push("*".into());
    }
    kinds.iter().zip(&widths).map(|(kind, width)| format!("{kind}:{width}")).collect::<Vec<_>>().join(" ")
}

/// Fields of a sort that a rule may still have.
struct Left {
    hashed: u32,
    mac: u32,
    keyid: u32,
}

fn kind(random: &mut Random, width: u32, left: &mut Left) -> String {
    let period = |random: &mut Random| random.pick(&["", "", ",period=30s", ",period=7s", ",period=5m", ",period=1h"]);
    match random.below(12) {
        1 => format!("const({:#x})", random.wide() >> (128 - width)),
        2 | 3 => format!("src({})", copied(random, width)),
        4 => format!("object({})", copied(random, width)),
        5 | 6 if width <= 64 && left.hashed > 0 => {
            left.hashed -= 1;
            format!("hash({})", source_bits(random, 128))
        }
        7 | 8 if width <= 64 && left.hashed > 0 && left.mac > 0 => {
            left.hashed -= 1;
            left.mac -= 1;
            format!("mac({},key=k-1_Z{})", source_bits(random, 128), period(random))
        }
        9 if (8..=64).contains(&width) && left.hashed > 0 => {
            left.hashed -= 1;
            let zeros = 1 + random.below((width - 7).min(4));
            format!("pow({},zeros={zeros}{})", source_bits(random, 64), period(random))
        }
        10 => {
            let limit = 1u64.checked_shl(width).map_or(u32::MAX, |limit| u32::try_from(limit).unwrap_or(u32::MAX));
            let small = limit.min(9);
            format!("replica({})", 1 + if random.chance(2) { random.below(limit) } else { random.below(small) })
        }
        11 if width <= 64 && left.keyid > 0 => {
            left.keyid -= 1;
            "keyid".into()
        }
        _ => "any".into(),
    }
}

fn copied(random: &mut Random, width: u32) -> String {
    let offset = random.below(129 - width);
    format!("{offset}{}{}", random.pick(&["", ",rev"]), random.pick(&["", ",inv"]))
}

fn source_bits(random: &mut Random, limit: u32) -> u32 {
    let any = 1 + random.below(limit);
    random.pick(&[1, 32, 48, 56, 57, 63, 64, 65, 127, 128, any]).min(limit)
}
