//! A namespace in; a TCP server there that answers each line with the address that was called.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{Ipv6Addr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};

use super::site::PORT;
use crate::net::Namespace;

/// No client of ours is silent for so long.
const PATIENCE: Duration = Duration::from_secs(5);

/// Starts it: it ends with this process.
pub(super) fn start(namespace: &Namespace) -> Result<()> {
    let listener = namespace.enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, PORT)))?;
    let listener = listener.context("the server cannot listen")?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that went away has its own way to notice.
            thread::spawn(move || answer(&stream));
        }
    });
    Ok(())
}

fn answer(mut stream: &TcpStream) -> io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let called = stream.local_addr()?.ip();
    for line in BufReader::new(stream).lines() {
        stream.write_all(format!("{called} heard: {}\n", line?).as_bytes())?;
    }
    Ok(())
}
