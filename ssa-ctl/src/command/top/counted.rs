//! Two looks at the counters in; what moved between them, by service, out: never less than nothing.

use std::{collections::BTreeMap, time::Duration};

use ssa_common::verdict::{Reason, Treatment};

use crate::observe::counters::{Count, Counts, ServiceCounts};

/// A line of counters: what a rate is shown of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Received,
    Reason(Reason),
    Treatment(Treatment),
    WouldDrop,
}

impl Line {
    /// How many there are.
    pub(super) const COUNT: usize = Reason::ALL.len() + Treatment::ALL.len() + 2;

    /// Its place among all.
    pub(super) const fn place(self) -> usize {
        match self {
            Self::Received => 0,
            Self::WouldDrop => 1,
            Self::Treatment(treatment) => 2 + treatment as usize,
            Self::Reason(reason) => 2 + Treatment::ALL.len() + reason as usize,
        }
    }

    /// All, in the order of their places.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let reasons = Reason::ALL.into_iter().map(Self::Reason);
        [Self::Received, Self::WouldDrop]
            .into_iter()
            .chain(Treatment::ALL.into_iter().map(Self::Treatment))
            .chain(reasons)
    }

    /// What a service has of it.
    pub(super) const fn of(self, counts: &ServiceCounts) -> Count {
        match self {
            Self::Received => counts.received,
            Self::Reason(reason) => counts.reason(reason),
            Self::Treatment(treatment) => counts.treatment(treatment),
            Self::WouldDrop => counts.would_drop,
        }
    }
}

/// What moved in some time.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Moved {
    pub(super) counts: ServiceCounts,
    pub(super) seconds: f64,
}

impl Moved {
    /// Packets a second.
    pub(super) fn packets(&self, line: Line) -> f64 {
        per_second(line.of(&self.counts).packets, self.seconds)
    }

    /// Bits a second.
    pub(super) fn bits(&self, line: Line) -> f64 {
        per_second(line.of(&self.counts).bytes, self.seconds) * 8.0
    }

    /// The part of what was received; none where nothing was.
    pub(super) fn share(&self, line: Line) -> Option<f64> {
        share(line.of(&self.counts).packets, self.counts.received.packets)
    }
}

/// A look at the counters, and what moved since the one before.
#[derive(Clone, Debug, Default)]
pub(super) struct Counted {
    /// When, from the start of the program.
    pub(super) at: Duration,
    pub(super) counts: Counts,
    /// By service; those that are new, or began anew, are not in it.
    pub(super) moved: BTreeMap<String, Moved>,
    /// Of all services; none at the first look.
    pub(super) all: Option<Moved>,
    /// Since the counters began, of all services.
    pub(super) total: ServiceCounts,
}

impl Counted {
    /// A look that follows another, or is the first.
    pub(super) fn new(at: Duration, counts: Counts, before: Option<&Self>) -> Self {
        let mut total = outside(&counts);
        for (_, counts) in &counts.services {
            add(&mut total, counts);
        }
        let Some((before, seconds)) = before.map(|old| (old, at.saturating_sub(old.at).as_secs_f64())) else {
            return Self { at, counts, total, ..Self::default() };
        };
        let old: BTreeMap<&str, _> = before.counts.services.iter().map(|(name, old)| (name.as_str(), old)).collect();
        let moved = counts.services.iter().filter_map(|(name, new)| {
            Some((name.clone(), Moved { counts: since(new, old.get(name.as_str())?)?, seconds }))
        });
        let moved: BTreeMap<_, _> = moved.collect();
        let mut sum = since(&outside(&counts), &outside(&before.counts)).unwrap_or_default();
        for moved in moved.values() {
            add(&mut sum, &moved.counts);
        }
        Self { at, counts, moved, all: Some(Moved { counts: sum, seconds }), total }
    }

    /// What moved of a service, or of all.
    pub(super) fn moved(&self, service: Option<&str>) -> Option<&Moved> {
        service.map_or(self.all.as_ref(), |name| self.moved.get(name))
    }

    /// What a service has counted, or all have.
    pub(super) fn total(&self, service: Option<&str>) -> Option<&ServiceCounts> {
        let Some(wanted) = service else { return Some(&self.total) };
        self.counts.services.iter().find(|(name, _)| name == wanted).map(|(_, counts)| counts)
    }
}

/// A number in so many seconds, for one second.
#[expect(clippy::cast_precision_loss, reason = "four digits of it are shown")]
pub(super) fn per_second(count: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { count as f64 / seconds } else { 0.0 }
}

/// A part of a whole; none where the whole is nothing.
#[expect(clippy::cast_precision_loss, reason = "three digits of it are shown")]
pub(super) fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// What is of no service: it is not received by any.
fn outside(counts: &Counts) -> ServiceCounts {
    let mut outside = ServiceCounts::default();
    outside.reasons[Reason::Other as usize] = counts.other;
    outside.reasons[Reason::Malformed as usize] = counts.malformed;
    outside
}

/// What was counted since; none where any counter has less than it had: then all began anew. So nothing that is shown is
/// more than what was counted meanwhile.
fn since(new: &ServiceCounts, old: &ServiceCounts) -> Option<ServiceCounts> {
    let less = |line: Line| line.of(new).packets < line.of(old).packets || line.of(new).bytes < line.of(old).bytes;
    if Line::all().any(less) {
        return None;
    }
    let mut moved = new.clone();
    cells(&mut moved).zip(cells(&mut old.clone())).for_each(|(new, old)| *new = new.since(*old));
    Some(moved)
}

fn add(sum: &mut ServiceCounts, more: &ServiceCounts) {
    for (sum, more) in cells(sum).zip(cells(&mut more.clone())) {
        *sum = Count { packets: sum.packets + more.packets, bytes: sum.bytes + more.bytes };
    }
}

fn cells(counts: &mut ServiceCounts) -> impl Iterator<Item = &mut Count> {
    let ServiceCounts { received, reasons, treatments, cells, would_drop } = counts;
    [received, would_drop].into_iter().chain(reasons).chain(treatments).chain(cells.as_flattened_mut())
}

#[cfg(test)]
mod tests {
    use super::{super::samples::counts, *};

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn places_are_in_order() {
        let places: Vec<_> = Line::all().map(Line::place).collect();
        assert_eq!(places, (0..Line::COUNT).collect::<Vec<_>>());
    }

    #[test]
    fn rates_are_differences_over_the_time_between() {
        let first = Counted::new(at(10), counts(&[("web", 100, 20)]), None);
        assert!(first.all.is_none() && first.moved.is_empty());
        let second = Counted::new(at(14), counts(&[("web", 180, 60)]), Some(&first));
        let web = second.moved(Some("web")).unwrap();
        assert_eq!((web.packets(Line::Received), web.bits(Line::Received)), (20.0, 16_000.0));
        assert_eq!(web.share(Line::Treatment(Treatment::Drop)), Some(0.5));
        assert_eq!(second.moved(None).unwrap().counts, web.counts);
        assert_eq!(second.total(None).unwrap().received.packets, 180);
    }

    #[test]
    fn who_began_anew_has_no_rate_and_all_have_no_leap() {
        let first = Counted::new(at(0), counts(&[("a", 1000, 0), ("b", 10, 10)]), None);
        let second = Counted::new(at(1), counts(&[("a", 5, 0), ("b", 12, 12), ("c", 7000, 0)]), Some(&first));
        assert_eq!(second.moved.keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(second.moved(None).unwrap().counts.received.packets, 2);
        let third = Counted::new(at(2), counts(&[("c", 7001, 0)]), Some(&second));
        assert_eq!(third.moved(None).unwrap().counts.received.packets, 1);
        // More was received, but other reasons than before have it: these are not the same counters.
        let other = Counted::new(at(3), counts(&[("c", 7002, 7002)]), Some(&third));
        assert!(other.moved.is_empty());
    }
}
