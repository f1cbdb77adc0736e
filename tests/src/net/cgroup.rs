//! A label in; a cgroup of our own out, which goes away with its handle.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context as _, Result};

use super::{leftovers, wait::wait_until};

/// What the folders' names begin with; process id and counter follow.
pub(super) const NAME: &str = "ssa-test-";
/// How long a process that has ended may still be in its cgroup.
const LONGEST: Duration = Duration::from_secs(5);

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A cgroup of version 2, removed on drop. What runs in it must have ended by then.
#[derive(Debug)]
pub struct ControlGroup(PathBuf);

impl ControlGroup {
    /// Another one.
    ///
    /// # Errors
    /// Where no file system of the type cgroup2 is mounted, or one may not write there.
    pub fn new(label: &str) -> Result<Self> {
        leftovers::remove_once();
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let mount = mount().context("no cgroup2 is mounted: mount one, mount -t cgroup2 cgroup2 /sys/fs/cgroup")?;
        let path = mount.join(format!("{NAME}{}-{number}-{label}", process::id()));
        fs::create_dir(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The command, which goes to this cgroup before it becomes its program.
    pub fn run(&self, command: &Command) -> Command {
        let mut inside = Command::new("sh");
        inside.args(["-c", "echo $$ > \"$0\" && exec \"$@\""]).arg(self.0.join("cgroup.procs"));
        inside.arg(command.get_program()).args(command.get_args());
        inside
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        // A test may have removed it.
        let _ = wait_until("the cgroup to be empty", LONGEST, || fs::remove_dir(&self.0).is_ok() || !self.0.exists());
    }
}

/// Where a file system with cgroups of version 2 is mounted.
pub(super) fn mount() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/mounts").ok()?;
    let of = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (folder, kind) = (words.next()?, words.next()?);
        (kind == "cgroup2").then(|| Path::new(folder).to_owned())
    };
    mounts.lines().find_map(of)
}
