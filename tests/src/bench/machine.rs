//! Nothing in; what of this machine a figure depends on, out.

use std::{env::consts::ARCH, fs, thread};

use serde::{Deserialize, Serialize};
use ssa_ctl::kernel::version;

/// The machine of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The kernel's release.
    pub kernel: String,
    /// What the first CPU calls itself.
    pub cpu: String,
    /// How many CPUs this process may use.
    pub cpus: usize,
    /// Whether the CPU says that it is a virtual machine's.
    pub virtual_machine: bool,
    /// `net.core.bpf_jit_enable`, and `bpf_jit_harden`: programs as machine code, and made harder to exploit.
    pub jit: [Option<u32>; 2],
}

impl Machine {
    /// This one.
    pub fn this() -> Self {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let value = |name: &str| {
            let mut lines = cpus.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
        };
        Self {
            kernel: version::release(),
            // Not every architecture names it.
            cpu: value("model name").unwrap_or(ARCH).into(),
            cpus: thread::available_parallelism().map_or(1, Into::into),
            virtual_machine: value("flags").is_some_and(|flags| flags.split(' ').any(|flag| flag == "hypervisor")),
            jit: ["bpf_jit_enable", "bpf_jit_harden"].map(setting),
        }
    }

    /// One line for people.
    pub fn words(&self) -> String {
        let Self { kernel, cpu, cpus, virtual_machine, jit } = self;
        let kind = if *virtual_machine { ", virtual machine" } else { "" };
        let jit = match jit {
            [Some(0), _] => ", no JIT",
            [_, Some(1 | 2)] => ", hardened JIT",
            _ => "",
        };
        format!("Linux {kernel}, {cpu}, {cpus} CPUs{kind}{jit}")
    }
}

/// None where one may not ask.
fn setting(name: &str) -> Option<u32> {
    fs::read_to_string(format!("/proc/sys/net/core/{name}")).ok()?.trim().parse().ok()
}
