//! Connections in; requests and answers on all of them for a while, and how long each took, out.

use std::{
    hint::black_box,
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    sync::Barrier,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};

use super::site::Site;
use crate::bench::cores::{Urgent, hurry};

/// Clients, each with one request on its way.
const CLIENTS: usize = 4;
/// Octets of a request, and of its answer.
const REQUEST: usize = 64;
const ANSWER: usize = 512;
/// Computed for each answer: more than sending it costs. So it is the host that is busy, and not the client.
const COMPUTED: Duration = Duration::from_micros(20);
/// Not counted: the first requests.
const WARM_UP: Duration = Duration::from_millis(200);
/// A server hears from its client that it is over, or it gives up so much later: a flood may have taken that too.
const LINGER: Duration = Duration::from_millis(300);

/// What the clients saw.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Answers in a second.
    pub(super) rate: f64,
    /// Half of the answers took no longer, in microseconds.
    pub(super) p50: f64,
    /// 99 of 100 took no longer.
    pub(super) p99: f64,
}

/// Connections that were made while the wire was quiet.
pub(super) struct Talk<'a> {
    site: &'a Site,
    connections: Vec<[TcpStream; 2]>,
}

impl<'a> Talk<'a> {
    pub(super) fn open(site: &'a Site) -> Result<Self> {
        let connections = (0..CLIENTS).map(|_| site.connect()).collect::<Result<_>>()?;
        Ok(Self { site, connections })
    }

    /// Asks and answers on all connections.
    pub(super) fn go_on_for(self, duration: Duration) -> Result<Seen> {
        let ([near, far], steps) = (self.site.cores, self.site.steps);
        let ready = &Barrier::new(self.connections.len() * 2 + 1);
        let asked: Vec<Asked> = thread::scope(|scope| {
            let mut clients = vec![];
            for [ours, theirs] in self.connections {
                scope.spawn(move || prepared(far, ready, || serve(theirs, duration, steps)));
                clients.push(scope.spawn(move || prepared(near, ready, || ask(ours, duration))));
            }
            ready.wait();
            let asked = clients.into_iter().map(|client| client.join().expect("a client does not panic"));
            asked.collect::<Result<_>>()
        })?;
        seen(asked.into_iter().flatten().collect(), duration)
    }
}

/// What is done once everybody is ready to begin.
fn prepared<T>(core: usize, ready: &Barrier, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let hurried = hurry(None, core, Urgent::Talk);
    // Whoever fails lets the others begin.
    ready.wait();
    hurried?;
    work()
}

/// When requests ended, counted from the end of the warm-up, and how long they took.
type Asked = Vec<(Duration, Duration)>;

fn ask(mut stream: TcpStream, duration: Duration) -> Result<Asked> {
    let from = Instant::now() + WARM_UP;
    let until = from + duration;
    let mut asked = vec![];
    let mut answer = [0; ANSWER];
    loop {
        let begun = Instant::now();
        if begun >= until {
            return Ok(asked);
        }
        stream.write_all(&[0x5a; REQUEST])?;
        let answered = read(&mut stream, &mut answer, until)?;
        let now = Instant::now();
        ensure!(answered || now >= until, "the server has hung up");
        if let Some(end) = now.checked_duration_since(from) {
            asked.push((end, now - begun));
        }
    }
}

/// Answers until nobody asks.
fn serve(mut stream: TcpStream, duration: Duration, steps: u32) -> Result<()> {
    let until = Instant::now() + WARM_UP + duration + LINGER;
    let mut request = [0; REQUEST];
    while read(&mut stream, &mut request, until)? {
        compute(steps);
        stream.write_all(&[0xa5; ANSWER])?;
    }
    Ok(())
}

/// Fills the buffer. False where the other end hung up, or nothing came until it was too late: a flood may take it all.
fn read(stream: &mut TcpStream, mut buffer: &mut [u8], until: Instant) -> Result<bool> {
    while !buffer.is_empty() {
        match stream.read(buffer) {
            Ok(0) => return Ok(false),
            Ok(length) => buffer = &mut buffer[length..],
            // Nothing came for a while.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if Instant::now() >= until {
                    return Ok(false);
                }
            }
            Err(error) => return Err(error).context("a connection is broken"),
        }
    }
    Ok(true)
}

/// An answer that came too late, or never, counts for the times and not for the rate.
#[expect(clippy::cast_precision_loss, reason = "there are some ten thousand answers")]
fn seen(asked: Asked, duration: Duration) -> Result<Seen> {
    ensure!(!asked.is_empty(), "there is no client");
    let answered = asked.iter().filter(|&&(end, _)| end < duration).count();
    let mut times: Vec<_> = asked.into_iter().map(|(_, took)| took.as_secs_f64() * 1e6).collect();
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    Ok(Seen { rate: answered as f64 / duration.as_secs_f64(), p50: at(50), p99: at(99) })
}

/// Work that no compiler leaves out.
fn compute(steps: u32) {
    let mut value = 1_u64;
    for _ in 0..steps {
        value = black_box(value.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    }
}

/// How many steps come to the time that a server computes for an answer.
pub(super) fn steps() -> u32 {
    const TRIED: u32 = 10_000;
    let tries = (0..50).map(|_| {
        let begun = Instant::now();
        compute(TRIED);
        begun.elapsed().as_nanos()
    });
    let least = tries.min().map_or(1, |least| least.max(1));
    u32::try_from(u128::from(TRIED) * COMPUTED.as_nanos() / least).unwrap_or(TRIED)
}
