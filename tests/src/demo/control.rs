//! Questions in; what the real `ssa-ctl` answers, run in the cluster host's namespace with pins of its own, out.

use std::{
    collections::BTreeMap,
    net::Ipv6Addr,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, de::DeserializeOwned};

use crate::net::{Namespace, PinRoot, output_of};

/// The service's name.
pub(super) const SERVICE: &str = "web";

/// The operator at the cluster host. Dropping it takes the filter away.
pub(super) struct Control {
    program: PathBuf,
    pins: PinRoot,
    host: Namespace,
}

/// The service's counters, packets alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) received: u64,
    pub(super) reasons: BTreeMap<String, u64>,
    pub(super) treatments: BTreeMap<String, u64>,
}

impl Control {
    pub(super) fn new(program: PathBuf, host: Namespace, pins: PinRoot) -> Self {
        Self { program, pins, host }
    }

    /// Brings the host to a config, live.
    pub(super) fn apply(&self, config: &Path) -> Result<()> {
        output_of(self.command(&self.host).arg("apply").arg(config)).map(drop)
    }

    /// A key file with a new secret.
    pub(super) fn new_key(&self, file: &Path) -> Result<()> {
        output_of(self.command(&self.host).args(["key", "new"]).arg(file)).map(drop)
    }

    /// The addresses that a client at `from` computes: from the config alone, in its own namespace, not asking the host.
    pub(super) fn addresses(
        &self,
        client: &Namespace,
        from: Ipv6Addr,
        config: &Path,
        count: usize,
    ) -> Result<Vec<Ipv6Addr>> {
        #[derive(Deserialize)]
        struct Answer {
            addresses: Vec<Ipv6Addr>,
        }
        let (from, count) = (from.to_string(), count.to_string());
        let mut command = self.command(client);
        command.args(["--json", "address", SERVICE, "--from", &from, "-n", &count, "--config"]).arg(config);
        Ok(json::<Answer>(&mut command)?.addresses)
    }

    /// What was counted up to now.
    pub(super) fn counted(&self) -> Result<Counted> {
        let mut stats: Stats = json(self.command(&self.host).args(["--json", "stats"]))?;
        let counts = stats.services.remove(SERVICE).context("stats do not know the service")?;
        let packets = |by_name: BTreeMap<String, Packets>| {
            by_name.into_iter().map(|(name, count)| (name, count.packets)).collect::<BTreeMap<_, _>>()
        };
        let received = counts.received.packets;
        let (reasons, treatments) = (packets(counts.reasons), packets(counts.treatments));
        for sum in [&reasons, &treatments].map(|counts| counts.values().sum::<u64>()) {
            ensure!(sum == received, "stats do not add up: {received} received, {sum} counted");
        }
        Ok(Counted { received, reasons, treatments })
    }

    /// What the filter makes of a pair, in its own words. An error where the program and the host's law disagree.
    pub(super) fn explain(&self, source: Ipv6Addr, destination: Ipv6Addr) -> Result<String> {
        output_of(self.command(&self.host).args(["explain", &source.to_string(), &destination.to_string()]))
    }

    /// Takes the filter away and says whether a pin is left.
    pub(super) fn down(&self) -> Result<bool> {
        output_of(self.command(&self.host).arg("down"))?;
        Ok(!self.pins.path().exists())
    }

    /// The answer of a command, for people.
    pub(super) fn say(&self, words: &[&str]) -> Result<String> {
        output_of(self.command(&self.host).args(words))
    }

    /// The answer of a command, as JSON.
    pub(super) fn ask<T: DeserializeOwned>(&self, words: &[&str]) -> Result<T> {
        json(self.command(&self.host).arg("--json").args(words))
    }

    /// What the filter has pinned.
    pub(super) fn pins(&self) -> &Path {
        self.pins.path()
    }

    /// Where it is.
    pub(super) const fn host(&self) -> &Namespace {
        &self.host
    }

    fn command(&self, namespace: &Namespace) -> Command {
        let mut command = namespace.command(&self.program);
        command.arg("--pin-root").arg(self.pins.path()).env_remove("SSA_LOG");
        command
    }
}

impl Counted {
    /// Packets by what became of them.
    pub(super) fn treatment(&self, name: &str) -> u64 {
        self.treatments.get(name).copied().unwrap_or(0)
    }

    /// What was counted since `before`.
    pub(super) fn since(&self, before: &Self) -> Self {
        let each = |now: &BTreeMap<String, u64>, before: &BTreeMap<String, u64>| {
            let old = |name| before.get(name).copied().unwrap_or(0);
            now.iter().map(|(name, count)| (name.clone(), count - old(name))).filter(|(_, count)| *count > 0).collect()
        };
        Self {
            received: self.received - before.received,
            reasons: each(&self.reasons, &before.reasons),
            treatments: each(&self.treatments, &before.treatments),
        }
    }
}

#[derive(Deserialize)]
struct Stats {
    services: BTreeMap<String, Counts>,
}

#[derive(Deserialize)]
struct Counts {
    received: Packets,
    reasons: BTreeMap<String, Packets>,
    treatments: BTreeMap<String, Packets>,
}

#[derive(Deserialize)]
struct Packets {
    packets: u64,
}

fn json<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let said = output_of(command)?;
    serde_json::from_str(&said).with_context(|| format!("ssa-ctl answered {said}"))
}
