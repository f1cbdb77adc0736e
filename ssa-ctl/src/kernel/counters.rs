//! The map of counters in; the cells of a service, summed, out; and what an earlier map counted carried over.

use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context as _;
use bytemuck::Zeroable;
use ssa_common::{rows::Cell, verdict::Verdict};

use super::{map::Map, sys::Memory};

/// Words of a cell: packets, then bytes.
const WORDS: usize = size_of::<Cell>() / size_of::<AtomicU64>();

/// Cells by service, CPU and verdict; behind the CPUs' rows of a service, one of what was carried over.
///
/// They are read where the program writes them, word by word: by system calls, one look at some hundred services takes
/// longer than a whole command should.
pub struct Counters {
    memory: Memory,
    per_service: u32,
    /// None: for reading alone.
    map: Option<Map<Cell>>,
}

/// Cells of one service: for each CPU, and for what was carried over.
pub(super) const fn per_service(cpus: u32) -> u32 {
    (cpus + 1) * Verdict::CELLS
}

impl Counters {
    /// The counters in a map that has rows for so many CPUs; for reading alone, or for writing too.
    ///
    /// The map must have been opened for writing: the kernel shares no memory of another. For reading alone it is let go of
    /// at once, and what is seen of its memory can never be written to.
    pub(super) fn new(map: Map<Cell>, cpus: u32, read_only: bool) -> anyhow::Result<Self> {
        Ok(Self { memory: map.memory(true)?, per_service: per_service(cpus), map: (!read_only).then_some(map) })
    }

    /// Octets of kernel memory that they take.
    pub(super) const fn octets(&self) -> u64 {
        size_of_val(self.memory.words()) as u64
    }

    /// The cells of one service, summed over CPUs and what was carried over.
    pub(super) fn cells(&self, service: u32) -> anyhow::Result<Vec<Cell>> {
        let mut sums = vec![Cell::zeroed(); Verdict::CELLS as usize];
        for row in self.rows(service)? {
            for (sum, cell) in sums.iter_mut().zip(row.chunks_exact(WORDS)) {
                sum.packets = sum.packets.wrapping_add(cell[0].load(Ordering::Relaxed));
                sum.bytes = sum.bytes.wrapping_add(cell[1].load(Ordering::Relaxed));
            }
        }
        Ok(sums)
    }

    /// The packets of some cells of one service, summed, for each CPU; last what was carried over.
    pub(super) fn packets(&self, service: u32, cells: &[usize]) -> anyhow::Result<Vec<u64>> {
        let sum = |row: &[AtomicU64]| {
            let packets =
                cells.iter().filter_map(|cell| row.get(cell * WORDS)).map(|word| word.load(Ordering::Relaxed));
            packets.fold(0, u64::wrapping_add)
        };
        Ok(self.rows(service)?.map(sum).collect())
    }

    /// The words of one service, a row for each CPU and one of what was carried over.
    fn rows(&self, service: u32) -> anyhow::Result<impl Iterator<Item = &[AtomicU64]>> {
        let length = self.per_service as usize * WORDS;
        let first = service as usize * length;
        let words =
            self.memory.words().get(first..first + length).context("there are no counters for such a service")?;
        Ok(words.chunks_exact(Verdict::CELLS as usize * WORDS))
    }

    /// Begins anew for one service.
    pub(super) fn clear(&self, service: u32) -> anyhow::Result<()> {
        let cells = self.per_service;
        self.map()?.write(service * cells, &vec![Cell::zeroed(); cells as usize])
    }

    /// Writes what an earlier map had counted to the carried-over row of a service.
    pub(super) fn carry(&self, service: u32, cells: &[Cell]) -> anyhow::Result<()> {
        self.map()?.write((service + 1) * self.per_service - Verdict::CELLS, cells)
    }

    fn map(&self) -> anyhow::Result<&Map<Cell>> {
        self.map.as_ref().context("the counters were opened for reading alone")
    }
}
