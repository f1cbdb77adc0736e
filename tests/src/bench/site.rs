//! A number of services in; a host with an interface to filter, configs of them, and `ssa-ctl` there, out.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use ssa_ctl::config::{self, Checked, Source};
use tempfile::TempDir;

use super::Context;
use crate::net::{Namespace, PinRoot, scratch, veth};

/// The interface that is filtered.
const INTERFACE: &str = "aa0";

/// A config of services with one prefix each, whose clients hash so many bits of their address.
pub fn text(services: usize, source_bits: u8) -> String {
    let mut text = format!("version = 1\n[host]\ninterfaces = [\"{INTERFACE}\"]\n");
    for number in 0..services {
        let prefix = format!("2001:db8:{number:x}::/64");
        let service = format!("[[service]]\nname = \"s{number}\"\nprefixes = [\"{prefix}\"]\n");
        writeln!(text, "{service}rule = \"hash({source_bits}):64\"").expect("a text grows");
    }
    text
}

/// A config of services with so many slices of two endpoints each, counted or not.
pub fn sliced(services: usize, slice_bits: u8, counted: bool) -> String {
    let mut text = text(services, 48);
    let lines = format!("slice_bits = {slice_bits}\nslice_counters = {counted}\nrule");
    text = text.replace("rule", &lines);
    for (name, last) in [("a", 0xa), ("b", 0xb)] {
        writeln!(text, "[[endpoint]]\nname = \"{name}\"\naddress = \"fd00:db8::{last:x}\"").expect("a text grows");
    }
    text
}

/// A config, read.
pub fn checked(text: String) -> Result<Checked> {
    config::parse(Source { path: "bench.toml".into(), text }).map_err(|faults| anyhow::anyhow!("{faults:?}"))
}

/// A host in a namespace, with a pin root of its own.
pub struct Site {
    namespace: Namespace,
    // The other end of the link.
    _peer: Namespace,
    pins: PinRoot,
    folder: TempDir,
    ssa_ctl: PathBuf,
}

impl Site {
    /// A host with nothing loaded.
    pub fn new(context: &Context) -> Result<Self> {
        let (namespace, peer) = (Namespace::new("bench")?, Namespace::new("bench-peer")?);
        veth((&namespace, INTERFACE), (&peer, "bb0"))?;
        Ok(Self {
            namespace,
            _peer: peer,
            pins: PinRoot::new(),
            folder: scratch().context("no folder for configs")?,
            ssa_ctl: context.ssa_ctl.clone(),
        })
    }

    /// Where the pins are.
    pub fn pins(&self) -> &Path {
        self.pins.path()
    }

    /// A config file.
    pub fn file(&self, name: &str, text: &str) -> Result<String> {
        let path = self.folder.path().join(name);
        fs::write(&path, text)?;
        Ok(path.to_str().context("a folder with a name in UTF-8")?.to_owned())
    }

    /// Does something in the host's namespace. What is started there stays there, with no `nsenter` in between.
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        self.namespace.enter(work)
    }

    /// A run of `ssa-ctl`, to be started within [`Self::enter`].
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.ssa_ctl);
        command.args(["--json", "--pin-root"]).arg(self.pins()).args(arguments);
        command.env_remove("SSA_LOG").stdin(Stdio::null());
        command
    }

    /// Runs `ssa-ctl` there; what it prints.
    pub fn said(&self, arguments: &[&str]) -> Result<Value> {
        let output = self.enter(|| self.command(arguments).output())?.context("cannot run ssa-ctl")?;
        let said = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.success(), "ssa-ctl {} ended with {}: {said}", arguments.join(" "), output.status);
        serde_json::from_str(&said).context("ssa-ctl does not write JSON")
    }
}
