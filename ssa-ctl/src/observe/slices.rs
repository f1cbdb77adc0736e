//! The slices in force in; runs of them with owner, previous owner and frames, out.

use serde::Serialize;
use ssa_common::rows::SliceWord;

use crate::{
    change::InForce,
    config::{Endpoint, Service},
    plan::ranked::Ranked,
};

/// The slices of one service.
#[derive(Clone, Debug, Serialize)]
pub struct ServiceSlices {
    /// The service.
    #[serde(skip)]
    pub service: String,
    /// The bits of a slice's number.
    pub slice_bits: u8,
    /// Slices of each endpoint, by the order of the config.
    pub endpoints: Vec<Held>,
    /// Slices that follow each other and have all in common.
    pub runs: Vec<Run>,
    /// Frames of each slice that went on; none where they are not counted.
    #[serde(skip)]
    pub frames: Option<Vec<u64>>,
    #[serde(skip)]
    words: Vec<SliceWord>,
}

/// What an endpoint has of a service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// The endpoint.
    pub endpoint: String,
    /// Its slices.
    pub slices: u32,
    /// Frames of them that went on.
    pub frames: Option<u64>,
}

/// Slices that follow each other and have all in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Run {
    /// The first.
    pub first: u32,
    /// The last.
    pub last: u32,
    /// Their endpoint; none where they have none.
    pub endpoint: Option<String>,
    /// The endpoint before, while it keeps its connections.
    pub previous: Option<String>,
    /// For so many seconds more.
    pub seconds: Option<u64>,
    /// They stay where they are, whatever the balance.
    pub pinned: bool,
    /// Frames that went on; none where they are not counted.
    pub frames: Option<u64>,
}

impl ServiceSlices {
    /// Those of all services that have any with owners, or counters.
    ///
    /// # Errors
    /// Where nobody can be asked for the time.
    pub fn all(in_force: &InForce) -> anyhow::Result<Vec<Self>> {
        let (ranked, now) = (Ranked::of(&in_force.config), in_force.now()?);
        let services = in_force.config.services.iter();
        Ok(services.filter_map(|service| Self::of(in_force, &ranked, service, now)).collect())
    }

    fn of(
        InForce { instance, running, config, .. }: &InForce,
        ranked: &Ranked<'_>,
        service: &Service,
        ticks: u64,
    ) -> Option<Self> {
        let words = running.tables.slices.of(&service.name)?.to_vec();
        let place = running.tables.slices.places.get(&service.name)?;
        let frames = if service.slice_counters { instance.slice_frames(*place) } else { None };
        let name = |stored: u32| ranked.name(stored).map(str::to_owned);
        let hertz = u64::from(instance.meta.hertz);
        let mut runs: Vec<(Run, SliceWord)> = Vec::new();
        // Slices and frames of each endpoint, by what is stored of it.
        let mut sums = vec![(0_u32, 0_u64); ranked.endpoints().len() + 1];
        for (slice, word) in (0..).zip(&words) {
            let own = frames.as_ref().map(|frames| frames[slice as usize]);
            if let Some((slices, sum)) = sums.get_mut(word.owner() as usize) {
                *slices += 1;
                *sum += own.unwrap_or(0);
            }
            if let Some((run, of)) = runs.last_mut()
                && of == word
            {
                run.last = slice;
                run.frames = run.frames.zip(own).map(|(frames, own)| frames + own);
                continue;
            }
            // Whole seconds that are over: deadlines are rounded up, and what is shown is no more than was asked for.
            let left = word.deadline().saturating_sub(ticks);
            let previous = name(word.previous()).filter(|_| left > 0);
            let run = Run {
                first: slice,
                last: slice,
                endpoint: name(word.owner()),
                seconds: previous.is_some().then_some(left / hertz),
                previous,
                pinned: word.is_pinned(),
                frames: own,
            };
            runs.push((run, *word));
        }
        let held = |(_, endpoint): (usize, &Endpoint)| {
            let number = ranked.number(&endpoint.name);
            let (slices, sum) = number.map_or((0, 0), |number| sums[number as usize + 1]);
            Held { endpoint: endpoint.name.clone(), slices, frames: frames.as_ref().map(|_| sum) }
        };
        Some(Self {
            service: service.name.clone(),
            slice_bits: service.slice_bits,
            endpoints: config.endpoints_of(service).map(held).collect(),
            runs: runs.into_iter().map(|(run, _)| run).collect(),
            frames,
            words,
        })
    }

    /// The same with a run for each slice.
    #[must_use]
    pub fn each(mut self) -> Self {
        let frames = |slice: u32| self.frames.as_ref()?.get(slice as usize).copied();
        let runs = self.runs.iter().flat_map(|run| {
            (run.first..=run.last).map(|slice| Run { first: slice, last: slice, frames: frames(slice), ..run.clone() })
        });
        let runs = runs.collect();
        self.runs = runs;
        self
    }

    /// How many slices there are.
    pub const fn count(&self) -> usize {
        self.words.len()
    }
}
