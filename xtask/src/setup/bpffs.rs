//! In: the table of mounts. Out: bpffs is at its usual place, or a line says how to put it there.

use std::fs;

use anyhow::{Context as _, Result};
use xshell::{Shell, cmd};

use crate::progress::Progress;

const PLACE: &str = "/sys/fs/bpf";

/// Mounts bpffs where it is not. Building goes without, so that a user who is not root is only told.
pub(crate) fn ensure(sh: &Shell, progress: &Progress) -> Result<()> {
    let mounts = fs::read_to_string("/proc/self/mountinfo").context("cannot read the table of mounts")?;
    if is_mounted(&mounts) {
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() {
        progress.say(&format!("bpffs is not mounted, which running needs: sudo mount -t bpf bpf {PLACE}"));
        return Ok(());
    }
    progress
        .step(&format!("mounting bpffs at {PLACE}"), cmd!(sh, "mount -t bpf bpf {PLACE}"))
        .context("bpffs cannot be mounted: a container needs the capability, or the host's own mount")
}

/// Fields of a line: four numbers and roots, the mount point, options, ` - `, the type (proc(5)).
fn is_mounted(mountinfo: &str) -> bool {
    mountinfo.lines().any(|line| line.split(' ').nth(4) == Some(PLACE) && line.contains(" - bpf "))
}

#[cfg(test)]
mod tests {
    use super::is_mounted;

    #[test]
    fn only_bpffs_at_its_place_counts() {
        assert!(is_mounted("40 25 0:35 / /sys/fs/bpf rw,relatime - bpf bpf rw\n"));
        assert!(!is_mounted("40 25 0:35 / /sys/fs/bpf rw,relatime - tmpfs bpf rw\n"));
        assert!(!is_mounted("40 25 0:35 / /mnt/bpf rw,relatime - bpf bpf rw\n"));
    }
}
