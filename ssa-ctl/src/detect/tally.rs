//! Samples in; how many frames each source prefix has sent, with the error of that, and why they were refused, out.

use std::collections::{BTreeMap, HashMap};

use ipnet::Ipv6Net;
use ssa_common::verdict::Reason;

use crate::observe::samples::Sample;

/// Prefixes that are remembered, at most: some 40 MB. Sources can be forged, each frame another.
const MOST: usize = 1 << 16;

/// What the prefixes of one length have sent.
///
/// Where there are more than can be remembered, those that were seen least often are forgotten, half of all at least. A
/// prefix of which one in some thousand frames comes is seen again before the next time, and stays.
#[derive(Clone, Debug)]
pub struct Tally {
    length: u8,
    prefixes: HashMap<Ipv6Net, Sums>,
}

/// What one prefix has sent: what was not blocked, and what was.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    pub(super) open: Sum,
    pub(super) blocked: Sum,
}

/// Frames, as estimated from samples.
#[derive(Clone, Debug, Default)]
pub(super) struct Sum {
    /// How many were seen.
    pub(super) samples: u64,
    /// How many there were.
    pub(super) frames: f64,
    /// The square of the standard error of `frames`.
    pub(super) variance: f64,
    /// How many there were of each reason and service.
    pub(super) why: BTreeMap<(Reason, String), f64>,
}

impl Tally {
    /// Of prefixes of this length.
    pub fn new(length: u8) -> Self {
        Self { length, prefixes: HashMap::new() }
    }

    /// Adds a frame.
    pub fn add(&mut self, sample: Sample) {
        let Ok(prefix) = Ipv6Net::new(sample.source, self.length) else { return };
        if self.prefixes.len() == MOST && !self.prefixes.contains_key(&prefix.trunc()) {
            self.forget();
        }
        let sums = self.prefixes.entry(prefix.trunc()).or_default();
        let sum = if sample.is_blocked { &mut sums.blocked } else { &mut sums.open };
        sum.add(sample);
    }

    /// Makes room.
    fn forget(&mut self) {
        let mut least = 1;
        while self.prefixes.len() > MOST / 2 {
            self.prefixes.retain(|_, sums| sums.open.samples + sums.blocked.samples > least);
            least *= 2;
        }
    }

    /// The prefixes, in no order.
    pub(super) fn prefixes(&self) -> impl Iterator<Item = (Ipv6Net, &Sums)> {
        self.prefixes.iter().map(|(prefix, sums)| (*prefix, sums))
    }
}

impl Sum {
    fn add(&mut self, Sample { service, reason, frames, .. }: Sample) {
        self.samples += 1;
        self.frames += frames;
        // Of frames of which one in `frames` is taken, by chance: none if each is.
        self.variance += frames * (frames - 1.0);
        *self.why.entry((reason, service)).or_default() += frames;
    }

    /// Both together.
    pub(super) fn and(mut self, other: &Self) -> Self {
        self.samples += other.samples;
        self.frames += other.frames;
        self.variance += other.variance;
        for (why, frames) in &other.why {
            *self.why.entry(why.clone()).or_default() += frames;
        }
        self
    }

    /// What most of them were refused for: a few texts, however many prefixes there are.
    pub(super) fn reason(&self) -> String {
        let most = self.why.iter().max_by(|one, other| one.1.total_cmp(other.1).then_with(|| other.0.cmp(one.0)));
        most.map_or_else(String::new, |((reason, service), _)| format!("{} of {service}", reason.name()))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;

    #[test]
    fn forged_sources_take_no_memory_and_hide_nobody() {
        let mut tally = Tally::new(64);
        let sample = |source: u128, is_blocked| Sample {
            source: Ipv6Addr::from_bits(source),
            service: "web".into(),
            reason: Reason::FieldMismatch,
            is_blocked,
            frames: 2.0,
        };
        // One frame in a hundred is of the same prefix: in turn as it comes in, and as it is blocked.
        let (constant, rounds) = (0x2001_0db8_u128 << 96, 3000_u64);
        for round in 0..rounds {
            tally.add(sample(constant + u128::from(round), round % 2 == 0));
            for forged in 1..100 {
                tally.add(sample(constant + (u128::from(round * 100 + forged) << 64), false));
            }
            assert!(tally.prefixes.len() <= MOST);
        }
        let sums = &tally.prefixes[&Ipv6Net::new_assert(Ipv6Addr::from_bits(constant), 64)];
        assert_eq!((sums.open.samples, sums.blocked.samples), (rounds / 2, rounds / 2));
        // Even where each of too many was seen often.
        let mut tally = Tally::new(64);
        for forged in 0..=MOST as u128 {
            (0..5).for_each(|_| tally.add(sample(constant + (forged << 64), false)));
        }
        assert!(tally.prefixes.len() <= MOST);
    }
}
