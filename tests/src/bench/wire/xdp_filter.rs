//! A lane in; xdp-filter (of xdp-tools) in force there, with one address to drop, out.

use std::{
    io::{BufRead as _, BufReader},
    net::Ipv6Addr,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use super::lane::Lane;
use crate::net::{Running, output_of};

/// It pins what it needs in the BPF file system, under names without a namespace: it gets one that nobody else sees.
const MOUNTS: &str = "mount -t bpf bpf /sys/fs/bpf && echo ready && exec cat";

/// Its BPF file system lasts as long as this.
pub(super) struct XdpFilter {
    holder: Running,
}

impl XdpFilter {
    /// Attaches it in native mode, with what IPv6 needs alone, and lists an address.
    pub(super) fn load(lane: &Lane, listed: Ipv6Addr) -> Result<Self> {
        let mut command = lane.namespace.command("unshare");
        // It ends with the pipe, should we be killed.
        command.args(["--mount", "sh", "-c", MOUNTS]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut holder = Running::start(&mut command)?;
        let mut said = String::new();
        let output = holder.stdout.take().context("there is no pipe from the shell")?;
        BufReader::new(output).read_line(&mut said).context("the shell says nothing")?;
        ensure!(said == "ready\n", "xdp-filter gets no BPF file system of its own");
        let filter = Self { holder };
        filter.run(lane, &["load", "--mode", "native", "--features", "ipv6", &lane.name])?;
        filter.run(lane, &["ip", "--mode", "dst", &listed.to_string()])?;
        Ok(filter)
    }

    fn run(&self, lane: &Lane, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("nsenter");
        command.arg(format!("--mount=/proc/{}/ns/mnt", self.holder.id()));
        command.arg(format!("--net={}", lane.namespace.path().display()));
        output_of(command.args(["--", "xdp-filter"]).args(arguments))
    }
}
