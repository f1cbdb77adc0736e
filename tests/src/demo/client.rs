//! A namespace and addresses in; TCP conversations there, and how many segments its kernel sent, out.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    net::{Ipv6Addr, SocketAddr, TcpStream},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

use super::site::PORT;
use crate::net::Namespace;

/// Who is let in gets an answer within this, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(10);
/// Who is not gives up after this: before the kernel sends the SYN again.
const IMPATIENCE: Duration = Duration::from_millis(400);
/// The state TIME-WAIT in /proc/net/tcp6: nothing more is sent.
const TIME_WAIT: &str = "06";

/// Connects to this address, asks, reads the answer, and closes.
pub(super) fn converse(namespace: &Namespace, address: Ipv6Addr) -> Result<()> {
    namespace.enter(|| -> Result<()> {
        let mut stream = TcpStream::connect_timeout(&SocketAddr::from((address, PORT)), PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(b"hello\n")?;
        let mut answer = String::new();
        BufReader::new(stream).read_line(&mut answer)?;
        ensure!(answer == format!("{address} heard: hello\n"), "the server answered {answer:?}");
        Ok(())
    })?
}

/// Tries to connect to all of these at once, and says to how many it could.
pub(super) fn try_all(namespace: &Namespace, addresses: &[Ipv6Addr]) -> Result<usize> {
    let connects =
        |&address: &Ipv6Addr| TcpStream::connect_timeout(&SocketAddr::from((address, PORT)), IMPATIENCE).is_ok();
    // Threads are in the namespace of the thread that makes them.
    namespace.enter(|| {
        thread::scope(|scope| {
            let tries: Vec<_> = addresses.iter().map(|address| scope.spawn(move || connects(address))).collect();
            tries.into_iter().filter_map(|connected| connected.join().ok()).filter(|&connected| connected).count()
        })
    })
}

/// The TCP segments that the kernel sent in this namespace, retransmitted ones too (RFC 4022: tcpOutSegs, which Linux
/// counts as they leave).
pub(super) fn segments_sent(namespace: &Namespace) -> Result<u64> {
    let text = namespace.enter(|| fs::read_to_string("/proc/thread-self/net/snmp"))?;
    let text = text.context("cannot read the counters of TCP")?;
    let mut lines = text.lines().filter_map(|line| line.strip_prefix("Tcp: "));
    let (names, values) = lines.next().zip(lines.next()).context("there are no counters of TCP")?;
    let mut pairs = names.split(' ').zip(values.split(' '));
    let (_, value) = pairs.find(|(name, _)| *name == "OutSegs").context("TCP does not count what it sends")?;
    value.parse().context("OutSegs is no number")
}

/// True if no connection of this namespace will send anything more of its own accord.
pub(super) fn is_quiet(namespace: &Namespace) -> Result<bool> {
    let text = namespace.enter(|| fs::read_to_string("/proc/thread-self/net/tcp6"))?;
    let text = text.context("cannot list the connections")?;
    Ok(text.lines().skip(1).all(|line| line.split_whitespace().nth(3) == Some(TIME_WAIT)))
}
