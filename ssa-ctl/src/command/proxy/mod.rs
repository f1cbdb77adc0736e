//! `proxy`: an address of this host and a service in; what comes there carried to the service and back, until a signal.

mod datagrams;
mod streams;

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use serde_json::json;
use tokio::net::{TcpListener, UdpSocket};

use super::{asking::Asking, current::Current, end::End, listening::refused, target::Target, wished::Wished};
use crate::{
    config::Seconds,
    context::Context,
    failure::{Exit, Outcome},
};

/// Carry connections of programs on this host to a service, by its rule
///
/// Listens at an address of this host, and makes a connection of its own for each that comes: to an address that is computed
/// for it, from the one that the kernel chooses. Each direction ends by itself. With --udp it carries datagrams, with a
/// socket for each client. What DNS says is asked for again when its time is over; what it said last holds while it does
/// not answer. SIGINT, SIGTERM and SIGHUP end it.
///
/// Exit codes: 0 ended by a signal; 1 it cannot listen, or the service cannot be found; 2 the service or what it needs is not
/// there; 5 the port may not be used.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    asking: Asking,
    /// Where to listen: whoever reaches it reaches the service
    #[arg(long, value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    #[command(flatten)]
    wished: Wished,
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
    let listen = args.listen;
    let seconds = |Seconds(seconds): Seconds| Duration::from_secs(seconds.into());
    let bounds = Bounds { most: args.most as usize, timeout: seconds(args.timeout), idle: seconds(args.idle) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before anybody is waited for, or told that we are there: we are ended in order at any time.
        let mut end = End::new()?;
        let found = Current::find(&args.target, args.asking.issuer(args.target.name())?);
        let Some(current) = end.or(found).await else { return Ok(Exit::Done) };
        let current = current?;
        let wish = args.wished.of(&current.service().name, current.service().port)?;
        if args.udp {
            let socket = UdpSocket::bind(listen).await.map_err(|error| refused(error, listen))?;
            greet(context, "udp", socket.local_addr()?, &current.service().name)?;
            datagrams::carry(socket, current, wish, bounds, end.wanted()).await;
        } else {
            let listener = TcpListener::bind(listen).await.map_err(|error| refused(error, listen))?;
            greet(context, "tcp", listener.local_addr()?, &current.service().name)?;
            streams::carry(listener, current, wish, bounds, end.wanted()).await;
        }
        Ok(Exit::Done)
    })
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
