//! A namespace and an interface in; the kernel thread that receives its frames, and the CPU time it took, out.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use rustix::process::Pid;

use super::cores::{Urgent, hurry};
use crate::net::Namespace;

/// The thread that polls an interface (threaded NAPI, Linux 5.12). What a frame costs at its receiver is the CPU time of
/// this thread, whatever else runs on the machine.
#[derive(Debug)]
pub(super) struct Napi(Pid);

impl Napi {
    /// Gives an interface such a thread on this core, which goes before all others there, as an interrupt does. No other
    /// namespace may have an interface of this name: the kernel names the thread after it.
    pub(super) fn start(namespace: &Namespace, interface: &str, core: usize) -> Result<Self> {
        // A veth polls only where GRO or a program wants it to; drivers of hardware do both.
        namespace.run("ethtool", ["-K", interface, "gro", "on"])?;
        // The switch is a file of the namespace's own /sys, which another mount shows.
        let script = "mount -t sysfs sysfs /sys && echo 1 > \"/sys/class/net/$1/threaded\"";
        namespace
            .run("unshare", ["--mount", "sh", "-c", script, "sh", interface])
            .with_context(|| format!("{interface} gets no thread that polls it"))?;
        let napi = Self::find(interface)?;
        hurry(Some(napi.0), core, Urgent::Interrupt)?;
        Ok(napi)
    }

    /// The time it has run, in nanoseconds; exact while it sleeps.
    pub(super) fn run_time(&self) -> Result<u64> {
        let path = format!("/proc/{}/schedstat", self.0);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        let first = text.split_whitespace().next().and_then(|word| word.parse().ok());
        first.with_context(|| format!("{path} begins with no time"))
    }

    /// Its name is the interface's, and a number.
    fn find(interface: &str) -> Result<Self> {
        let name = format!("napi/{interface}-");
        let is_it = |path: &Path| fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.starts_with(&name));
        let processes = fs::read_dir("/proc").context("cannot list the processes")?;
        let path = processes.flatten().map(|entry| entry.path()).find(|path| is_it(path));
        let number = path.and_then(|path| path.file_name()?.to_str()?.parse().ok());
        number.and_then(Pid::from_raw).map(Self).with_context(|| format!("no thread polls {interface}"))
    }
}
