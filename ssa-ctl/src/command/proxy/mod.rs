//! `proxy`: an address of this host and a service in; what comes there carried to the service and back, until a signal.

mod current;
mod datagrams;
mod streams;

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use serde_json::json;
use ssa_client::connect::Wish;
use ssa_common::rule::object_id;
use tokio::{
    net::{TcpListener, UdpSocket},
    signal::unix::{SignalKind, signal},
};

use self::current::Current;
use super::target::Target;
use crate::{
    config::Seconds,
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
};

/// Carry connections of programs on this host to a service, by its rule
///
/// Listens at an address of this host, and makes a connection of its own for each that comes: to an address that is computed
/// for it, from the one that the kernel chooses. Each direction ends by itself. With --udp it carries datagrams, with a
/// socket for each client. What DNS says is asked for again when its time is over; what it said last holds while it does
/// not answer. SIGINT and SIGTERM end it.
///
/// Exit codes: 0 ended by a signal; 1 it cannot listen, or the service cannot be found; 2 the service or what it needs is not
/// there; 5 the port may not be used.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    /// Where to listen: whoever reaches it reaches the service
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// The service's port; the one that DNS says, if not given
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// The object that is wanted: 0x and 32 hexadecimal digits, the number of a block, or a name
    #[arg(long, value_name = "ID", value_parser = object_id)]
    object: Option<u128>,
    /// The replica that is wanted, counted from 0; the first that answers, if not given
    #[arg(long, value_name = "R")]
    replica: Option<u32>,
    /// Carry datagrams
    #[arg(long)]
    udp: bool,
    /// Connections, or clients that send datagrams, at a time; more connections wait, more datagrams are dropped
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = clap::value_parser!(u32).range(1..=65_536))]
    most: u32,
    /// How long to wait for the service to answer
    #[arg(long, value_name = "TIME", default_value = "10s")]
    timeout: Seconds,
    /// How long a client that sends datagrams is remembered after the last one to it or from it
    #[arg(long, value_name = "TIME", default_value = "1m", requires = "udp")]
    idle: Seconds,
}

/// How much is carried at a time.
#[derive(Clone, Copy)]
struct Bounds {
    /// Connections, or clients.
    most: usize,
    /// How long the service is waited for.
    timeout: Duration,
    /// How long a client is remembered.
    idle: Duration,
}

/// Carries until a signal.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let Args { object, replica, listen, .. } = *args;
    let seconds = |Seconds(seconds): Seconds| Duration::from_secs(seconds.into());
    let bounds = Bounds { most: args.most as usize, timeout: seconds(args.timeout), idle: seconds(args.idle) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let current = Current::find(&args.target).await?;
        let port = args.port.or(current.port()).ok_or_else(|| {
            Failure::new(Code::Invalid, format!("nobody says on which port {} is", current.name()))
                .hint("add --port PORT")
        })?;
        let wish = Wish { object, replica, port };
        // Before anybody is told that we are there: whoever reads that may stop us.
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let end = async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        };
        if args.udp {
            let socket = UdpSocket::bind(listen).await.map_err(|error| unbound(error, listen))?;
            greet(context, "udp", socket.local_addr()?, current.name())?;
            datagrams::carry(socket, current, wish, bounds, end).await;
        } else {
            let listener = TcpListener::bind(listen).await.map_err(|error| unbound(error, listen))?;
            greet(context, "tcp", listener.local_addr()?, current.name())?;
            streams::carry(listener, current, wish, bounds, end).await;
        }
        Ok(Exit::Done)
    })
}

fn unbound(error: std::io::Error, address: SocketAddr) -> Failure {
    let denied = error.kind() == std::io::ErrorKind::PermissionDenied;
    let failure = Failure::from(anyhow::Error::new(error).context(format!("cannot listen at {address}")));
    if denied {
        failure.code(Code::NotPermitted).hint("a port below 1024 takes CAP_NET_BIND_SERVICE")
    } else {
        failure.hint("take an address of this host, and a port that nobody listens at (ss -lntu)")
    }
}

/// Says where we listen.
fn greet(context: &mut Context<'_>, protocol: &str, address: SocketAddr, service: &str) -> anyhow::Result<()> {
    if !address.ip().is_loopback() {
        let what = "whoever reaches it reaches the service as this host";
        writeln!(context.err, "warning: {address} is not on the loopback interface: {what}")?;
    }
    writeln!(context.err, "listening at {address} by {protocol} for {service}")?;
    if context.json {
        context.object(&json!({ "listening": address, "protocol": protocol, "service": service }))?;
        context.out.flush().context("cannot say where we listen")?;
    }
    Ok(())
}
