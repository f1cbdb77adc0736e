//! An interface, features and an address in; the xdp-filter of xdp-tools in force there, with the address on its list, out.
//!
//! It lets pass what is not listed and drops what is. It pins its maps at a fixed place, so it has a BPF file system of its
//! own here, which lives as long as a shell that waits.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::Ipv6Addr,
    process::{ChildStdin, Stdio},
};

use anyhow::{Context as _, Result, bail};

use crate::net::{Namespace, Running};

const READY: &str = "ready";

/// xdp-filter, in force until dropped.
pub(super) struct XdpFilter {
    // In this order: the shell ends when nobody can write to it, and so it does where we are killed.
    _input: ChildStdin,
    _shell: Running,
}

impl XdpFilter {
    /// Loads it with these features (`-f`), native, and lists a destination.
    pub(super) fn load(namespace: &Namespace, interface: &str, features: &str, listed: Ipv6Addr) -> Result<Self> {
        let script = format!(
            "mount -t bpf bpf /sys/fs/bpf && xdp-filter load --mode native --features {features} {interface} && \
             xdp-filter ip --mode dst {listed} && echo {READY} && read -r _"
        );
        let mut command = namespace.command("unshare");
        command.args(["--mount", "--", "sh", "-c", &script]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut shell = Running::start(&mut command)?;
        let input = shell.stdin.take().context("the shell has no input")?;
        let output = shell.stdout.take().context("the shell has no output")?;
        let ready = BufReader::new(output).lines().map_while(Result::ok).any(|line| line == READY);
        if !ready {
            drop(input);
            let mut said = String::new();
            shell.stderr.take().context("the shell has no errors")?.read_to_string(&mut said)?;
            bail!("xdp-filter cannot be loaded: {}", said.trim());
        }
        Ok(Self { _input: input, _shell: shell })
    }
}
