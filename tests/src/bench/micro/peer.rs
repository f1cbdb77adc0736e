//! Features in; the xdp-filter of xdp-tools out, loaded with them on an interface of its own, with one address on its
//! list.
//!
//! xdp-filter lets pass what is not listed and drops what is. It pins its maps at a fixed place, so it has a BPF file
//! system of its own here, which lives as long as a shell that waits.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::Ipv6Addr,
    os::fd::{AsFd as _, OwnedFd},
    process::{ChildStdin, Stdio},
};

use anyhow::{Context as _, Result, bail};
use aya::programs::loaded_programs;
use serde_json::Value;

use crate::net::{Namespace, Running, veth};

const INTERFACE: &str = "filtered0";
const READY: &str = "ready";

/// xdp-filter, in force until dropped.
pub(super) struct XdpFilter {
    /// The program that the interface runs.
    pub(super) program: OwnedFd,
    // In this order: the shell ends when nobody can write to it, and the namespace goes last.
    _input: ChildStdin,
    _shell: Running,
    _namespace: Namespace,
}

impl XdpFilter {
    /// Loads it with these features (`-f`), native, and lists a destination.
    pub(super) fn load(features: &str, listed: Ipv6Addr) -> Result<Self> {
        let namespace = Namespace::new("xdp-filter")?;
        veth((&namespace, INTERFACE), (&namespace, "other0"))?;
        let script = format!(
            "mount -t bpf bpf /sys/fs/bpf && xdp-filter load --mode native --features {features} {INTERFACE} && \
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
        let program = running(&namespace)?;
        Ok(Self { program, _input: input, _shell: shell, _namespace: namespace })
    }
}

/// The program that the interface runs: xdp-filter's own, or a dispatcher that calls it.
fn running(namespace: &Namespace) -> Result<OwnedFd> {
    let said = namespace.ip(&["-json", "link", "show", "dev", INTERFACE])?;
    let links: Value = serde_json::from_str(&said).context("ip does not write JSON")?;
    let id = links[0]["xdp"]["prog"]["id"].as_u64().context("the interface runs no XDP program")?;
    let mut programs = loaded_programs().filter_map(Result::ok);
    let program = programs.find(|program| u64::from(program.id()) == id).context("the interface's program is gone")?;
    Ok(program.fd()?.as_fd().try_clone_to_owned()?)
}
