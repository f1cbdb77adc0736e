//! A label in; a network namespace of our own out, which goes away with its handle.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    os::fd::AsFd as _,
    path::{Path, PathBuf},
    process::{self, Command},
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

use anyhow::{Context as _, Result, anyhow};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::{leftovers, process::output_of};

/// Where `ip netns` keeps the names.
pub(super) const NAMES: &str = "/run/netns";

/// What every interface of a namespace begins with: an address may be used at once, and nobody hands out routes.
const SETTINGS: [(&str, &str); 4] =
    [("accept_dad", "0"), ("dad_transmits", "0"), ("accept_ra", "0"), ("router_solicitations", "0")];

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// A network namespace, deleted on drop. What still runs in it keeps it alive without a name.
#[derive(Debug)]
pub struct Namespace {
    name: String,
}

impl Namespace {
    /// Makes one named `ssa-PID-COUNTER-LABEL`: loopback up, no duplicate address detection, no router advertisements.
    pub fn new(label: &str) -> Result<Self> {
        leftovers::remove_once();
        let name = format!("ssa-{}-{}-{label}", process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
        let added = output_of(Command::new("ip").args(["netns", "add", &name]));
        added.context("a network namespace cannot be made, for which one must be root")?;
        // From here on, dropping deletes it.
        let namespace = Self { name };
        namespace.enter(settle)?.with_context(|| format!("{} cannot be set up", namespace.name))?;
        namespace.ip(&["link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    /// Its name, as `ip netns` knows it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that stands for it.
    pub fn path(&self) -> PathBuf {
        Path::new(NAMES).join(&self.name)
    }

    /// A command that runs in it. `nsenter` and not `ip netns exec`, which mounts another /sys and hides the pins.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut net = OsStr::new("--net=").to_owned();
        net.push(self.path());
        let mut command = Command::new("nsenter");
        command.arg(net).arg("--").arg(program);
        command
    }

    /// Runs a program in it and gives its standard output.
    ///
    /// # Errors
    /// Where it cannot be run or fails; the error has its standard error.
    pub fn run<A: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<String> {
        output_of(self.command(program).args(arguments))
    }

    /// `ip` in it.
    pub fn ip(&self, arguments: &[&str]) -> Result<String> {
        self.run("ip", arguments)
    }

    /// The `ssa-ctl` of this workspace in it, with these pins.
    pub fn ssa_ctl(&self, pin_root: impl AsRef<Path>) -> Command {
        let mut command = self.command(crate::ssa_ctl_path());
        command.arg("--pin-root").arg(pin_root.as_ref()).env_remove("SSA_LOG");
        command
    }

    /// Runs a closure in a thread of its own in this namespace: sockets made there stay there.
    ///
    /// # Errors
    /// Where the namespace cannot be entered. A panic of the closure goes on.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let file = File::open(self.path()).with_context(|| format!("cannot open {}", self.path().display()))?;
        let entered = move || -> io::Result<T> {
            move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network))?;
            Ok(work())
        };
        let result = thread::scope(|scope| scope.spawn(entered).join());
        let result = result.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        result.map_err(|error| anyhow!(error).context(format!("cannot enter {}", self.name)))
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The next process tries again.
        let _ = output_of(Command::new("ip").args(["netns", "del", &self.name]));
    }
}

/// Writes the settings: below /proc/sys/net a thread sees its own namespace's.
fn settle() -> Result<()> {
    for (setting, value) in SETTINGS {
        for interface in ["all", "default"] {
            let path = format!("/proc/sys/net/ipv6/conf/{interface}/{setting}");
            fs::write(&path, value).with_context(|| format!("cannot write {path}"))?;
        }
    }
    Ok(())
}
