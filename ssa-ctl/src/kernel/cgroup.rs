//! The path of a cgroup in; its number and a descriptor to attach programs to out.

use std::{
    fs::File,
    os::{
        fd::{AsFd, BorrowedFd},
        unix::{ffi::OsStrExt as _, fs::MetadataExt as _},
    },
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use ssa_common::layout::CGROUP_PATH;

use crate::failure::{Code, Failure};

/// `CGROUP2_SUPER_MAGIC` of `statfs`.
const CGROUP2_MAGIC: u64 = 0x6367_7270;

/// A cgroup of version 2.
pub struct Cgroup {
    folder: File,
    /// Its number, which no other has while it is there.
    pub id: u64,
    /// Where it is, without links.
    pub path: PathBuf,
}

impl Cgroup {
    /// Opens a cgroup.
    ///
    /// # Errors
    /// Where there is none of version 2 at that path.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let shown = path.display();
        let is_none = |error: std::io::Error| {
            Failure::from(anyhow::Error::new(error).context(format!("cannot open the cgroup {shown}")))
                .code(Code::Invalid)
                .hint("make it first: mkdir, where a file system of the type cgroup2 is mounted")
        };
        let whole = path.canonicalize().map_err(is_none)?;
        let folder = File::open(&whole).map_err(is_none)?;
        let about = rustix::fs::fstatfs(&folder).with_context(|| format!("cannot examine {shown}"))?;
        if about.f_type.cast_unsigned() != CGROUP2_MAGIC {
            return Err(Failure::new(Code::Invalid, format!("{shown} is no cgroup of version 2")).hint(
                "see where those are: findmnt -t cgroup2; on hosts with both versions often at /sys/fs/cgroup/unified",
            ));
        }
        let about = folder.metadata().with_context(|| format!("cannot examine {shown}"))?;
        if !about.is_dir() {
            let folder = whole.parent().unwrap_or(&whole).display();
            return Err(Failure::new(Code::Invalid, format!("{shown} is no cgroup, but a file of one"))
                .hint(format!("name its folder: {folder}")));
        }
        if whole.as_os_str().as_bytes().len() > CGROUP_PATH {
            return Err(Failure::new(Code::Invalid, format!("the path has more than {CGROUP_PATH} octets")));
        }
        Ok(Self { folder, id: about.ino(), path: whole })
    }
}

impl AsFd for Cgroup {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }
}
