//! Where the pins are: a folder of ours in a BPF file system. Names in, paths and what is there out.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::Context as _;

use super::object::{FILTER, PROBE};
use crate::failure::{Code, Failure};

/// `BPF_FS_MAGIC` of `statfs`.
const BPF_FS_MAGIC: u64 = 0xcafe_4a11;

/// The pins below one root.
#[derive(Clone, Debug)]
pub struct Pins {
    root: PathBuf,
}

impl Pins {
    /// The pins below `root`, which need not exist.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Programs.
    pub fn programs(&self) -> PathBuf {
        self.root.join("progs")
    }

    /// The filter.
    pub fn filter(&self) -> PathBuf {
        self.programs().join(FILTER)
    }

    /// The clock probe.
    pub fn probe(&self) -> PathBuf {
        self.programs().join(PROBE)
    }

    /// Maps.
    pub fn maps(&self) -> PathBuf {
        self.root.join("maps")
    }

    /// A map.
    pub fn map(&self, name: &str) -> PathBuf {
        self.maps().join(name)
    }

    /// Links.
    pub fn links(&self) -> PathBuf {
        self.root.join("links")
    }

    /// The link of an interface. A BPF file system takes no dots in names: `eth0.7` is `eth0%2e7`.
    pub fn link(&self, interface: &str) -> PathBuf {
        self.links().join(interface.replace('%', "%25").replace('.', "%2e"))
    }

    /// Where an instance is put together before it is in force.
    pub fn staging(&self) -> Self {
        Self { root: self.root.join("staging") }
    }

    /// The pins of the endpoint host's lookup, in a folder of their own with the same folders in it.
    pub fn lookup(&self) -> Self {
        Self { root: self.root.join("lookup") }
    }

    /// The pins of the program that marks, likewise.
    pub fn marks(&self) -> Self {
        Self { root: self.root.join("marks") }
    }

    /// Where a client host's programs have their pins.
    pub fn clients(&self) -> PathBuf {
        self.root.join("client")
    }

    /// The pins of the programs of one cgroup, in a folder of their own with the same folders in it.
    pub fn client(&self, cgroup: u64) -> Self {
        Self { root: self.clients().join(cgroup.to_string()) }
    }

    /// The interfaces that have a pinned link.
    pub fn linked(&self) -> anyhow::Result<Vec<String>> {
        let mut names = Vec::new();
        let entries = match fs::read_dir(self.links()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
            entries => entries.with_context(|| format!("cannot list {}", self.links().display()))?,
        };
        for entry in entries {
            names.push(entry?.file_name().to_string_lossy().replace("%2e", ".").replace("%25", "%"));
        }
        names.sort();
        Ok(names)
    }

    /// True if an instance is in force below this root.
    pub fn are_there(&self) -> io::Result<bool> {
        self.filter().try_exists()
    }

    /// Checks that the root could be made: that the folder it is to be in is a BPF file system's.
    pub fn check_parent(&self) -> Result<(), Failure> {
        check_file_system(self.root.parent().unwrap_or(Path::new("/")))
    }

    /// Makes the root, of mode 0700, in a BPF file system.
    pub fn make_root(&self) -> Result<(), Failure> {
        if self.root.file_name().is_some_and(|name| name.to_string_lossy().contains('.')) {
            let message = format!("{} has a dot in its name", self.root.display());
            return Err(Failure::new(Code::Invalid, message).hint("a BPF file system takes no dots in names"));
        }
        self.check_parent()?;
        make(&self.root)?;
        self.check()
    }

    /// Checks that the root is a real BPF file system's, ours, and closed to others.
    pub fn check(&self) -> Result<(), Failure> {
        check_file_system(&self.root)?;
        let shown = self.root.display();
        let metadata = fs::symlink_metadata(&self.root).with_context(|| format!("cannot examine {shown}"))?;
        let me = rustix::process::geteuid().as_raw();
        if !metadata.is_dir() || metadata.uid() != me {
            return Err(Failure::new(
                Code::NotPermitted,
                format!("{shown} belongs to the user {}, not to {me}", metadata.uid()),
            )
            .hint("run as its owner, or choose another --pin-root"));
        }
        if metadata.permissions().mode() & 0o077 != 0 {
            return Err(Failure::new(
                Code::NotPermitted,
                format!("{shown} has the mode {:04o}, so that others can reach the filter", metadata.mode() & 0o7777),
            )
            .hint(format!("chmod 0700 {shown}")));
        }
        Ok(())
    }
}

/// Makes a folder of mode 0700, whatever the umask.
pub fn make(folder: &Path) -> anyhow::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(()),
        made => made.with_context(|| format!("cannot make {}", folder.display()))?,
    }
    close(folder, 0o700)
}

/// Takes all from others that the umask may have left them.
pub fn close(path: &Path, mode: u32) -> anyhow::Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
        .with_context(|| format!("cannot set the mode of {}", path.display()))
}

/// Removes a folder and everything in it, if it is there.
pub fn remove(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed.with_context(|| format!("cannot remove {}", folder.display())),
    }
}

fn check_file_system(path: &Path) -> Result<(), Failure> {
    let shown = path.display();
    let mount = || "mount one: mount -t bpf bpf /sys/fs/bpf".to_owned();
    match rustix::fs::statfs(path) {
        Ok(about) if about.f_type.cast_unsigned() == BPF_FS_MAGIC => Ok(()),
        Ok(_) => Err(Failure::new(Code::Failed, format!("{shown} is not in a BPF file system")).hint(mount())),
        Err(rustix::io::Errno::NOENT) => {
            Err(Failure::new(Code::Failed, format!("{shown} does not exist")).hint(mount()))
        }
        Err(rustix::io::Errno::ACCESS) => {
            Err(Failure::new(Code::NotPermitted, format!("{shown} may not be entered")).hint("run as root"))
        }
        Err(errno) => Err(anyhow::Error::new(io::Error::from(errno)).context(format!("cannot examine {shown}")).into()),
    }
}
