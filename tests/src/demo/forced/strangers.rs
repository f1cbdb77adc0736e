//! A stranger in; what the name server says to it, and who answers it then, out. It has nothing but `ssa-client`.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail, ensure};
use ssa_client::{
    Selector, Service,
    connect::{Datagrams, Wish, tcp},
    resolve::{Options, Resolver},
};
use tokio::{io::AsyncReadExt as _, time::timeout};

use super::site::{NAME_SERVER, Outside, Site, name};
use crate::demo::owners::Owners;

/// What must come comes within this, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long one datagram is waited for, and how many are sent: a flooded server may miss some.
const ANSWER: Duration = Duration::from_secs(1);
const DATAGRAMS: u32 = 20;

/// Who answered a stranger, and where.
struct Heard {
    called: Ipv6Addr,
    by_tcp: String,
    by_udp: String,
}

/// What became of all strangers' calls.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub(super) struct Calls {
    pub(super) strangers: usize,
    /// Those whom a proxy answered, by TCP and by UDP.
    pub(super) answered: usize,
    /// Those whom another proxy answered than the owner of their slice.
    pub(super) misplaced: usize,
    /// Why the others were not.
    pub(super) failed: Vec<String>,
}

/// Looks the service up, as somebody outside does.
pub(super) fn look_up(host: &Outside) -> Result<Service> {
    at(host, resolve())
}

/// Lets all strangers call, one after the other. Every second one is nearer to the second data centre, and calls it first.
pub(super) fn call_all(site: &Site, owners: &[Owners]) -> Calls {
    let mut calls = Calls { strangers: site.strangers.len(), ..Calls::default() };
    for (number, stranger) in site.strangers.iter().enumerate() {
        let centre = number % owners.len();
        match at(stranger, call(centre)) {
            Ok(Heard { called, by_tcp, by_udp }) => {
                calls.answered += 1;
                let owner = owners[centre].of(called);
                let is_there = called.segments()[..4] == site.centres[centre].prefix.segments()[..4];
                calls.misplaced += usize::from(!is_there || [by_tcp, by_udp].iter().any(|name| Some(&**name) != owner));
            }
            Err(error) => calls.failed.push(format!("the stranger at {}: {error:#}", stranger.address)),
        }
    }
    calls
}

fn at<T: Send>(host: &Outside, work: impl Future<Output = Result<T>> + Send) -> Result<T> {
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work);
    host.namespace.enter(run)?
}

async fn resolve() -> Result<Service> {
    let options = Options { servers: vec![SocketAddr::from((NAME_SERVER, 53))], ..Options::default() };
    Resolver::new(&options)?.resolve(&name()).await.context("the name is not resolved")
}

/// Resolves, computes and connects.
async fn call(centre: usize) -> Result<Heard> {
    let mut service = resolve().await?;
    ensure!(service.prefixes.len() > centre, "DNS says {} prefixes", service.prefixes.len());
    service.prefixes.swap(0, centre);
    let selector = Arc::new(Selector::new(&service, &[])?);
    let wish = Wish { object: None, replica: None, port: service.port.context("DNS says no port")? };
    let mut stream = tcp(&selector, &wish, PATIENCE).await?;
    let IpAddr::V6(called) = stream.peer_addr()?.ip() else { bail!("an IPv4 peer") };
    let mut by_tcp = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut by_tcp)).await.context("the connection says nothing")??;
    let datagrams = Datagrams::open(&selector, &wish).await?;
    let mut octets = [0; 64];
    for _ in 0..DATAGRAMS {
        datagrams.send(b"who").await?;
        if let Ok(received) = timeout(ANSWER, datagrams.receive(&mut octets)).await {
            let by_udp = String::from_utf8_lossy(&octets[..received?]).into_owned();
            return Ok(Heard { called, by_tcp, by_udp });
        }
    }
    bail!("{DATAGRAMS} datagrams to {} were not answered", datagrams.peer())
}
