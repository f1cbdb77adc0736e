//! Nothing in; a folder for the pins of one instance out. With it go the pins, and with them links, programs and maps.

use std::{
    fs,
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU32, Ordering},
};

use super::leftovers;

/// Where BPF file systems are mounted.
pub(super) const BPFFS: &str = "/sys/fs/bpf";
/// What the folders' names begin with; process id and counter follow.
pub(super) const NAME: &str = "ssa-test-";

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A path in the BPF file system that nobody else uses. `ssa-ctl apply` makes the folder.
#[derive(Debug)]
pub struct PinRoot(PathBuf);

impl PinRoot {
    /// Another one.
    #[expect(clippy::new_without_default, reason = "it removes what earlier processes left")]
    pub fn new() -> Self {
        leftovers::remove_once();
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        Self(Path::new(BPFFS).join(format!("{NAME}{}-{number}", process::id())))
    }

    /// The folder, which need not exist.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for PinRoot {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for PinRoot {
    fn drop(&mut self) {
        // It may not be there. An interface is left by its link when the link's pin goes.
        let _ = fs::remove_dir_all(&self.0);
    }
}
