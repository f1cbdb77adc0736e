//! A selector and a wish in; where to connect to, and from which address, out.

use std::{
    net::{Ipv6Addr, SocketAddrV6},
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, SystemTime},
};

use ssa_common::rule::{AddressError, Compiled, Request};

use super::ConnectError;
use crate::{SelectError, Selector, pow, source::source_for};

/// Candidates of one connection: more would not be called within the time that anybody waits.
const MOST: usize = 16;
/// Times that a source may lead to an address which has another source.
const MOST_SOURCES: usize = 4;

/// What a client wants of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The id of the object, if the rule has an `object` field.
    pub object: Option<u128>,
    /// The replica, counted from 0. None: the first that answers.
    pub replica: Option<u32>,
    /// The port.
    pub port: u16,
}

/// A prefix, by its place in the selector, and a replica in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    prefix: usize,
    replica: u32,
}

/// Where a packet goes from and to, and how long the filter takes it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// The address that the kernel sends from, and that the destination is computed for.
    pub source: Ipv6Addr,
    /// The destination.
    pub to: SocketAddrV6,
    /// Unix seconds at which it is to be computed anew, if ever.
    pub epoch_end: Option<u64>,
    /// Unix seconds from which on it is refused, if ever.
    pub valid_until: Option<u64>,
}

/// The ways to a service, for who connects by other means: one for each prefix, and for each replica unless one is wished
/// for, in the order in which they are to be tried, at most 16. Where each takes a search for a proof of work, the first
/// alone.
///
/// # Errors
/// Where the wish lacks something, or there is no way to any prefix.
pub async fn ways(selector: &Arc<Selector>, wish: &Wish) -> Result<Vec<Way>, ConnectError> {
    let is_searched = selector.rules().iter().any(|rule| pow::zeros(rule) > 0);
    let (mut ways, mut errors) = (Vec::new(), Vec::new());
    for candidate in candidates(selector, wish)? {
        match way(selector, wish, candidate).await {
            Ok(way) => ways.push(way),
            Err(error) => errors.push(error),
        }
        if is_searched && !ways.is_empty() {
            break;
        }
    }
    if ways.is_empty() { Err(ConnectError::of(errors)) } else { Ok(ways) }
}

/// Whom to call, in order: a replica in all prefixes, then the next. A wish that lacks something has none, whatever routes
/// there are.
pub(super) fn candidates(selector: &Selector, wish: &Wish) -> Result<Vec<Candidate>, ConnectError> {
    let request = Request { object: wish.object, replica: wish.replica.unwrap_or(0), ..Request::default() };
    for rule in known(selector) {
        rule.draw(&request, &mut || 0).map_err(SelectError::from)?;
    }
    let replicas = wish.replica.map_or(0..selector.replicas(), |replica| replica..replica.saturating_add(1));
    let prefixes = selector.rules().len();
    let candidates = replicas.flat_map(|replica| (0..prefixes).map(move |prefix| Candidate { prefix, replica }));
    Ok(candidates.take(MOST).collect())
}

/// Computes the way to a candidate, as routes, addresses and the time are now. A search for a proof of work ends with the
/// future.
pub(super) async fn way(selector: &Arc<Selector>, wish: &Wish, candidate: Candidate) -> Result<Way, ConnectError> {
    let mut to = Ipv6Addr::from(selector.rules()[candidate.prefix].placed().prefix());
    let mut source = kernels_source(to)?;
    for _ in 0..MOST_SOURCES {
        let time = unix().as_secs();
        let request = Request { source: source.to_bits(), object: wish.object, replica: candidate.replica, time };
        let found = find(selector, candidate.prefix, request).await?;
        to = found.address;
        // Routes may differ within the prefix.
        let used = kernels_source(to)?;
        if used == source {
            let to = SocketAddrV6::new(to, wish.port, 0, 0);
            return Ok(Way { source, to, epoch_end: found.epoch_end, valid_until: found.valid_until });
        }
        source = used;
    }
    Err(ConnectError::NoRoute { to, error: std::io::ErrorKind::AddrNotAvailable.into() })
}

/// How long it is until this Unix second: no time where it is over, and none where there is no such second.
pub(super) fn until(second: Option<u64>) -> Option<Duration> {
    second.map(|second| Duration::from_secs(second).saturating_sub(unix()))
}

fn unix() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

fn kernels_source(to: Ipv6Addr) -> Result<Ipv6Addr, ConnectError> {
    source_for(to).map_err(|error| ConnectError::NoRoute { to, error })
}

/// The rules as far as they can be followed here.
fn known(selector: &Selector) -> &[Compiled] {
    #[cfg(feature = "issue")]
    return selector.open();
    #[cfg(not(feature = "issue"))]
    selector.rules()
}

/// An address, and how long it is good for.
pub(super) struct Found {
    pub address: Ipv6Addr,
    pub epoch_end: Option<u64>,
    pub valid_until: Option<u64>,
}

/// What the selector says, or an issuer in its place.
async fn find(selector: &Arc<Selector>, prefix: usize, request: Request) -> Result<Found, ConnectError> {
    #[cfg(feature = "issue")]
    if let Some(issued) = selector.issued() {
        return super::issued::find(selector, issued, prefix, request).await;
    }
    Ok(Found {
        address: address(selector, prefix, request).await?,
        epoch_end: selector.epoch_end(request.time),
        valid_until: selector.valid_until(request.time),
    })
}

/// What the selector says; a search is made in threads that may block.
async fn address(selector: &Arc<Selector>, prefix: usize, request: Request) -> Result<Ipv6Addr, SelectError> {
    if pow::zeros(&selector.rules()[prefix]) == 0 {
        return selector.address_by(&selector.rules()[prefix], &request, &mut |_| ControlFlow::Continue(()));
    }
    let over = Arc::new(AtomicBool::new(false));
    let _end = End(over.clone());
    let selector = selector.clone();
    let search = tokio::task::spawn_blocking(move || {
        let mut go_on =
            |_| if over.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        selector.address_by(&selector.rules()[prefix], &request, &mut go_on)
    });
    // A runtime that ends gives up what it has not begun.
    search.await.unwrap_or(Err(SelectError::Address(AddressError::Cancelled)))
}

/// Ends a search when nobody waits for it any more.
struct End(Arc<AtomicBool>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
