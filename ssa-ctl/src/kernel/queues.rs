//! The map of queues by CPU, read and written: how many frames may wait for which.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use anyhow::Context as _;
use ssa_common::layout;

use super::sys;
use crate::plan::low::Queue;

/// The queues. A frame waits in that of its CPU until a thread of the kernel there makes a packet of it.
pub struct Queues {
    map: OwnedFd,
    cpus: u32,
}

impl Queues {
    /// Those of a map by its descriptor, for so many CPUs.
    pub(super) const fn new(map: OwnedFd, cpus: u32) -> Self {
        Self { map, cpus }
    }

    /// Opens a pinned map.
    pub(super) fn open(path: &Path, cpus: u32, read_only: bool) -> anyhow::Result<Self> {
        let map = sys::open_pin(path, read_only).with_context(|| format!("cannot open the pin {}", path.display()))?;
        Ok(Self::new(map, cpus))
    }

    /// Octets of kernel memory that the map takes, a pointer a CPU, without what waits in it.
    pub(super) const fn octets(&self) -> u64 {
        self.cpus as u64 * size_of::<u64>() as u64
    }

    /// Which there are.
    pub fn all(&self) -> anyhow::Result<Vec<Queue>> {
        let at = |cpu| Ok(sys::length_at(&self.map, cpu)?.map(|length| Queue { cpu, length }));
        let all: io::Result<Vec<_>> = (0..self.cpus).map(at).collect();
        let all = all.with_context(|| format!("cannot read the map {}", layout::CPUS))?;
        // The kernel says zero of a CPU without a queue where it has no other word for it.
        Ok(all.into_iter().flatten().filter(|queue| queue.length > 0).collect())
    }

    /// Makes a queue, or changes its length.
    pub fn make(&self, Queue { cpu, length }: Queue) -> anyhow::Result<()> {
        sys::put_length(&self.map, cpu, length).with_context(|| format!("cannot make a queue for CPU {cpu}"))
    }

    /// Removes all but one. What waits in them goes on.
    pub fn keep(&self, one: Option<Queue>) -> anyhow::Result<()> {
        for Queue { cpu, .. } in self.all()? {
            if one.is_none_or(|one| one.cpu != cpu) {
                sys::remove(&self.map, cpu).with_context(|| format!("cannot remove the queue of CPU {cpu}"))?;
            }
        }
        Ok(())
    }
}

impl AsFd for Queues {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.map.as_fd()
    }
}
