//! A path in; what is written there, once it is whole, out. Until then what is there stays: it may be the run to compare
//! with.

use std::{
    fs::{self, File, Metadata, Permissions},
    io::{self, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use tempfile::{Builder, NamedTempFile};

/// Where something will be written.
#[derive(Debug)]
pub struct Output {
    shown: PathBuf,
    to: To,
}

#[derive(Debug)]
enum To {
    /// What standard output is, even where that is a file: it goes behind what is printed.
    Printed,
    /// A pipe, a device and the like, which is written as it is.
    Straight(File),
    /// A file, there or not: another takes its place.
    File(PathBuf),
}

impl Output {
    /// Whether it can be written is found out here, and nothing is left there.
    ///
    /// # Errors
    /// Where it cannot.
    pub fn new(path: &Path) -> Result<Self> {
        let to = To::find(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { shown: path.into(), to })
    }

    /// Writes it whole, or not at all where it is a file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(self, text: &str) -> Result<()> {
        let written = match self.to {
            To::Printed => io::stdout().write_all(text.as_bytes()).and_then(|()| io::stdout().flush()),
            To::Straight(mut file) => file.write_all(text.as_bytes()),
            To::File(path) => replace(&path, text),
        };
        written.with_context(|| format!("cannot write {}", self.shown.display()))
    }
}

impl To {
    fn find(path: &Path) -> io::Result<Self> {
        let found = match fs::metadata(path) {
            Ok(found) => found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                beside(path)?;
                return Ok(Self::File(path.into()));
            }
            Err(error) => return Err(error),
        };
        if is_printed(&found)? {
            return Ok(Self::Printed);
        }
        if !found.is_file() {
            return File::options().write(true).open(path).map(Self::Straight);
        }
        // A link stays, and what it names is replaced.
        let path = fs::canonicalize(path)?;
        beside(&path)?;
        Ok(Self::File(path))
    }
}

fn is_printed(found: &Metadata) -> io::Result<bool> {
    let printed = rustix::fs::fstat(io::stdout())?;
    // A terminal or /dev/null is the same thing by whatever name: then it does not matter.
    Ok((found.dev(), found.ino()) == (printed.st_dev, printed.st_ino))
}

/// A file in the same folder, which goes again unless it is given a name.
fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    // Less what the process takes away of it.
    Builder::new().prefix(".ssa-bench-").permissions(Permissions::from_mode(0o666)).tempfile_in(folder)
}

/// Whoever owns and may read what was there, owns and may read what comes.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut file = beside(path)?;
    if let Ok(before) = fs::metadata(path) {
        chown(file.path(), Some(before.uid()), Some(before.gid()))?;
        fs::set_permissions(file.path(), before.permissions())?;
    }
    file.write_all(text.as_bytes())?;
    file.persist(path)?;
    Ok(())
}
