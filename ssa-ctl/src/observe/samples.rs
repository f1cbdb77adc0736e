//! A pin root in; frames that fail the rule, each with its source and how many frames it stands for, out.
//!
//! Events say where some of them came from, and counters how many there were. Of a frame that was blocked the law is asked
//! on this host, as if nothing were: so it is known whether what a blocked prefix sends would be refused without the list.

use std::{
    collections::{BTreeMap, HashMap},
    net::Ipv6Addr,
    path::{Path, PathBuf},
};

use ssa_common::{
    judge::judge_whole,
    rule::epoch::Fixed,
    verdict::{Reason, Verdict},
};

use super::{
    events::{Event, Reader},
    refused::Diagnostics,
    stratum::Stratum,
};
use crate::{
    change::ticks,
    failure::Failure,
    kernel::{clock::Ticks, pins::Pins},
    plan::tables::Tables,
};

/// A frame that fails the rule, or would if it were not blocked.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Where it says that it comes from.
    pub source: Ipv6Addr,
    /// The service.
    pub service: String,
    /// Why it does not conform, the block list left out.
    pub reason: Reason,
    /// Its source is on the block list.
    pub is_blocked: bool,
    /// How many frames it stands for.
    pub frames: f64,
}

/// Reads samples.
pub struct Samples {
    reader: Reader,
    pin_root: PathBuf,
    /// Only of this service, if one is named.
    service: Option<String>,
    reasons: Vec<Reason>,
    strata: BTreeMap<(String, Reason), Stratum>,
    law: Option<Law>,
}

/// The rows that blocked frames are judged by, with their generation, and the clock.
struct Law {
    generation: u64,
    tables: Tables,
    ticks: Ticks,
}

impl Samples {
    /// Begins with what comes from now on.
    ///
    /// # Errors
    /// [`Code::NotLoaded`](crate::failure::Code::NotLoaded) where there is nothing.
    pub fn open(pin_root: &Path, service: Option<String>, reasons: Vec<Reason>) -> Result<Self, Failure> {
        let (reader, strata) = (Reader::open(pin_root)?, BTreeMap::new());
        let mut samples = Self { reader, pin_root: pin_root.to_owned(), service, reasons, strata, law: None };
        samples.look()?;
        Ok(samples)
    }

    /// Events a second that are kept at most; 0: none.
    pub fn rate(&self) -> anyhow::Result<u32> {
        self.reader.rate()
    }

    /// What the kernel has refused to the program so far.
    pub fn refused(&self) -> anyhow::Result<Diagnostics> {
        self.reader.refused()
    }

    /// The services in force.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.reader.services()
    }

    /// What came since the last look.
    ///
    /// # Errors
    /// [`Code::NotLoaded`](crate::failure::Code::NotLoaded) where the instance is gone.
    pub fn look(&mut self) -> Result<Vec<Sample>, Failure> {
        // Events before counters: all that were kept have been counted.
        let mut events = self.reader.look()?.events;
        events.retain(|event| event.reason == Reason::Blocked || self.reasons.contains(&event.reason));
        let weights = self.weights(&events)?;
        events.into_iter().filter_map(|event| self.sample(event, &weights).transpose()).collect()
    }

    /// How many frames an event of each service, reason and CPU stands for.
    fn weights(&mut self, events: &[Event]) -> Result<HashMap<(String, Reason), Vec<f64>>, Failure> {
        let mut kept: HashMap<(&str, Reason), Vec<u64>> = HashMap::new();
        for event in events {
            let Some(service) = &event.service else { continue };
            let cpus = kept.entry((service, event.reason)).or_default();
            cpus.resize(cpus.len().max(event.cpu + 1), 0);
            cpus[event.cpu] += 1;
        }
        let instance = self.reader.instance();
        let mut weights = HashMap::new();
        for (service, number) in instance.numbers()?.iter() {
            if self.service.as_deref().is_some_and(|wanted| wanted != service) {
                continue;
            }
            for &reason in self.reasons.iter().chain([&Reason::Blocked]) {
                let counted = instance.packets(number, &cells(reason))?;
                let stratum = self.strata.entry((service.to_owned(), reason)).or_default();
                let kept = kept.get(&(service, reason));
                let weighed = stratum.weights(counted, kept.map_or(&[], Vec::as_slice));
                if kept.is_some() {
                    weights.insert((service.to_owned(), reason), weighed);
                }
            }
        }
        Ok(weights)
    }

    /// None: of another service, or one that is in force no more, or it would conform.
    fn sample(
        &mut self,
        event: Event,
        weights: &HashMap<(String, Reason), Vec<f64>>,
    ) -> Result<Option<Sample>, Failure> {
        let Some((service, ends)) = event.service.clone().zip(event.ends()) else { return Ok(None) };
        let key = (service, event.reason);
        let Some(&frames) = weights.get(&key).and_then(|weights| weights.get(event.cpu)) else { return Ok(None) };
        let is_blocked = event.reason == Reason::Blocked;
        let reason = if is_blocked { self.unblocked(event)? } else { event.reason };
        let sample = Sample { source: ends.source, service: key.0, reason, is_blocked, frames };
        Ok(self.reasons.contains(&reason).then_some(sample))
    }

    /// Why a frame conforms or not, the block list left out.
    fn unblocked(&mut self, event: Event) -> Result<Reason, Failure> {
        let instance = self.reader.instance();
        let generation = instance.generation()?;
        let law = match self.law.take() {
            Some(law) if law.generation == generation => law,
            _ => {
                let running = instance.running()?;
                let ticks = ticks(&Pins::new(&self.pin_root))?;
                Law { generation: running.generation, tables: running.tables, ticks }
            }
        };
        let now = law.ticks.now().wrapping_add(instance.clock()?.offset);
        // As long as it was: what lies behind the head the rules do not ask for.
        let mut frame = event.head;
        frame.resize(frame.len().max(usize::try_from(event.octets).unwrap_or(0)), 0);
        let judged = judge_whole(&frame.as_slice(), &law.tables, &Fixed(now));
        self.law = Some(law);
        Ok(judged.verdict().reason)
    }
}

/// The cells that frames of a reason move.
fn cells(reason: Reason) -> Vec<usize> {
    let is_one = |index: &u32| Verdict::of_cell(*index).is_some_and(|(of, ..)| of == reason);
    (0..Verdict::CELLS).filter(is_one).map(|index| index as usize).collect()
}
