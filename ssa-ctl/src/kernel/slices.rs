//! Who owns each slice, as the kernel has it: words in its memory. Read and stored to without a call.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use ssa_common::rows::SliceWord;

use super::{map::Map, sys::Memory};

/// The slices of both banks.
pub struct Owners {
    memory: Memory,
    per_bank: usize,
}

impl Owners {
    /// The slices in a map that has so many in a bank; for reading alone, or for writing too. The map is let go of.
    pub(super) fn new(map: &Map<SliceWord>, per_bank: u32, read_only: bool) -> anyhow::Result<Self> {
        Ok(Self { memory: map.memory(read_only)?, per_bank: per_bank as usize })
    }

    /// Octets of kernel memory that they take.
    pub(super) const fn octets(&self) -> u64 {
        size_of_val(self.memory.words()) as u64
    }

    fn bank(&self, bank: u32) -> anyhow::Result<&[AtomicU64]> {
        let first = bank as usize * self.per_bank;
        self.memory.words().get(first..first + self.per_bank).context("the slices have no such bank")
    }

    /// Reads a bank.
    pub(super) fn read(&self, bank: u32) -> anyhow::Result<Vec<SliceWord>> {
        Ok(self.bank(bank)?.iter().map(|word| SliceWord(word.load(Ordering::Relaxed))).collect())
    }

    /// Writes a bank that is not in force.
    pub(super) fn write(&self, bank: u32, words: &[SliceWord]) -> anyhow::Result<()> {
        let there = self.bank(bank)?;
        anyhow::ensure!(words.len() <= there.len(), "{} slices, more than there is room for", words.len());
        for (to, word) in there.iter().zip(words) {
            to.store(word.0, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Moves one slice of a bank that is in force: a store of one word, which a frame sees or does not.
    pub(super) fn store(&self, bank: u32, slice: u32, word: SliceWord) -> anyhow::Result<()> {
        let there = self.bank(bank)?.get(slice as usize).context("there is no such slice")?;
        there.store(word.0, Ordering::Release);
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

    /// Begins anew for the slices in these places.
    pub(super) fn clear(&self, places: std::ops::Range<usize>) -> anyhow::Result<()> {
        let map = self.map.as_ref().context("the counters of slices were opened for reading alone")?;
        let zeros = vec![0; places.len()];
        let cpus = if places.end > self.per_cpu { 0 } else { self.memory.words().len() / self.per_cpu };
        (0..cpus).try_for_each(|cpu| map.write(u32::try_from(cpu * self.per_cpu + places.start)?, &zeros))
    }
}
