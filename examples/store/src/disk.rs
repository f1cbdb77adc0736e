//! Octets in; files below a folder, one a slice and object, out. What is there is there whole, whenever power fails.
//!
//! `SLICE/ID` is an object, in hexadecimal digits; `SLICE/sealed` says that the slice is only read; below `aside` is what
//! is being written.

use std::{
    collections::BTreeMap,
    fmt,
    fs::{self, File, TryLockError},
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

const ASIDE: &str = "aside";
const SEALED: &str = "sealed";

/// The objects of one endpoint. It has its folder to itself.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    /// Its own folder, locked: the lock goes with the process.
    _lock: File,
    /// Whether to wait until the disk has what was written.
    waits: bool,
    next: AtomicU64,
    /// Writers of objects share it; who seals or removes a slice has it alone.
    slices: RwLock<()>,
}

/// What a write has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// There was no such object.
    Created,
    /// There was one.
    Replaced,
}

/// Why an object could not be written, or a slice not be removed.
#[derive(Debug)]
pub enum DiskError {
    /// The slice is sealed: it is about to move.
    Sealed,
    /// The slice is not sealed: somebody may write to it.
    NotSealed,
    /// What the kernel said.
    Io(io::Error),
}

impl Disk {
    /// Opens a folder, or makes it. What was not written to its end is removed. With `waits`, an object that was written
    /// is on the disk when that is said; without, when the kernel gets to it.
    ///
    /// # Errors
    /// Where it cannot be made or read, or another server has it.
    pub fn open(root: &Path, waits: bool) -> io::Result<Self> {
        let aside = root.join(ASIDE);
        fs::create_dir_all(&aside)?;
        let lock = File::open(root)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::new(ErrorKind::ResourceBusy, "another server has it"),
            TryLockError::Error(error) => error,
        })?;
        for entry in fs::read_dir(&aside)? {
            fs::remove_file(entry?.path())?;
        }
        Ok(Self { root: root.to_owned(), _lock: lock, waits, next: 0.into(), slices: RwLock::default() })
    }

    /// An object; none where there is none.
    pub fn read(&self, slice: u32, id: u128) -> io::Result<Option<Vec<u8>>> {
        none_where_not_found(fs::read(self.object(slice, id)))
    }

    /// Writes an object: aside first, and then over the one that was there.
    ///
    /// # Errors
    /// Where the slice is sealed, or it cannot be written.
    pub fn write(&self, slice: u32, id: u128, octets: &[u8]) -> Result<Written, DiskError> {
        let _shared = self.slices.read().unwrap_or_else(PoisonError::into_inner);
        self.refuse_sealed(slice)?;
        let folder = self.folder(slice);
        match fs::create_dir(&folder) {
            Ok(()) => self.settle(&self.root)?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
        let aside = self.root.join(ASIDE).join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        let mut file = File::create_new(&aside)?;
        file.write_all(octets)?;
        if self.waits {
            file.sync_all()?;
        }
        let path = self.object(slice, id);
        let written = if path.exists() { Written::Replaced } else { Written::Created };
        fs::rename(&aside, path)?;
        self.settle(&folder)?;
        Ok(written)
    }

    /// Removes an object; false where there is none.
    ///
    /// # Errors
    /// Where the slice is sealed, or it cannot be removed.
    pub fn remove(&self, slice: u32, id: u128) -> Result<bool, DiskError> {
        let _shared = self.slices.read().unwrap_or_else(PoisonError::into_inner);
        self.refuse_sealed(slice)?;
        let there = none_where_not_found(fs::remove_file(self.object(slice, id)))?.is_some();
        if there {
            self.settle(&self.folder(slice))?;
        }
        Ok(there)
    }

    /// The ids of a slice's objects, in order.
    pub fn ids(&self, slice: u32) -> io::Result<Vec<u128>> {
        let Some(entries) = none_where_not_found(fs::read_dir(self.folder(slice)))? else { return Ok(Vec::new()) };
        let names = entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?;
        let mut ids: Vec<_> = names.iter().filter_map(|name| u128::from_str_radix(name.to_str()?, 16).ok()).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// How many objects each slice has that has any.
    pub fn held(&self) -> io::Result<BTreeMap<u32, usize>> {
        let mut held = BTreeMap::new();
        for entry in fs::read_dir(&self.root)? {
            let name = entry?.file_name();
            let Some(slice) = name.to_str().and_then(|name| u32::from_str_radix(name, 16).ok()) else { continue };
            let count = self.ids(slice)?.len();
            if count > 0 {
                held.insert(slice, count);
            }
        }
        Ok(held)
    }

    /// Lets nobody write to a slice any more. Writes that have begun are done when this is.
    pub fn seal(&self, slice: u32) -> io::Result<()> {
        let _alone = self.slices.write().unwrap_or_else(PoisonError::into_inner);
        fs::create_dir_all(self.folder(slice))?;
        File::create(self.folder(slice).join(SEALED))?;
        self.settle(&self.folder(slice))
    }

    /// Lets everybody write to it again.
    pub fn open_again(&self, slice: u32) -> io::Result<()> {
        let _alone = self.slices.write().unwrap_or_else(PoisonError::into_inner);
        none_where_not_found(fs::remove_file(self.folder(slice).join(SEALED))).map(drop)
    }

    /// Removes a sealed slice with its objects, and says how many they were.
    ///
    /// # Errors
    /// Where it is not sealed, or cannot be removed. The seal goes last.
    pub fn forget(&self, slice: u32) -> Result<usize, DiskError> {
        let _alone = self.slices.write().unwrap_or_else(PoisonError::into_inner);
        if !self.is_sealed(slice)? {
            return Err(DiskError::NotSealed);
        }
        let ids = self.ids(slice)?;
        for id in &ids {
            fs::remove_file(self.object(slice, *id))?;
        }
        fs::remove_dir_all(self.folder(slice))?;
        self.settle(&self.root)?;
        Ok(ids.len())
    }

    fn refuse_sealed(&self, slice: u32) -> Result<(), DiskError> {
        if self.is_sealed(slice)? { Err(DiskError::Sealed) } else { Ok(()) }
    }

    fn is_sealed(&self, slice: u32) -> io::Result<bool> {
        self.folder(slice).join(SEALED).try_exists()
    }

    /// Waits until the disk has the names of a folder.
    fn settle(&self, folder: &Path) -> io::Result<()> {
        if self.waits { File::open(folder)?.sync_all() } else { Ok(()) }
    }

    fn folder(&self, slice: u32) -> PathBuf {
        self.root.join(format!("{slice:05x}"))
    }

    fn object(&self, slice: u32, id: u128) -> PathBuf {
        self.folder(slice).join(format!("{id:032x}"))
    }
}

fn none_where_not_found<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        result => result.map(Some),
    }
}

impl From<io::Error> for DiskError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sealed => f.write_str("the slice is sealed, as it is about to move: try again"),
            Self::NotSealed => f.write_str("the slice is not sealed: copy it first, and move it"),
            Self::Io(error) => write!(f, "the disk says: {error}"),
        }
    }
}

impl std::error::Error for DiskError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_removed() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path(), true).unwrap();
        assert_eq!(disk.read(7, 1).unwrap(), None);
        assert_eq!(disk.write(7, 1, b"one").unwrap(), Written::Created);
        assert_eq!(disk.write(7, 1, b"two").unwrap(), Written::Replaced);
        assert_eq!(disk.write(8, 2, b"").unwrap(), Written::Created);
        assert_eq!(disk.read(7, 1).unwrap().as_deref(), Some(&b"two"[..]));
        assert_eq!(disk.read(8, 2).unwrap().as_deref(), Some(&b""[..]));
        assert_eq!(disk.read(8, 1).unwrap(), None);
        assert_eq!(disk.held().unwrap(), BTreeMap::from([(7, 1), (8, 1)]));
        assert!(disk.remove(7, 1).unwrap() && !disk.remove(7, 1).unwrap());
        assert_eq!(disk.held().unwrap(), BTreeMap::from([(8, 1)]));
    }

    #[test]
    fn what_was_not_written_to_its_end_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        drop(Disk::open(folder.path(), true).unwrap());
        let half = folder.path().join(ASIDE).join("0");
        fs::write(&half, "half").unwrap();
        let disk = Disk::open(folder.path(), true).unwrap();
        assert!(!half.exists());
        assert_eq!(disk.write(0, 0, b"whole").unwrap(), Written::Created);
    }

    #[test]
    fn a_folder_has_one_server() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path(), false).unwrap();
        let half = folder.path().join(ASIDE).join("7");
        fs::write(&half, "half").unwrap();
        let refused = Disk::open(folder.path(), false).unwrap_err();
        assert_eq!((refused.kind(), refused.to_string().as_str()), (ErrorKind::ResourceBusy, "another server has it"));
        assert!(half.exists(), "what the other one writes is left alone");
        drop(disk);
        Disk::open(folder.path(), false).unwrap();
    }

    #[test]
    fn a_sealed_slice_is_only_read() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path(), false).unwrap();
        disk.write(7, 1, b"one").unwrap();
        assert!(matches!(disk.forget(7), Err(DiskError::NotSealed)));
        disk.seal(7).unwrap();
        // Seals outlive the process.
        drop(disk);
        let disk = Disk::open(folder.path(), false).unwrap();
        assert!(matches!(disk.write(7, 2, b"two"), Err(DiskError::Sealed)));
        assert!(matches!(disk.remove(7, 1), Err(DiskError::Sealed)));
        assert_eq!((disk.ids(7).unwrap(), disk.write(8, 3, b"").unwrap()), (vec![1], Written::Created));
        disk.open_again(7).unwrap();
        disk.write(7, 2, b"two").unwrap();
        disk.seal(7).unwrap();
        assert_eq!(disk.forget(7).unwrap(), 2);
        assert_eq!(disk.held().unwrap(), BTreeMap::from([(8, 1)]));
        assert_eq!(disk.write(7, 1, b"anew").unwrap(), Written::Created);
    }
}
