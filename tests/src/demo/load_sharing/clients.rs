//! Addresses in; clients that talk for as long as they are let, and new ones all the time; what became of them out.

use std::{
    io::{self, BufRead as _, BufReader, Read as _, Write as _},
    net::{Ipv6Addr, SocketAddrV6, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use rustix::net::{
    AddressFamily, SocketFlags, SocketType, bind, connect, socket_with,
    sockopt::{Timeout, set_socket_timeout},
};

use super::{
    server::said,
    site::{CLIENTS, NAMES},
};
use crate::{demo::site::PORT, net::Namespace};

/// Connections that last, and threads that make new ones.
pub(super) const TALKERS: usize = 60;
const NEWCOMERS: usize = 4;
/// Between two lines of one client, and between two clients of one thread.
const TALK_EVERY: Duration = Duration::from_millis(40);
const COME_EVERY: Duration = Duration::from_millis(8);
/// Who hears nothing for so long is cut off, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(10);
/// Words of a line, at most, of 16 octets each: with the header of a tunnel, a line fits into one frame.
const WORDS: usize = 24;

/// A connection that lasts.
#[derive(Clone, Debug)]
pub(super) struct Talk {
    /// The address that it calls.
    pub(super) called: Ipv6Addr,
    /// Who answered first, and so must answer always.
    pub(super) endpoint: Option<&'static str>,
    /// Lines that were answered as they should be.
    pub(super) lines: u64,
}

/// A connection that began, asked once and ended.
#[derive(Clone, Debug)]
pub(super) struct Visit {
    pub(super) called: Ipv6Addr,
    /// The stage when it began.
    pub(super) stage: usize,
    /// Who answered; none, where nobody did.
    pub(super) endpoint: Option<&'static str>,
}

/// All clients. Dropping it lets them go.
pub(super) struct Clients {
    shared: Arc<Shared>,
    talkers: Vec<JoinHandle<()>>,
    newcomers: Vec<JoinHandle<()>>,
}

struct Shared {
    addresses: Vec<Ipv6Addr>,
    next: AtomicUsize,
    stage: AtomicUsize,
    /// The stage of the last visit that each newcomer began; those before are among the visits.
    began: [AtomicUsize; NEWCOMERS],
    hang_up: AtomicBool,
    close: AtomicBool,
    sent: AtomicU64,
    slowest: AtomicU64,
    talks: Mutex<Vec<Talk>>,
    visits: Mutex<Vec<Visit>>,
    faults: Mutex<Vec<String>>,
}

impl Clients {
    /// Lets them come. They call these addresses, one after the other.
    pub(super) fn start(namespace: &Namespace, addresses: Vec<Ipv6Addr>) -> Result<Self> {
        ensure!(addresses.len() > TALKERS, "too few addresses");
        let talk = |called: &Ipv6Addr| Talk { called: *called, endpoint: None, lines: 0 };
        let talks = addresses.iter().take(TALKERS).map(talk).collect();
        let shared = Arc::new(Shared {
            addresses,
            next: TALKERS.into(),
            stage: 0.into(),
            began: Default::default(),
            hang_up: false.into(),
            close: false.into(),
            sent: 0.into(),
            slowest: 0.into(),
            talks: Mutex::new(talks),
            visits: Mutex::default(),
            faults: Mutex::default(),
        });
        // Threads are in the namespace of the thread that makes them.
        let (talkers, newcomers) = namespace.enter(|| {
            let start = |work: fn(&Shared, usize), number| {
                let shared = shared.clone();
                thread::spawn(move || work(&shared, number))
            };
            let talkers: Vec<_> = (0..TALKERS).map(|number| start(Shared::talk, number)).collect();
            let newcomers: Vec<_> = (0..NEWCOMERS).map(|number| start(Shared::come_and_go, number)).collect();
            (talkers, newcomers)
        })?;
        Ok(Self { shared, talkers, newcomers })
    }

    /// A new stage begins.
    pub(super) fn next_stage(&self) {
        self.shared.stage.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether all visits that began before this stage have ended.
    pub(super) fn is_past(&self, stage: usize) -> bool {
        self.newcomers.is_empty() || self.shared.began.iter().all(|began| began.load(Ordering::SeqCst) >= stage)
    }

    /// Whether there are connections that last.
    pub(super) fn are_talking(&self) -> bool {
        !self.talkers.is_empty()
    }

    /// The connections that last, as they are now.
    pub(super) fn talks(&self) -> Vec<Talk> {
        lock(&self.shared.talks).clone()
    }

    /// The connections that have come and gone.
    pub(super) fn visits(&self) -> Vec<Visit> {
        lock(&self.shared.visits).clone()
    }

    /// What clients had to complain of.
    pub(super) fn faults(&self) -> Vec<String> {
        lock(&self.shared.faults).clone()
    }

    /// Octets that clients have sent.
    pub(super) fn sent(&self) -> u64 {
        self.shared.sent.load(Ordering::SeqCst)
    }

    /// The longest that a line had to wait for its answer.
    pub(super) fn slowest(&self) -> Duration {
        Duration::from_micros(self.shared.slowest.load(Ordering::Relaxed))
    }

    /// Those that talk finish their lines and hang up.
    pub(super) fn hang_up(&mut self) {
        self.shared.hang_up.store(true, Ordering::SeqCst);
        self.join(|clients| &mut clients.talkers);
    }

    /// No more come.
    pub(super) fn close(&mut self) {
        self.shared.close.store(true, Ordering::SeqCst);
        self.join(|clients| &mut clients.newcomers);
    }

    fn join(&mut self, which: impl Fn(&mut Self) -> &mut Vec<JoinHandle<()>>) {
        let threads = std::mem::take(which(self));
        let panics = threads.into_iter().filter_map(|thread| thread.join().err()).count();
        if panics > 0 {
            lock(&self.shared.faults).push(format!("{panics} clients panicked"));
        }
    }
}

impl Drop for Clients {
    fn drop(&mut self) {
        // Whoever waits for an answer ends with this process.
        self.shared.hang_up.store(true, Ordering::SeqCst);
        self.shared.close.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    /// One connection, and line after line until it is time to hang up.
    fn talk(&self, number: usize) {
        let called = self.addresses[number];
        let talk = || -> io::Result<()> {
            let mut line = Line::connect(called)?;
            while !self.hang_up.load(Ordering::SeqCst) {
                let endpoint = self.ask(&mut line)?;
                {
                    let talk = &mut lock(&self.talks)[number];
                    talk.lines += 1;
                    if *talk.endpoint.get_or_insert(endpoint) != endpoint {
                        return Err(io::Error::other(format!("{endpoint} answers in the middle of it")));
                    }
                }
                // sleep: a client that thinks before it speaks again.
                thread::sleep(TALK_EVERY);
            }
            line.end()
        };
        if let Err(error) = talk() {
            lock(&self.faults).push(format!("the connection to {called} that was to last: {error:#}"));
        }
    }

    /// One short connection after the other.
    fn come_and_go(&self, number: usize) {
        while !self.close.load(Ordering::SeqCst) {
            let place = self.next.fetch_add(1, Ordering::Relaxed) % self.addresses.len();
            let (called, stage) = (self.addresses[place], self.stage.load(Ordering::SeqCst));
            self.began[number].store(stage, Ordering::SeqCst);
            let visit = || -> io::Result<&'static str> {
                let mut line = Line::connect(called)?;
                let endpoint = self.ask(&mut line)?;
                line.end()?;
                Ok(endpoint)
            };
            let endpoint = visit().inspect_err(|error| {
                lock(&self.faults).push(format!("a new connection to {called}: {error:#}"));
            });
            lock(&self.visits).push(Visit { called, stage, endpoint: endpoint.ok() });
            // sleep: clients come one after the other.
            thread::sleep(COME_EVERY);
        }
    }

    /// Sends a line and hears who answers. An error, where the answer is not what was sent.
    fn ask(&self, line: &mut Line) -> io::Result<&'static str> {
        let start = Instant::now();
        let text = sentence();
        line.stream.get_mut().write_all(text.as_bytes())?;
        self.sent.fetch_add(text.len() as u64, Ordering::SeqCst);
        let mut answer = String::new();
        line.stream.read_line(&mut answer)?;
        let waited = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.slowest.fetch_max(waited, Ordering::Relaxed);
        let right = NAMES.into_iter().find(|name| answer == said(name, &text));
        right.ok_or_else(|| io::Error::other(format!("{} octets answered by {:?}", text.len(), answer.get(..1))))
    }
}

/// A connection.
struct Line {
    stream: BufReader<TcpStream>,
}

impl Line {
    /// Connects from an address of its own.
    fn connect(called: Ipv6Addr) -> io::Result<Self> {
        let own = Ipv6Addr::from_bits(CLIENTS.to_bits() | u128::from(rand::random::<u64>()));
        let socket = socket_with(AddressFamily::INET6, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
        for direction in [Timeout::Send, Timeout::Recv] {
            set_socket_timeout(&socket, direction, Some(PATIENCE))?;
        }
        bind(&socket, &SocketAddrV6::new(own, 0, 0, 0))?;
        connect(&socket, &SocketAddrV6::new(called, PORT, 0, 0))?;
        let stream = TcpStream::from(socket);
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Ends it in good order: the other side has nothing more to say.
    fn end(mut self) -> io::Result<()> {
        self.stream.get_ref().shutdown(std::net::Shutdown::Write)?;
        let mut rest = Vec::new();
        self.stream.read_to_end(&mut rest)?;
        if rest.is_empty() { Ok(()) } else { Err(io::Error::other(format!("{} octets too many", rest.len()))) }
    }
}

/// A line that nobody can guess.
fn sentence() -> String {
    let words = (0..rand::random_range(1..=WORDS)).map(|_| format!("{:016x}", rand::random::<u64>()));
    words.chain(["\n".to_owned()]).collect()
}

/// What one client leaves half done is its own.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
