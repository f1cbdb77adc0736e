//! A socket in; the same, whose port is chosen when it connects and not when it is bound to an address.

use std::os::fd::AsFd;

use nix::{
    libc,
    sys::socket::{SetSockOpt as _, sockopt},
};

/// The option `IP_BIND_ADDRESS_NO_PORT`, which sockets of IPv6 have at the level of IPv4.
#[derive(Clone)]
struct Late;

nix::setsockopt_impl!(Late, libc::IPPROTO_IP, libc::IP_BIND_ADDRESS_NO_PORT, bool, sockopt::SetBool);

/// Lets the kernel choose the port when it knows the destination: then one port serves a connection to each of many.
pub(super) fn choose_late(socket: &impl AsFd) {
    // Where it will not, in a sandbox say, there are fewer connections and none that fails for it.
    let _ = Late.set(socket, &true);
}
