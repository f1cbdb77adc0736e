//! A rule in; our filter in force in a namespace, by `ssa-ctl` and with pins of its own, out.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};
use serde_json::Value;
use tempfile::TempDir;

use crate::net::{Namespace, PinRoot, output_of, scratch};

/// The service's name.
const SERVICE: &str = "web";

/// One service before one interface. Dropping it takes the filter away.
pub(super) struct Filter {
    ssa_ctl: PathBuf,
    pins: PinRoot,
    folder: TempDir,
}

impl Filter {
    /// Writes the config; nothing is in force yet.
    pub(super) fn new(ssa_ctl: &Path, interface: &str, prefix: &str, rule: &str) -> Result<Self> {
        Self::with(ssa_ctl, interface, prefix, rule, "")
    }

    /// The same with more lines for the service, and behind them tables of the host.
    pub(super) fn with(ssa_ctl: &Path, interface: &str, prefix: &str, rule: &str, more: &str) -> Result<Self> {
        let folder = scratch().context("no folder for the config")?;
        let filter = Self { ssa_ctl: ssa_ctl.into(), pins: PinRoot::new(), folder };
        let mut config = format!(
            "version = 1\n\n[host]\ninterfaces = [\"{interface}\"]\nmode = \"native\"\n\n[[service]]\n\
             name = \"{SERVICE}\"\nprefixes = [\"{prefix}\"]\nrule = \"{rule}\"\n{more}"
        );
        if rule.contains("key=k1") {
            let key = filter.folder.path().join("k1.key");
            output_of(Command::new(&filter.ssa_ctl).args(["key", "new"]).arg(&key))?;
            config += "\n[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"k1.key\"\n";
        }
        fs::write(filter.config(), config).context("the config cannot be written")?;
        Ok(filter)
    }

    /// Brings it in force.
    pub(super) fn apply(&self, host: &Namespace) -> Result<()> {
        output_of(self.command(host).arg("apply").arg(self.config())).map(drop)
    }

    /// Takes it away.
    pub(super) fn down(&self, host: &Namespace) -> Result<()> {
        output_of(self.command(host).arg("down")).map(drop)
    }

    /// Packets of the service that were dropped.
    pub(super) fn dropped(&self, host: &Namespace) -> Result<u64> {
        self.packets(host, ["treatments", "drop"])
    }

    /// Packets of the service by a reason or a treatment.
    pub(super) fn packets(&self, host: &Namespace, [kind, name]: [&str; 2]) -> Result<u64> {
        let said = output_of(self.command(host).args(["--json", "stats"]))?;
        let stats: Value = serde_json::from_str(&said).with_context(|| format!("ssa-ctl answered {said}"))?;
        let packets = &stats["services"][SERVICE][kind][name]["packets"];
        packets.as_u64().with_context(|| format!("stats do not count {name} of {kind}: {said}"))
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    fn command(&self, host: &Namespace) -> Command {
        let mut command = host.command(&self.ssa_ctl);
        command.arg("--pin-root").arg(self.pins.path()).env_remove("SSA_LOG");
        command
    }
}
