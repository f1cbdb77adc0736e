//! The capabilities that loading and attaching take, and which of them is missing.

use rustix::thread::{CapabilitySet, capabilities};

use crate::failure::{Code, Failure};

/// What is needed, with what for.
const NEEDED: [(CapabilitySet, &str, &str); 3] = [
    (CapabilitySet::BPF, "CAP_BPF", "load programs and open maps"),
    (CapabilitySet::NET_ADMIN, "CAP_NET_ADMIN", "attach to interfaces"),
    (CapabilitySet::PERFMON, "CAP_PERFMON", "load programs that use pointers"),
];

/// The capabilities that are missing, with what each is needed for. `CAP_SYS_ADMIN` stands for all.
pub fn missing() -> Vec<(&'static str, &'static str)> {
    let Ok(sets) = capabilities(None) else { return Vec::new() };
    let has = |needed: CapabilitySet| sets.effective.contains(needed);
    let needed = NEEDED.into_iter().filter(|(capability, ..)| !has(*capability));
    needed
        .filter(|(capability, ..)| *capability == CapabilitySet::NET_ADMIN || !has(CapabilitySet::SYS_ADMIN))
        .map(|(_, name, purpose)| (name, purpose))
        .collect()
}

/// Refuses where a capability is missing.
pub fn check() -> Result<(), Failure> {
    refuse(&missing())
}

/// Refuses where maps cannot be opened.
pub fn check_maps() -> Result<(), Failure> {
    let missing: Vec<_> = missing().into_iter().filter(|(name, _)| *name == "CAP_BPF").collect();
    refuse(&missing).map_err(|failure| failure.hint("run as root, or grant CAP_BPF: opening maps takes no more"))
}

fn refuse(missing: &[(&'static str, &'static str)]) -> Result<(), Failure> {
    let Some((_, purpose)) = missing.first() else { return Ok(()) };
    let names = missing.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    Err(Failure::new(Code::NotPermitted, format!("{names} is missing: needed to {purpose}"))
        .hint("run as root, or grant CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON"))
}
