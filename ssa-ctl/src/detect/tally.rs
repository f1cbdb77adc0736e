//! Samples in; how many frames each source prefix has sent, with the error of that, and why they were refused, out.

use std::collections::{BTreeMap, HashMap};

use ipnet::Ipv6Net;
use ssa_common::verdict::Reason;

use crate::observe::samples::Sample;

/// What the prefixes of one length have sent.
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
        let sums = self.prefixes.entry(prefix.trunc()).or_default();
        let sum = if sample.is_blocked { &mut sums.blocked } else { &mut sums.open };
        sum.add(sample);
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
