//! Why nobody can listen at an address, in; what to do about it, out.

use std::{io, net::SocketAddr};

use crate::failure::{Code, Failure};

/// A port that cannot be had.
pub(super) fn refused(error: io::Error, address: SocketAddr) -> Failure {
    let denied = error.kind() == io::ErrorKind::PermissionDenied;
    let failure = Failure::from(anyhow::Error::new(error).context(format!("cannot listen at {address}")));
    if denied {
        failure.code(Code::NotPermitted).hint("a port below 1024 takes CAP_NET_BIND_SERVICE")
    } else {
        failure.hint("take an address of this host, and a port that nobody listens at (ss -lntu)")
    }
}
