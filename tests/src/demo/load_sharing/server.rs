//! A namespace and a name in; a TCP server there that says its name with each line that it heard, and counts, out.

use std::{
    io::{self, BufRead as _, BufReader, Write as _},
    net::{Ipv6Addr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use anyhow::{Context as _, Result};

use crate::{demo::site::PORT, net::Namespace};

/// It ends with this process.
#[derive(Clone, Default)]
pub(super) struct Server(Arc<Counts>);

#[derive(Default)]
struct Counts {
    accepted: AtomicU64,
    ended: AtomicU64,
    octets: AtomicU64,
}

impl Server {
    pub(super) fn start(namespace: &Namespace, name: &'static str) -> Result<Self> {
        let server = Self::default();
        let listener = namespace.enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, PORT)))?;
        let listener = listener.with_context(|| format!("the server of {name} cannot listen"))?;
        let counts = server.0.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counts.accepted.fetch_add(1, Ordering::Relaxed);
                let counts = counts.clone();
                thread::spawn(move || {
                    // A client that goes away has its own way to notice.
                    let _ = counts.answer(name, &stream);
                    counts.ended.fetch_add(1, Ordering::Relaxed);
                });
            }
        });
        Ok(server)
    }

    /// Connections that it has now.
    pub(super) fn open(&self) -> u64 {
        // In this order, or one that ends in between would count for less than none.
        let ended = self.0.ended.load(Ordering::Relaxed);
        self.0.accepted.load(Ordering::Relaxed) - ended
    }

    /// Octets that it has heard.
    pub(super) fn octets(&self) -> u64 {
        self.0.octets.load(Ordering::Relaxed)
    }
}

impl Counts {
    fn answer(&self, name: &str, mut stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        while lines.read_line(&mut line)? > 0 {
            self.octets.fetch_add(line.len() as u64, Ordering::Relaxed);
            stream.write_all(said(name, &line).as_bytes())?;
            line.clear();
        }
        Ok(())
    }
}

/// What a server of this name answers.
pub(super) fn said(name: &str, line: &str) -> String {
    format!("{name} heard: {line}")
}
