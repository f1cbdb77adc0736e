//! Services in; a DNS server that is authoritative for their zone out, until a signal.

mod answer;

use std::{net::SocketAddr, path::Path, time::Duration};

use anyhow::Context as _;
use hickory_server::{Server, zone_handler::Catalog};
use serde_json::json;
use tokio::{
    signal::unix::{SignalKind, signal},
    time::{MissedTickBehavior, interval},
};

use self::answer::Answers;
use super::{IDLE, bind};
use crate::{
    command::{followed::Source, now::Now},
    config::Config,
    context::{Context, unix},
    dns::{Publishing, catalog, publish},
    failure::{Exit, Failure, Outcome},
};

/// Answers that wait for a TCP connection to take them.
const WAITING: usize = 8;
/// How often is looked whether the config is another.
const LOOK: Duration = Duration::from_secs(1);

/// Serves until `SIGINT` or `SIGTERM`.
pub(super) fn serve(
    context: &mut Context<'_>,
    publishing: &Publishing,
    listen: SocketAddr,
    config: Option<&Path>,
) -> Outcome {
    let mut source = Source::new(context, config.map(Path::to_owned));
    let found = source.read()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (tcp, udp) = bind::both(listen).await?;
        let address = tcp.local_addr()?;
        let mut serial = serial(0);
        let answers = Answers(Now::new(zone(publishing, &found, address, serial)?));
        // Before anybody is told that we are there: whoever reads that may stop us.
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let mut hangup = signal(SignalKind::hangup())?;
        let mut server = Server::new(answers.clone());
        server.register_socket(udp);
        server.register_listener(tcp, IDLE, WAITING);
        greet(context, publishing, address, serial)?;
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_asked = tokio::select! {
                biased;
                _ = interrupt.recv() => break,
                _ = terminate.recv() => break,
                ended = server.block_until_done() => return Err(ended.map_or_else(Failure::from, |()| stopped())),
                _ = hangup.recv() => true,
                _ = look.tick() => false,
            };
            let changed = if is_asked { source.read().map(Some) } else { source.changed() };
            let next = self::serial(serial);
            let found =
                changed.and_then(|found| found.map(|found| zone(publishing, &found, address, next)).transpose());
            match found {
                Ok(None) => {}
                Ok(Some(catalog)) => {
                    serial = next;
                    answers.0.replace(catalog);
                    say(context, &format!("serving another config, serial {serial}"));
                }
                // Whoever asks meanwhile had better have old records than none.
                Err(failure) => {
                    say(context, &format!("warning: {:#}; answers stay as they were", failure.error));
                }
            }
        }
        Ok(Exit::Done)
    })
}

/// Says something to whoever is there: a server goes on when nobody reads any more.
fn say(context: &mut Context<'_>, what: &str) {
    let _ = writeln!(context.err, "{what}");
}

/// The zone of a config.
fn zone(publishing: &Publishing, config: &Config, address: SocketAddr, serial: u32) -> Result<Catalog, Failure> {
    let published = publish(config, publishing).map_err(Failure::refused)?;
    for entry in published.iter().flat_map(crate::dns::Published::entries) {
        entry
            .data
            .octets()
            .with_context(|| format!("the {} record of {} is too long", entry.data.kind(), entry.name))?;
    }
    let server = Some(address.ip()).filter(|address| !address.is_unspecified());
    let catalog = catalog(&publishing.zone, &published, server, serial);
    Ok(catalog.with_context(|| format!("the name {} is too long for a zone of ours", publishing.zone))?)
}

/// The number of a zone: the time, or one more than before.
fn serial(before: u32) -> u32 {
    // The time of 2106 begins anew at zero, as serial numbers do.
    let now = u32::try_from(unix(std::time::SystemTime::now()) & u64::from(u32::MAX)).unwrap_or_default();
    now.max(before.wrapping_add(1))
}

fn stopped() -> Failure {
    Failure::from(anyhow::anyhow!("the server has ended by itself"))
}

/// Says where we listen.
fn greet(context: &mut Context<'_>, publishing: &Publishing, address: SocketAddr, serial: u32) -> anyhow::Result<()> {
    let zone = publishing.zone.to_string();
    writeln!(context.err, "serving {zone} at {address}, serial {serial}")?;
    if context.json {
        context.object(&json!({ "listening": address, "zone": zone, "serial": serial }))?;
        context.out.flush().context("cannot say where we listen")?;
    }
    Ok(())
}
