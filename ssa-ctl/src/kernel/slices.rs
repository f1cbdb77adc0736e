//! Who owns each slice, as the kernel has it: words in its memory. Read and stored to without a call.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use ssa_common::rows::{OWNERS, OwnersRow, SliceWord};

use super::{map::Map, sys::Memory};

/// The slices of both banks: short words, and the words of those in handover.
pub struct Owners {
    rows: Memory,
    handovers: Memory,
    per_bank: usize,
}

/// Slices in a row.
const OF_ROW: usize = OWNERS as usize;

/// The slices of one bank.
struct Bank<'a> {
    rows: &'a [AtomicU64],
    handovers: &'a [AtomicU64],
}

impl Owners {
    /// The slices in maps that have so many in a bank; for reading alone, or for writing too. The maps are let go of.
    pub(super) fn new(
        rows: &Map<OwnersRow>,
        handovers: &Map<SliceWord>,
        per_bank: u32,
        read_only: bool,
    ) -> anyhow::Result<Self> {
        let (rows, handovers) = (rows.memory(read_only)?, handovers.memory(read_only)?);
        Ok(Self { rows, handovers, per_bank: per_bank as usize })
    }

    /// Octets of kernel memory that they take.
    pub(super) const fn octets(&self) -> u64 {
        (size_of_val(self.rows.words()) + size_of_val(self.handovers.words())) as u64
    }

    fn bank(&self, bank: u32) -> anyhow::Result<Bank<'_>> {
        fn part(memory: &Memory, bank: u32, count: usize) -> anyhow::Result<&[AtomicU64]> {
            let first = bank as usize * count;
            memory.words().get(first..first + count).context("the slices have no such bank")
        }
        Ok(Bank {
            rows: part(&self.rows, bank, self.per_bank / OF_ROW)?,
            handovers: part(&self.handovers, bank, self.per_bank)?,
        })
    }

    /// Reads a bank.
    pub(super) fn read(&self, bank: u32) -> anyhow::Result<Vec<SliceWord>> {
        let Bank { rows, handovers } = self.bank(bank)?;
        let mut words = Vec::with_capacity(handovers.len());
        for (row, handovers) in rows.iter().zip(handovers.as_chunks::<OF_ROW>().0) {
            let row: OwnersRow = bytemuck::cast(row.load(Ordering::Acquire));
            words.extend(
                row.into_iter().zip(handovers).map(|(short, handover)| {
                    short.word().unwrap_or_else(|| SliceWord(handover.load(Ordering::Relaxed)))
                }),
            );
        }
        Ok(words)
    }

    /// Writes a bank that is not in force.
    pub(super) fn write(&self, bank: u32, words: &[SliceWord]) -> anyhow::Result<()> {
        let Bank { rows, handovers } = self.bank(bank)?;
        anyhow::ensure!(words.len() <= handovers.len(), "{} slices, more than there is room for", words.len());
        let (words, rest) = words.as_chunks::<OF_ROW>();
        anyhow::ensure!(rest.is_empty(), "slices do not fill their rows");
        let (handovers, _) = handovers.as_chunks::<OF_ROW>();
        for ((row, handovers), words) in rows.iter().zip(handovers).zip(words) {
            row.store(bytemuck::cast(words.map(SliceWord::short)), Ordering::Relaxed);
            if words.iter().any(|word| word.previous() != 0) {
                for (handover, word) in handovers.iter().zip(words) {
                    handover.store(word.0, Ordering::Relaxed);
                }
            }
        }
        Ok(())
    }

    /// Moves one slice of a bank that is in force: by the one store that a frame sees or does not. Whoever calls is the only
    /// writer.
    pub(super) fn store(&self, bank: u32, slice: u32, word: SliceWord) -> anyhow::Result<()> {
        let Bank { rows, handovers } = self.bank(bank)?;
        let handover = handovers.get(slice as usize).context("there is no such slice")?;
        if word.previous() != 0 {
            handover.store(word.0, Ordering::Relaxed);
        }
        let row = rows.get(slice as usize / OF_ROW).context("there is no such slice")?;
        let mut new: OwnersRow = bytemuck::cast(row.load(Ordering::Relaxed));
        new[slice as usize % OF_ROW] = word.short();
        row.store(bytemuck::cast(new), Ordering::Release);
        Ok(())
    }
}

/// Frames of each slice that went on.
pub struct SliceCounters {
    memory: Memory,
    per_cpu: usize,
    /// None: for reading alone.
    map: Option<Map<u64>>,
}

impl SliceCounters {
    /// The counters in a map that has so many for each CPU; for reading alone, or for writing too.
    pub(super) fn new(map: Map<u64>, per_cpu: u32, read_only: bool) -> anyhow::Result<Self> {
        Ok(Self { memory: map.memory(true)?, per_cpu: per_cpu as usize, map: (!read_only).then_some(map) })
    }

    /// Octets of kernel memory that they take.
    pub(super) const fn octets(&self) -> u64 {
        size_of_val(self.memory.words()) as u64
    }

    /// The counters of the slices in these places, summed over CPUs; none where slices are not counted.
    pub(super) fn read(&self, places: std::ops::Range<usize>) -> Option<Vec<u64>> {
        let mut sums = vec![0_u64; places.len()];
        if places.end > self.per_cpu {
            return None;
        }
        for cpu in self.memory.words().chunks_exact(self.per_cpu) {
            for (sum, word) in sums.iter_mut().zip(&cpu[places.clone()]) {
                *sum = sum.wrapping_add(word.load(Ordering::Relaxed));
            }
        }
        Some(sums)
    }

    /// Goes on with what counters of the same slices and CPUs say; others begin with zeros.
    pub(super) fn carry(&self, from: &Self) -> anyhow::Result<()> {
        let map = self.map.as_ref().context("the counters of slices were opened for reading alone")?;
        let words: Vec<u64> = from.memory.words().iter().map(|word| word.load(Ordering::Relaxed)).collect();
        let is_same = from.per_cpu == self.per_cpu && words.len() == self.memory.words().len();
        if is_same { map.write(0, &words) } else { Ok(()) }
    }

    /// Begins anew for the slices in these places.
    pub(super) fn clear(&self, places: std::ops::Range<usize>) -> anyhow::Result<()> {
        let map = self.map.as_ref().context("the counters of slices were opened for reading alone")?;
        let zeros = vec![0; places.len()];
        let cpus = if places.end > self.per_cpu { 0 } else { self.memory.words().len() / self.per_cpu };
        (0..cpus).try_for_each(|cpu| map.write(u32::try_from(cpu * self.per_cpu + places.start)?, &zeros))
    }
}
