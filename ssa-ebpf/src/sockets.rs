//! The ends of a connection in; whether this host has it out.

use aya_ebpf::{
    bindings::{bpf_sock_tuple, bpf_sock_tuple__bindgen_ty_1, bpf_sock_tuple__bindgen_ty_1__bindgen_ty_2},
    helpers::generated::{bpf_sk_lookup_udp, bpf_sk_release, bpf_skc_lookup_tcp},
};
use ssa_common::{bits::Words, judge::Ends, parse::protocol};

use crate::packet::Packet;

/// `BPF_F_CURRENT_NETNS`: the network namespace of the interface.
const THIS_NAMESPACE: u64 = u64::MAX;
/// `BPF_TCP_LISTEN`.
const LISTENS: u32 = 10;
/// `BPF_TCP_ESTABLISHED`, which UDP sockets have too.
const CONNECTED: u32 = 1;
/// Octets of the ends in IPv6.
const OCTETS: u32 = size_of::<bpf_sock_tuple__bindgen_ty_1__bindgen_ty_2>() as u32;

/// Whether this host has the connection, or a socket that is connected to the other end.
#[inline(always)]
pub fn has<const FAR: bool>(packet: &Packet<FAR>, network: u32, ends: &Ends) -> bool {
    if ends.protocol == protocol::UDP { is_connected(packet, ends) } else { has_connection(packet, network, ends) }
}

/// Whether this host has the TCP connection: a socket of it, or one that is about to be. A listener that has answered with
/// a cookie, and kept nothing, is asked whether the segment brings it back.
#[inline(always)]
pub fn has_connection<const FAR: bool>(packet: &Packet<FAR>, network: u32, ends: &Ends) -> bool {
    let mut tuple = tuple(ends);
    // SAFETY: the context is the one the kernel gave, and the tuple has as many octets.
    let socket = unsafe { bpf_skc_lookup_tcp(packet.raw().cast(), &raw mut tuple, OCTETS, THIS_NAMESPACE, 0) };
    if socket.is_null() {
        return false;
    }
    // SAFETY: the kernel lent the socket, and takes it back with the release.
    unsafe {
        let has = match ends.segment {
            _ if (*socket).state != LISTENS => true,
            Some(segment) => packet.brings_cookie(socket.cast(), network, segment),
            None => false,
        };
        bpf_sk_release(socket.cast());
        has
    }
}

/// Whether a UDP socket of this host is connected to the other end. One that is not takes datagrams from everybody.
#[inline(always)]
fn is_connected<const FAR: bool>(packet: &Packet<FAR>, ends: &Ends) -> bool {
    let mut tuple = tuple(ends);
    // SAFETY: the context is the one the kernel gave, and the tuple has as many octets.
    let socket = unsafe { bpf_sk_lookup_udp(packet.raw().cast(), &raw mut tuple, OCTETS, THIS_NAMESPACE, 0) };
    if socket.is_null() {
        return false;
    }
    // SAFETY: the kernel lent the socket, and takes it back with the release.
    unsafe {
        let is_connected = (*socket).state == CONNECTED;
        bpf_sk_release(socket.cast());
        is_connected
    }
}

#[inline(always)]
fn tuple(ends: &Ends) -> bpf_sock_tuple {
    let ipv6 = bpf_sock_tuple__bindgen_ty_1__bindgen_ty_2 {
        saddr: quarters(ends.remote),
        daddr: quarters(ends.local),
        sport: ends.remote_port.to_be(),
        dport: ends.local_port.to_be(),
    };
    bpf_sock_tuple { __bindgen_anon_1: bpf_sock_tuple__bindgen_ty_1 { ipv6 } }
}

/// The octets of an address, as the kernel wants them.
#[inline(always)]
pub fn quarters(address: Words) -> [u32; 4] {
    let quarter = |word: u64, shift| ((word >> shift) as u32).to_be();
    [quarter(address.hi, 32), quarter(address.hi, 0), quarter(address.lo, 32), quarter(address.lo, 0)]
}
