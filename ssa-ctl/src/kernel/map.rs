//! An array map of rows, read and written by the run.

use std::{
    io,
    marker::PhantomData,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
};

use anyhow::{Context as _, ensure};
use bytemuck::Pod;

use super::sys::{self, Memory};

/// An array map whose values are rows of type `R`.
pub struct Map<R> {
    descriptor: OwnedFd,
    name: String,
    entries: u32,
    id: u32,
    row: PhantomData<R>,
}

impl<R: Pod> Map<R> {
    /// Takes a map by its descriptor; its rows must have the size of an `R`.
    pub fn new(descriptor: OwnedFd, name: &str) -> anyhow::Result<Self> {
        let info = sys::map_info(&descriptor).with_context(|| format!("cannot ask about the map {name}"))?;
        ensure!(
            info.value_size as usize == size_of::<R>(),
            "the map {name} has rows of {} octets, not {}",
            info.value_size,
            size_of::<R>()
        );
        Ok(Self { descriptor, name: name.into(), entries: info.max_entries, id: info.id, row: PhantomData })
    }

    /// Opens a pinned map.
    pub fn open(path: &Path, read_only: bool) -> anyhow::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let map = sys::open_pin(path, read_only).with_context(|| format!("cannot open the pin {}", path.display()))?;
        Self::new(map, &name)
    }

    /// How many rows it has.
    pub const fn entries(&self) -> u32 {
        self.entries
    }

    /// The kernel's number for it.
    pub const fn id(&self) -> u32 {
        self.id
    }

    /// Octets of kernel memory that its rows take.
    pub const fn octets(&self) -> u64 {
        self.entries as u64 * (size_of::<R>() as u64).next_multiple_of(8)
    }

    /// Reads `count` rows from `first` on.
    pub fn read(&self, first: u32, count: u32) -> anyhow::Result<Vec<R>> {
        let mut rows = vec![R::zeroed(); count as usize];
        let mut keys = vec![0; count as usize];
        self.read_octets(first, &mut keys, bytemuck::cast_slice_mut(&mut rows))
            .with_context(|| format!("cannot read the map {}", self.name))?;
        Ok(rows)
    }

    /// Reads one row.
    pub fn get(&self, index: u32) -> anyhow::Result<R> {
        Ok(self.read(index, 1)?.swap_remove(0))
    }

    /// Its memory, to be read, or written too, without the kernel. The map must have been made for it.
    pub(super) fn memory(&self, read_only: bool) -> anyhow::Result<Memory> {
        let memory = usize::try_from(self.octets()).map_err(anyhow::Error::new);
        let memory = memory.and_then(|octets| Ok(Memory::of(&self.descriptor, octets, read_only)?));
        memory.with_context(|| format!("cannot map the memory of the map {}", self.name))
    }

    /// Writes rows from `first` on.
    pub fn write(&self, first: u32, rows: &[R]) -> anyhow::Result<()> {
        const { assert!(size_of::<R>().is_multiple_of(8), "a batch has no gaps between rows of whole words") };
        let keys: Vec<u32> = (first..).take(rows.len()).collect();
        let write = |(keys, rows): (&[u32], &[R])| sys::write_batch(&self.descriptor, keys, bytemuck::cast_slice(rows));
        let chunk = 4096;
        keys.chunks(chunk)
            .zip(rows.chunks(chunk))
            .try_for_each(write)
            .with_context(|| format!("cannot write the map {}", self.name))
    }

    fn read_octets(&self, first: u32, keys: &mut [u32], octets: &mut [u8]) -> io::Result<()> {
        if keys.is_empty() { Ok(()) } else { sys::read_batch(&self.descriptor, first, keys, octets) }
    }
}

impl<R> AsFd for Map<R> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
