//! Protocols and addresses in; the sockets that are bound there in this network namespace, whoever's they are, out.

use std::{
    collections::HashMap,
    fs, io,
    net::{Ipv6Addr, SocketAddr, SocketAddrV6},
    os::fd::{AsFd, OwnedFd},
    path::Path,
};

use anyhow::Context as _;
use rustix::{
    io::Errno,
    process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open},
};
use ssa_common::parse::protocol;

use crate::failure::{Code, Failure};

/// `TCP_LISTEN` of the kernel's states of a socket.
const LISTENING: &str = "0A";
/// `TCP_CLOSE`, which is what a datagram socket without a peer is in.
const WITHOUT_PEER: &str = "07";

/// Where a socket is bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Bound {
    /// IP protocol number: TCP or UDP.
    pub protocol: u8,
    /// Address and port.
    pub address: SocketAddrV6,
}

/// The sockets that take connections or datagrams of anybody there. None where there is no such socket.
///
/// # Errors
/// [`Code::NotPermitted`] where there is one, and its process does not let us have it.
pub fn find(wanted: &[Bound]) -> Result<Vec<Option<OwnedFd>>, Failure> {
    let mut inodes: HashMap<u64, usize> = HashMap::new();
    let mut is_bound = vec![false; wanted.len()];
    for (name, of, state) in [("tcp6", protocol::TCP, LISTENING), ("udp6", protocol::UDP, WITHOUT_PEER)] {
        for (address, inode) in table(name, state)? {
            let place = wanted.iter().position(|bound| *bound == Bound { protocol: of, address });
            if let Some(place) = place {
                is_bound[place] = true;
                inodes.insert(inode, place);
            }
        }
    }
    let mut found: Vec<Option<OwnedFd>> = wanted.iter().map(|_| None).collect();
    let mut refused = None;
    if !inodes.is_empty() {
        take(&inodes, wanted, &mut found, &mut refused)?;
    }
    for (place, bound) in wanted.iter().enumerate() {
        if is_bound[place] && found[place].is_none() {
            return Err(not_had(bound, refused));
        }
    }
    Ok(found)
}

fn not_had(bound: &Bound, refused: Option<Errno>) -> Failure {
    let what = format!("cannot take the socket that is bound to {}", bound.address);
    match refused {
        Some(errno) => Failure::from(anyhow::Error::new(io::Error::from(errno)).context(what))
            .code(Code::NotPermitted)
            .hint("to take a socket of another user's process needs CAP_SYS_PTRACE"),
        None => Failure::new(Code::Failed, format!("{what}: no process that is to be seen here has it")),
    }
}

/// The sockets of one protocol in this state: where they are bound, and their inodes.
fn table(name: &str, state: &str) -> anyhow::Result<Vec<(SocketAddrV6, u64)>> {
    let path = format!("/proc/thread-self/net/{name}");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    Ok(text.lines().skip(1).filter_map(|line| entry(line, state)).collect())
}

/// A line of the table: number, local address, remote address, state, and as the tenth word the inode.
fn entry(line: &str, state: &str) -> Option<(SocketAddrV6, u64)> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (address, port) = words.get(1)?.split_once(':')?;
    if *words.get(3)? != state || address.len() != 32 {
        return None;
    }
    // Four words, each printed as a number of this host.
    let mut octets = [0; 16];
    for (to, from) in octets.chunks_mut(4).zip([0, 8, 16, 24]) {
        to.copy_from_slice(&u32::from_str_radix(address.get(from..from + 8)?, 16).ok()?.to_ne_bytes());
    }
    let port = u16::from_str_radix(port, 16).ok()?;
    Some((SocketAddrV6::new(Ipv6Addr::from_octets(octets), port, 0, 0), words.get(9)?.parse().ok()?))
}

/// Takes copies of the sockets with these inodes from the processes that have them.
fn take(
    inodes: &HashMap<u64, usize>,
    wanted: &[Bound],
    found: &mut [Option<OwnedFd>],
    refused: &mut Option<Errno>,
) -> anyhow::Result<()> {
    for entry in fs::read_dir("/proc").context("cannot list the processes")? {
        let path = entry.context("cannot list the processes")?.path();
        let Some(pid) = path.file_name().and_then(|name| name.to_str()?.parse().ok()).and_then(Pid::from_raw) else {
            continue;
        };
        match descriptors(&path, inodes) {
            Ok(held) => {
                for (descriptor, place) in held {
                    match copy(pid, descriptor) {
                        Ok(socket) if is_bound_to(&socket, &wanted[place]) => found[place] = Some(socket),
                        Err(errno @ (Errno::PERM | Errno::ACCESS)) => *refused = Some(errno),
                        // The process, or its socket, has gone; the number may be another file's by now.
                        Ok(_) | Err(_) => {}
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => *refused = Some(Errno::ACCESS),
            // The process has gone.
            Err(_) => {}
        }
    }
    Ok(())
}

/// The descriptors of a process that are wanted sockets, with the places of those.
fn descriptors(process: &Path, inodes: &HashMap<u64, usize>) -> io::Result<Vec<(i32, usize)>> {
    let mut held = Vec::new();
    for entry in fs::read_dir(process.join("fd"))? {
        let path = entry?.path();
        let link = match fs::read_link(&path) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
            // It has been closed meanwhile.
            Err(_) => continue,
            Ok(link) => link,
        };
        let inode = link.to_str().and_then(|link| link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok());
        let descriptor = path.file_name().and_then(|name| name.to_str()?.parse().ok());
        if let (Some(inode), Some(descriptor)) = (inode, descriptor)
            && let Some(place) = inodes.get(&inode)
        {
            held.push((descriptor, *place));
        }
    }
    Ok(held)
}

fn copy(pid: Pid, descriptor: i32) -> rustix::io::Result<OwnedFd> {
    pidfd_getfd(pidfd_open(pid, PidfdFlags::empty())?, descriptor, PidfdGetfdFlags::empty())
}

fn is_bound_to(socket: impl AsFd, bound: &Bound) -> bool {
    let address = rustix::net::getsockname(socket).ok().and_then(|address| SocketAddr::try_from(address).ok());
    address.is_some_and(|address| {
        (address.ip(), address.port()) == (bound.address.ip().to_owned().into(), bound.address.port())
    })
}

/// The number that a socket has for as long as the host runs.
pub fn cookie(socket: impl AsFd) -> io::Result<u64> {
    Ok(rustix::net::sockopt::socket_cookie(socket)?)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use super::*;

    #[test]
    fn only_sockets_that_anybody_may_call_are_found() {
        let listener = TcpListener::bind("[::1]:0").unwrap();
        let datagrams = UdpSocket::bind("[::1]:0").unwrap();
        let connected = UdpSocket::bind("[::1]:0").unwrap();
        connected.connect(datagrams.local_addr().unwrap()).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let wanted = [
            (protocol::TCP, listener.local_addr()),
            (protocol::UDP, datagrams.local_addr()),
            (protocol::UDP, connected.local_addr()),
            (protocol::TCP, stream.local_addr()),
        ];
        let wanted = wanted.map(|(protocol, address)| match address.unwrap() {
            SocketAddr::V6(address) => Bound { protocol, address },
            SocketAddr::V4(_) => unreachable!("it was bound to ::1"),
        });
        let found = find(&wanted).unwrap();
        let found: Vec<_> = found.iter().map(|socket| socket.as_ref().map(|socket| cookie(socket).unwrap())).collect();
        assert_eq!(found, [Some(cookie(&listener).unwrap()), Some(cookie(&datagrams).unwrap()), None, None]);
    }

    #[test]
    fn a_line_of_the_table_is_read() {
        let octets = "2001:db8::1".parse::<Ipv6Addr>().unwrap().octets();
        let words = octets.chunks(4).map(|word| format!("{:08X}", u32::from_ne_bytes(word.try_into().unwrap())));
        let address: String = words.collect();
        let line = format!("  0: {address}:01BB {:032}:0000 0A 0:0 0:0 0 0 0 4711 1 0 100 0 0 10 0", 0);
        assert_eq!(entry(&line, LISTENING), Some(("[2001:db8::1]:443".parse().unwrap(), 4711)));
        assert_eq!(entry(&line, WITHOUT_PEER), None);
        assert_eq!(entry("", LISTENING), None);
    }
}
