//! A seed in; a million random triples of source, destination and rule, on each of which the loaded program and the host's
//! law agree, out.

use std::time::{Duration, Instant};

use ssa_common::{
    judge::judge,
    rows::Cell,
    rule::{Compiled, Request, Rule, Secrets, epoch::Fixed},
    verdict::{Treatment, Verdict},
};
use ssa_ctl::{
    kernel::sandbox::Sandbox,
    plan::{numbers::Numbers, tables::Tables},
};
use ssa_tests::run::{Config, action, cell, load, moved};

use crate::{
    packet::tcp,
    random::{Draw, Random, destination, rule},
};

const SEED: u64 = 0x5353_4131;
/// As many as service numbers have eight bits.
const SERVICES: u64 = 255;
const TIME: u64 = 1_700_000_000;
const GROUPS: u64 = 125;
const GROUP: usize = 8_000;
/// The clock is set to the middle of a second, and epochs change at its ends.
const PATIENCE: Duration = Duration::from_millis(400);
/// As many prefix lengths as a config may have.
const LENGTHS: [u8; 16] = [16, 32, 40, 47, 48, 56, 60, 63, 64, 65, 72, 80, 96, 104, 112, 120];

/// A service, ready to make addresses.
struct Service {
    draw: Draw,
    previous: Option<String>,
    /// The rule, and the one before it.
    rules: Vec<Compiled>,
}

impl Service {
    fn new(number: u64) -> Self {
        let mut draw = Draw::new(SEED ^ number << 32);
        let random = &mut Random(SEED ^ !number);
        draw.length = random.pick(&LENGTHS);
        // The first 16 bits keep the services apart, whatever their lengths.
        let prefix = u128::from(0x2000 + number) << 112 | random.wide() >> 16;
        draw.prefix = prefix >> (128 - draw.length) << (128 - draw.length);
        draw.text = rule(random, 128 - u32::from(draw.length));
        let previous = random.chance(3).then(|| rule(random, 128 - u32::from(draw.length)));
        let compile = |text: &String| {
            let placed = text.parse::<Rule>().unwrap().place(draw.prefix, draw.length).unwrap();
            placed.compile(&Secrets { salt: draw.salt, ring: &draw.ring }, draw.skew)
        };
        let rules = std::iter::once(draw.compile()).chain(previous.as_ref().map(compile)).collect();
        Self { draw, previous, rules }
    }

    fn configure(&self, config: Config, number: u64) -> Config {
        let Draw { text, prefix, length, salt, ring, skew, .. } = &self.draw;
        let random = &mut Random(SEED.rotate_left(9) ^ number);
        let mut lines = format!(
            "name = \"s{number}\"\nprefixes = [\"{}/{length}\"]\nrule = \"{text}\"\nskew = {skew}\nsalt = \"{:032x}\"\n\
             allow_weak = true\nenforce = \"{}\"\non_mismatch = \"{}\"\ndeny_source_in_service = {}\n",
            std::net::Ipv6Addr::from_bits(*prefix),
            u128::from_be_bytes(*salt),
            random.pick(&["on", "on", "off", "40%"]),
            random.pick(&["drop", "drop", "lowprio"]),
            random.chance(4),
        );
        let mut rules = text.clone();
        if let Some(rule) = &self.previous {
            // Some groups come before this moment and some after it.
            let until = TIME + GROUPS * 500;
            lines = lines + "[service.previous]\nrule = \"" + rule + "\"\nuntil = " + &until.to_string();
            rules += rule;
        }
        let config = config.service(&lines);
        let ring = if rules.contains("mac(") { &ring[..] } else { &[] };
        ring.iter().fold(config, |config, key| config.key("k-1_Z", key.number, key.secret))
    }

    /// A pair of addresses that nearly or wholly follows a rule, or does not at all.
    fn pair(&self, random: &mut Random, time: u64) -> (u128, u128) {
        let mut source = match random.below(40) {
            0 => random.wide(),
            1 => self.draw.prefix | random.wide() >> 16,
            _ => random.wide() >> 3 | 1 << 125,
        };
        let off = random.pick(&[0, 0, 0, 1, 5, 6, 29, 30, 31, 300, 3599, 3600, 3606]);
        let time = if random.chance(2) { time + off } else { time - off };
        let rule = &self.rules[random.index(self.rules.len())];
        let request = Request { source, time, ..self.draw.request };
        let suffix = u32::from(128 - self.draw.length);
        let to = match random.below(8) {
            0 => self.draw.prefix | random.wide() & (u128::MAX >> self.draw.length),
            1..=3 => destination(rule, &request, random),
            4..=6 => destination(rule, &request, random) ^ 1 << random.below(suffix),
            _ => {
                let to = destination(rule, &request, random);
                source ^= 1 << random.below(128);
                to
            }
        };
        (source, to)
    }
}

/// Program and law, side by side.
struct Both {
    sandbox: Sandbox,
    tables: Tables,
    hertz: u64,
}

impl Both {
    fn host(&self, frame: &[u8], time: u64) -> Verdict {
        judge(&frame, &self.tables, &Fixed(time * self.hertz + self.hertz / 2)).verdict()
    }

    /// True if program and law did the same with each frame, and counted the same in sum.
    fn agree(&mut self, frames: &[Vec<u8>], time: u64) -> bool {
        for _ in 0..20 {
            let before = self.sandbox.counts().unwrap();
            self.sandbox.set_clock(time).unwrap();
            let started = Instant::now();
            let ran: Vec<_> = frames.iter().map(|frame| self.sandbox.run(frame, None).unwrap()).collect();
            if started.elapsed() > PATIENCE {
                continue;
            }
            let after = self.sandbox.counts().unwrap();
            let mut sums = vec![Cell::default(); after.len()];
            let mut same = true;
            for (frame, ran) in frames.iter().zip(ran) {
                let verdict = self.host(frame, time);
                let sum = &mut sums[cell(&verdict)];
                sum.packets += 1;
                sum.bytes += frame.len() as u64;
                let marked = verdict.treatment == Treatment::LowPriority;
                same &= ran.action == action(verdict.treatment) && (ran.frame == *frame) != marked;
            }
            return same && moved(&before, &after) == moved(&vec![Cell::default(); sums.len()], &sums);
        }
        panic!("this host is too slow to run {} frames in {PATIENCE:?}", frames.len())
    }

    /// Halves a group that differs until one frame is left.
    fn blame(&mut self, mut frames: &[Vec<u8>], time: u64) -> String {
        while let Some((first, second)) =
            frames.split_at_checked(frames.len() / 2).filter(|(first, _)| !first.is_empty())
        {
            frames = if self.agree(first, time) { second } else { first };
        }
        let host = self.host(&frames[0], time);
        let program = self.sandbox.set_clock(time).and_then(|()| self.sandbox.judge(&frames[0], None));
        format!("seed {SEED:#x}, time {time}: the law {host:?}, the program {program:?}\nframe {:02x?}", frames[0])
    }
}

#[test]
fn a_million_triples_agree() {
    let services: Vec<_> = (1..=SERVICES).map(Service::new).collect();
    let config = services.iter().zip(1..).fold(Config::default(), |config, (service, n)| service.configure(config, n));
    let (tables, _) = config.tables(&Numbers::default());
    let hertz = ssa_ctl::kernel::clock::hertz().unwrap().into();
    let mut both = Both { sandbox: load(&tables), tables, hertz };
    let random = &mut Random(SEED);
    let mut reasons = std::collections::BTreeMap::new();
    for group in 0..GROUPS {
        let time = TIME + group * 1000 + random.word() % 1000;
        let frames: Vec<_> = (0..GROUP)
            .map(|_| {
                let (source, to) = services[random.index(services.len())].pair(random, time);
                tcp(source, to, random.index(40))
            })
            .collect();
        assert!(both.agree(&frames, time), "group {group}: {}", both.blame(&frames, time));
        for frame in frames.iter().take(100) {
            *reasons.entry(both.host(frame, time).reason).or_insert(0) += 1;
        }
    }
    println!("{} triples; of the first hundred of each group: {reasons:?}", GROUPS * GROUP as u64);
    assert!(reasons.len() >= 7, "conforming, each kind of mismatch, and sources that cannot be");
}
