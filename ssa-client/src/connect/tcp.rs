//! A selector and a wish in; a TCP connection to the first candidate that answers out.

use std::{
    net::{SocketAddr, SocketAddrV6},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};

use super::{
    ConnectError, Wish,
    compute::{Candidate, candidates, until, way},
    port::choose_late,
};
use crate::Selector;

/// How long one candidate is waited for before the next is called too (RFC 8305 §5).
pub const PACE: Duration = Duration::from_millis(250);

/// Who has been called and has not answered yet.
type Called = Arc<Mutex<Vec<SocketAddrV6>>>;

/// Connects to the first prefix, or replica, that answers within `longest`. They are called in order, each [`PACE`] after
/// the one before or when that fails, and the others are let go when one has answered.
///
/// # Errors
/// Where the wish lacks something, or no candidate answers.
pub async fn tcp(selector: &Arc<Selector>, wish: &Wish, longest: Duration) -> Result<TcpStream, ConnectError> {
    let end = Instant::now() + longest;
    let called = Called::default();
    let mut waiting = candidates(selector, wish)?.into_iter();
    let (mut calls, mut errors) = (JoinSet::new(), Vec::new());
    loop {
        if let Some(candidate) = waiting.next() {
            let (selector, wish, called) = (selector.clone(), *wish, called.clone());
            calls.spawn(async move { call(&selector, &wish, candidate, &called).await });
        }
        let next = if waiting.len() > 0 { end.min(Instant::now() + PACE) } else { end };
        tokio::select! {
            done = calls.join_next() => match done {
                Some(Ok(Ok(stream))) => return Ok(stream),
                Some(Ok(Err(error))) => errors.push(error),
                Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Some(Err(_)) => {}
                None => return Err(ConnectError::of(errors)),
            },
            () = sleep_until(next) => {}
        }
        if Instant::now() >= end {
            let called = std::mem::take(&mut *called.lock().unwrap_or_else(PoisonError::into_inner));
            errors.push(ConnectError::TimedOut { longest, called });
            return Err(ConnectError::of(errors));
        }
    }
}

/// Calls one candidate, and again with another address where the filter would not take the first any more.
async fn call(
    selector: &Arc<Selector>,
    wish: &Wish,
    candidate: Candidate,
    called: &Called,
) -> Result<TcpStream, ConnectError> {
    loop {
        let way = way(selector, wish, candidate).await?;
        let failed = |error| ConnectError::Connect { to: way.to, error };
        let socket = TcpSocket::new_v6().map_err(failed)?;
        choose_late(&socket);
        socket.bind(SocketAddr::from((way.source, 0))).map_err(failed)?;
        let _call = Call::new(called, way.to);
        let connecting = socket.connect(way.to.into());
        let Some(left) = until(way.valid_until) else { return connecting.await.map_err(failed) };
        if let Ok(done) = timeout(left, connecting).await {
            return done.map_err(failed);
        }
    }
}

/// A call that has not been answered.
struct Call<'a>(&'a Called, SocketAddrV6);

impl<'a> Call<'a> {
    fn new(called: &'a Called, to: SocketAddrV6) -> Self {
        called.lock().unwrap_or_else(PoisonError::into_inner).push(to);
        Self(called, to)
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|to| *to != self.1);
    }
}
