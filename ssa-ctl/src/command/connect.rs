//! `connect`: a service in; what standard input has sent there, and what comes back to standard output, out.

use std::{
    io::{self, Read as _, Write},
    net::{SocketAddr, SocketAddrV6},
    thread,
    time::Duration,
};

use serde_json::json;
use ssa_client::{
    Selector, Service,
    connect::{ConnectError, Datagrams, tcp},
    pow,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
    time::{Instant, interval, sleep_until, timeout},
};

use super::{
    asking::Asking,
    progress,
    target::{Target, refused},
    wished::Wished,
};
use crate::{
    config::Seconds,
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
};

/// Octets that are read at once, and sent as one datagram.
const CHUNK: usize = 16 << 10;
/// How often is shown how far a search is.
const TICK: Duration = Duration::from_millis(100);

/// Connect to a service, as its clients do
///
/// The name is looked up in DNS, the address computed by the service's rule for the source that the kernel chooses, and
/// standard input sent there; what comes back goes to standard output. Prefixes, and replicas unless one is named, are
/// called one after another until one answers. A name without a rule is called at its addresses. -v says on standard error
/// which address it is; --json says it there as an object. A terminal shows how far the search for a proof of work is, which
/// takes no longer than --timeout.
///
/// With TCP it ends when the other side closes. With --udp each piece of input is a datagram, and it ends when after the
/// last as many have come back as were sent, or the timeout is over.
///
/// Exit codes: 0 done; 1 nobody answers; 2 the service or what it needs is not there.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    wished: Wished,
    /// Send datagrams
    #[arg(long)]
    udp: bool,
    /// How long to wait: for DNS and a connection together, and for the answers to datagrams
    #[arg(long, value_name = "TIME", default_value = "10s")]
    timeout: Seconds,
}

/// Connects, and copies until the end.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let longest = Duration::from_secs(args.timeout.0.into());
        let begin = Instant::now();
        let issuer = args.asking.issuer(args.target.name())?;
        let found = timeout(longest, args.target.find(issuer.as_ref())).await;
        let (service, selector) = found.map_err(|_| unfound(args.target.name(), longest))??;
        let wish = args.wished.of(&service.name, service.port)?;
        let left = longest.saturating_sub(begin.elapsed());
        let failed = |error| failed(&service, error);
        if args.udp {
            let datagrams = Datagrams::open(&selector, &wish);
            // Nobody waits longer for a search than for an answer.
            let datagrams = timeout(left, watch(context.terminal, &selector, datagrams)).await;
            let datagrams = datagrams.map_err(|_| late(&service, longest))?.map_err(failed)?;
            tell(context, &service, "udp", datagrams.source(), datagrams.peer())?;
            let heard = exchange(context.out, &datagrams, longest).await?;
            if !heard {
                return Err(Failure::new(Code::Failed, format!("no answer from {}", datagrams.peer())));
            }
        } else {
            let stream = watch(context.terminal, &selector, tcp(&selector, &wish, left)).await.map_err(failed)?;
            if let (SocketAddr::V6(source), SocketAddr::V6(to)) = (stream.local_addr()?, stream.peer_addr()?) {
                tell(context, &service, "tcp", *source.ip(), to)?;
            }
            copy(context.out, stream).await?;
        }
        Ok(Exit::Done)
    })
}

/// Does it, and shows on a terminal how far its searches for proofs of work are.
async fn watch<T>(terminal: bool, selector: &Selector, work: impl Future<Output = T>) -> T {
    let zeros = selector.rules().iter().map(pow::zeros).max().unwrap_or(0);
    let bar = progress::search(terminal, zeros);
    let mut tick = interval(TICK);
    tokio::pin!(work);
    let done = loop {
        tokio::select! {
            done = &mut work => break done,
            _ = tick.tick(), if !bar.is_hidden() => bar.set_position(selector.attempts()),
        }
    };
    bar.finish_and_clear();
    done
}

/// Says which address it is.
fn tell(
    context: &mut Context<'_>,
    service: &Service,
    protocol: &str,
    source: std::net::Ipv6Addr,
    to: SocketAddrV6,
) -> io::Result<()> {
    tracing::info!("{} is called at {to} by {protocol}, from {source}", service.name);
    if context.json {
        let said = json!({
            "service": service.name,
            "protocol": protocol,
            "source": source,
            "address": to.ip(),
            "port": to.port(),
            "rule": if service.is_of_addresses() { None } else { Some(service.record.rule.to_string()) },
            "authenticated": service.authenticated,
        });
        writeln!(context.err, "{said}")?;
    }
    Ok(())
}

/// Sends all input, and gives out what comes until the other side has nothing more to say.
async fn copy(out: &mut dyn Write, stream: TcpStream) -> anyhow::Result<()> {
    let (mut from, mut to) = stream.into_split();
    let mut input = input();
    let send = async {
        while let Some(octets) = input.recv().await {
            to.write_all(&octets).await?;
        }
        to.shutdown().await
    };
    let receive = async {
        let mut octets = vec![0; CHUNK];
        loop {
            let length = from.read(&mut octets).await?;
            if length == 0 {
                return io::Result::Ok(());
            }
            out.write_all(&octets[..length])?;
            out.flush()?;
        }
    };
    tokio::pin!(receive);
    tokio::select! {
        // Whoever takes nothing any more may still have something to say, and why.
        sent = send => if let Err(error) = sent { tracing::info!("not all could be sent: {error}") },
        received = &mut receive => return Ok(received?),
    }
    Ok(receive.await?)
}

/// Sends each piece of input as a datagram, and gives out what comes back; whether that was as much as to end well.
async fn exchange(out: &mut dyn Write, datagrams: &Datagrams, longest: Duration) -> anyhow::Result<bool> {
    let mut input = input();
    let (mut sent, mut heard, mut end) = (0u64, 0u64, None);
    let mut octets = vec![0; usize::from(u16::MAX)];
    while end.is_none() || heard < sent {
        tokio::select! {
            piece = input.recv(), if end.is_none() => match piece {
                Some(piece) => {
                    datagrams.send(&piece).await?;
                    sent += 1;
                }
                None => end = Some(Instant::now() + longest),
            },
            received = datagrams.receive(&mut octets) => {
                out.write_all(&octets[..received?])?;
                out.flush()?;
                heard += 1;
            }
            () = sleep_until(end.unwrap_or_else(Instant::now)), if end.is_some() => break,
        }
    }
    Ok(heard > 0 || sent == 0)
}

/// Standard input in pieces, read by a thread of its own, which goes with the process.
fn input() -> mpsc::Receiver<Vec<u8>> {
    let (pieces, input) = mpsc::channel(4);
    thread::spawn(move || {
        let mut octets = vec![0; CHUNK];
        let mut from = io::stdin().lock();
        while let Ok(length @ 1..) = from.read(&mut octets) {
            if pieces.blocking_send(octets[..length].to_vec()).is_err() {
                return;
            }
        }
    });
    input
}

fn unfound(name: &str, longest: Duration) -> Failure {
    let message = format!("DNS has not said within {} s where {name} is", longest.as_secs());
    Failure::new(Code::Failed, message).hint("is the server there? More time is given by --timeout TIME")
}

fn late(service: &Service, longest: Duration) -> Failure {
    let message = format!("no address of {} was found within {} s", service.name, longest.as_secs());
    Failure::new(Code::Failed, message).hint("its proof of work takes longer: add --timeout TIME")
}

fn failed(service: &Service, error: ConnectError) -> Failure {
    match error {
        ConnectError::Select(error) => refused(&service.name, error),
        error => Failure::from(anyhow::Error::new(error).context(format!("cannot connect to {}", service.name))),
    }
}
