//! The programs of somebody else's that sections need in; nothing, or an error that says what to install, out.

use std::{
    ffi::OsStr,
    io::ErrorKind,
    process::{Command, Stdio},
};

use anyhow::{Result, ensure};

/// A program, and Debian's package of it.
pub(super) type Peer = (&'static str, &'static str);

/// Namespaces with links.
pub(super) const IP: Peer = ("ip", "iproute2");
/// What runs in a namespace.
pub(super) const NSENTER: Peer = ("nsenter", "util-linux");
/// What has mounts of its own.
pub(super) const UNSHARE: Peer = ("unshare", "util-linux");
/// What goes before all else on a core.
pub(super) const CHRT: Peer = ("chrt", "util-linux");
/// What a driver does, and has counted.
pub(super) const ETHTOOL: Peer = ("ethtool", "ethtool");
/// What is compared with.
pub(super) const TC: Peer = ("tc", "iproute2");
pub(super) const NFT: Peer = ("nft", "nftables");
pub(super) const XDP_FILTER: Peer = ("xdp-filter", "xdp-tools");

/// A peer that is not there is an error: a table without it would say less than it seems to. All that are missing are
/// named.
pub(super) fn require(peers: impl IntoIterator<Item = Peer>) -> Result<()> {
    let missing = peers.into_iter().filter(|(program, _)| !is_there(program));
    let missing: Vec<_> = missing.map(|(program, package)| format!("{program} (Debian's package {package})")).collect();
    ensure!(missing.is_empty(), "the bench needs programs that are not installed: {}", missing.join(", "));
    Ok(())
}

/// Whether a program can be run.
pub(super) fn is_there(program: impl AsRef<OsStr>) -> bool {
    let ran = Command::new(program).arg("--version").stdin(Stdio::null()).output();
    !ran.is_err_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied))
}

#[cfg(test)]
mod tests {
    use super::require;

    #[test]
    fn all_that_is_missing_is_named() {
        let said = require([("no-such", "one"), ("true", "coreutils"), ("nor-this", "other")]).unwrap_err().to_string();
        assert!(
            said.ends_with("not installed: no-such (Debian's package one), nor-this (Debian's package other)"),
            "{said}"
        );
    }
}
