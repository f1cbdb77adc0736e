//! The maps of events in; whole rows of each CPU's ring out; and how often rows may be written, said.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use bytemuck::Zeroable as _;
use ssa_common::{
    layout,
    rows::{EventGateRow, EventRateRow, EventRow, TICK_PARTS},
};

use super::{map::Map, pins::Pins, sys::Memory};

/// Events that all rings hold together. Readers look ten times a second and so follow four times as many as can be kept
/// in one, 10,000; a tenth of those may come at once.
const EVENTS: u32 = 4096;
/// Slots of a ring, at least.
const SLOTS: u32 = 16;
/// Words of a row.
const WORDS: usize = size_of::<EventRow>() / size_of::<u64>();
/// Words of a gate.
const GATE_WORDS: usize = size_of::<EventGateRow>() / size_of::<u64>();
/// How often a row that is being written is looked at again, at once.
const LOOKS: u32 = 8;

/// Slots of each CPU's ring: a power of two.
pub(super) const fn slots(cpus: u32) -> u32 {
    let slots = EVENTS / if cpus == 0 { 1 } else { cpus };
    if slots < SLOTS { SLOTS } else { 1 << slots.ilog2() }
}

/// How often each CPU may write, so that there are no more than `events` in any second on all together; but each CPU may
/// write one.
///
/// Most of a second's events are spread over it, and a tenth may come at once: together they are less than all, as ticks
/// are coarse.
fn rate(events: u32, cpus: u32, hertz: u32, slots: u32) -> EventRateRow {
    let (events, cpus) = (u64::from(events.max(1)), u64::from(cpus));
    let interval = (TICK_PARTS * u64::from(hertz) * cpus * 8).div_ceil(events * 7);
    let at_once = (events / (cpus * 10)).max(1);
    let tolerance = (at_once - 1) * interval;
    EventRateRow { interval, tolerance, mask: u64::from(slots) - 1 }
}

/// What the controller says of events.
pub(super) struct Gates {
    events: Map<EventRow>,
    of_cpus: Map<EventGateRow>,
    rate: Map<EventRateRow>,
}

impl Gates {
    /// Of these maps.
    pub(super) const fn new(events: Map<EventRow>, gates: Map<EventGateRow>, rate: Map<EventRateRow>) -> Self {
        Self { events, of_cpus: gates, rate }
    }

    /// Octets of kernel memory that they take.
    pub(super) const fn octets(&self) -> u64 {
        self.events.octets() + self.of_cpus.octets() + self.rate.octets()
    }

    /// Lets so many events be written a second, by so many CPUs.
    pub(super) fn set(&self, events: u32, cpus: u32, hertz: u32) -> anyhow::Result<()> {
        // As many as the maps have, whoever made them.
        let slots = self.events.entries().checked_div(self.of_cpus.entries()).filter(|slots| slots.is_power_of_two());
        let rate = rate(events, cpus, hertz, slots.context("the rings of events have no size that is known")?);
        if self.rate.get(0)? == rate {
            return Ok(());
        }
        self.rate.write(0, &[rate])?;
        // Nobody waits as long as the rate before would have it.
        for gate in self.of_cpus.memory(false)?.words().chunks_exact(GATE_WORDS) {
            gate[0].store(0, Ordering::Relaxed);
        }
        Ok(())
    }

    /// The rings, for reading alone. The maps must have been opened for writing.
    pub(super) fn rings(&self) -> anyhow::Result<Rings> {
        Rings::of(&self.events, &self.of_cpus)
    }

    /// Events that were written since the maps were made.
    pub(super) fn written(&self) -> anyhow::Result<u64> {
        Ok(self.of_cpus.read(0, self.of_cpus.entries())?.iter().map(|gate| gate.written).sum())
    }
}

/// The rings, for reading alone.
pub struct Rings {
    events: Memory,
    gates: Memory,
    slots: u32,
}

/// A slot's content, as it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The event.
    Whole(EventRow),
    /// A later one stands there, or is being written.
    Overwritten,
    /// It is being written, or not seen yet.
    Unfinished,
}

impl Rings {
    /// Opens them. The kernel shares no memory of a map that was opened for reading: both are let go of at once.
    pub(super) fn open(pins: &Pins) -> anyhow::Result<Self> {
        Self::of(&Map::open(&pins.map(layout::EVENTS), false)?, &Map::open(&pins.map(layout::EVENT_GATES), false)?)
    }

    fn of(events: &Map<EventRow>, gates: &Map<EventGateRow>) -> anyhow::Result<Self> {
        let slots = events.entries().checked_div(gates.entries()).context("there are no rings of events")?;
        Ok(Self { events: events.memory(true)?, gates: gates.memory(true)?, slots })
    }

    /// How many events each CPU has written.
    pub fn written(&self) -> Vec<u64> {
        self.gates.words().chunks_exact(GATE_WORDS).map(|gate| gate[1].load(Ordering::Acquire)).collect()
    }

    /// Slots of each ring.
    pub fn slots(&self) -> u64 {
        self.slots.into()
    }

    /// The event of a CPU that it wrote after `number` others.
    pub fn read(&self, cpu: usize, number: u64) -> Slot {
        let place = usize::try_from(number % self.slots()).unwrap_or(0);
        let first = (cpu * self.slots as usize + place) * WORDS;
        let words = self.events.words().get(first..first + WORDS);
        words.map_or(Slot::Overwritten, |words| slot(words, number))
    }
}

fn slot(words: &[AtomicU64], number: u64) -> Slot {
    for _ in 0..LOOKS {
        let mut row = EventRow::zeroed();
        let [copied]: &mut [[u64; WORDS]; 1] = bytemuck::cast_mut(&mut row);
        for (to, from) in copied.iter_mut().zip(words) {
            *to = from.load(Ordering::Relaxed);
        }
        if row.ticket > number + 1 {
            return Slot::Overwritten;
        }
        if row.ticket == number + 1 && row.check == row.sum() {
            return Slot::Whole(row);
        }
        std::hint::spin_loop();
    }
    Slot::Unfinished
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u64) -> EventRow {
        let mut row = EventRow { ticket: number + 1, octets: 1500, captured: 128, cell: 27, ..EventRow::zeroed() };
        row.head[127] = 9;
        EventRow { check: row.sum(), ..row }
    }

    fn words(row: &EventRow) -> Vec<AtomicU64> {
        bytemuck::cast_ref::<_, [u64; WORDS]>(row).iter().map(|&word| AtomicU64::new(word)).collect()
    }

    #[test]
    fn a_slot_is_read_whole_or_not_at_all() {
        let event = row(7);
        assert_eq!(slot(&words(&event), 7), Slot::Whole(event));
        assert_eq!(slot(&words(&event), 6), Slot::Overwritten);
        // The one before still stands there, or nothing.
        assert_eq!(slot(&words(&event), 263), Slot::Unfinished);
        assert_eq!(slot(&words(&EventRow::zeroed()), 0), Slot::Unfinished);
        for place in 0..WORDS {
            let torn = words(&event);
            torn[place].fetch_xor(1 << 40, Ordering::Relaxed);
            assert_ne!(slot(&torn, 7), Slot::Whole(event), "word {place}");
            // Half of another event.
            let other = row(263);
            let mixed: Vec<_> =
                (words(&other).into_iter().take(place)).chain(words(&event).into_iter().skip(place)).collect();
            let found = slot(&mixed, 7);
            assert!(place == 0 && found == Slot::Whole(event) || !matches!(found, Slot::Whole(_)), "{place} {found:?}");
        }
    }

    #[test]
    fn rings_are_small_however_many_cpus_there_are() {
        for cpus in [1, 2, 3, 16, 17, 128, 1024] {
            let slots = slots(cpus);
            assert!(slots.is_power_of_two() && slots >= SLOTS);
            assert!(slots == SLOTS || (EVENTS / 2 + 1..=EVENTS).contains(&(slots * cpus)), "{cpus}");
            // All that one CPU may keep between two looks, at the highest rate there is, and what may come at once.
            let kept = 10_000_u32.div_ceil(cpus);
            assert!(slots >= kept.div_ceil(10) + kept.div_ceil(10), "{cpus}");
        }
        assert_eq!((slots(2), slots(64), slots(1000)), (2048, 64, 16));
    }

    #[test]
    fn no_second_has_more_than_was_said() {
        for (events, cpus, hertz) in [(1, 1, 250), (100, 2, 250), (100, 64, 1000), (10_000, 1, 100), (10_000, 8, 250)] {
            let EventRateRow { interval, tolerance, .. } = rate(events, cpus, hertz, slots(cpus));
            // As the program counts, in the worst second: all is due at once, and ticks come at its edges.
            let (mut next, mut written) = (0u64, 0u64);
            let begin = 1 << 40;
            for tick in 0..=u64::from(hertz) {
                let now = begin + tick * TICK_PARTS;
                while next <= now {
                    next = next.max(now - tolerance) + interval;
                    written += 1;
                }
            }
            let (all, share) = (written * u64::from(cpus), u64::from(events.max(cpus)));
            assert!(all <= share + u64::from(cpus), "{events} {cpus} {hertz}: {all}");
            assert!(all * 10 >= share * 8, "{events} {cpus} {hertz}: {all}");
        }
    }
}
