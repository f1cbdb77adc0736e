//! A selector and a wish in; datagrams to and from the address that is right at the moment out.

use std::{
    io,
    net::{Ipv6Addr, SocketAddr, SocketAddrV6},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::{net::UdpSocket, sync::Notify, time::Instant};

use super::{
    ConnectError, Wish,
    compute::{Candidate, Way, candidates, until, way},
};
use crate::{Selector, source::source_for};

/// How long the kernel's choice of a source is believed: nobody tells a socket that its address is gone.
const BELIEVED: Duration = Duration::from_secs(1);

/// Datagrams of one client to a service, and its answers.
///
/// The peer's address is computed anew where an epoch ends, and where the kernel would send from another address, as after
/// a change of the network. What comes from the address before is still heard.
#[derive(Debug)]
pub struct Datagrams {
    selector: Arc<Selector>,
    wish: Wish,
    candidate: Candidate,
    state: Mutex<State>,
    /// Only one computes.
    computing: tokio::sync::Mutex<()>,
    moved: Notify,
}

#[derive(Clone, Debug)]
struct State {
    socket: Arc<UdpSocket>,
    way: Way,
    /// Where datagrams went before.
    before: Option<SocketAddrV6>,
    /// When the kernel was last asked for the source.
    asked: Instant,
}

impl Datagrams {
    /// Opens a socket for the first prefix, or replica, that there is a way to: nobody knows before an answer comes whether
    /// anybody hears.
    ///
    /// # Errors
    /// Where the wish lacks something, or there is no way to any candidate.
    pub async fn open(selector: &Arc<Selector>, wish: &Wish) -> Result<Self, ConnectError> {
        let mut errors = Vec::new();
        for candidate in candidates(selector, wish)? {
            match open(selector, wish, candidate).await {
                Ok(state) => {
                    let (selector, state) = (selector.clone(), Mutex::new(state));
                    let (computing, moved) = (tokio::sync::Mutex::new(()), Notify::new());
                    return Ok(Self { selector, wish: *wish, candidate, state, computing, moved });
                }
                Err(error) => errors.push(error),
            }
        }
        Err(ConnectError::of(errors))
    }

    /// The socket, connected to the peer: for programs that want no more than that. It stays where it is when an epoch ends.
    ///
    /// # Errors
    /// Where the kernel has no way there any more.
    pub async fn into_connected(self) -> Result<UdpSocket, ConnectError> {
        let State { socket, way, .. } = self.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        let failed = |error| ConnectError::Connect { to: way.to, error };
        socket.connect(SocketAddr::V6(way.to)).await.map_err(failed)?;
        // Whoever has it alone has it whole.
        Arc::into_inner(socket).ok_or_else(|| failed(io::ErrorKind::ResourceBusy.into()))
    }

    /// The address that datagrams go to, as it was computed last.
    pub fn peer(&self) -> SocketAddrV6 {
        self.state().way.to
    }

    /// The address that they come from.
    pub fn source(&self) -> Ipv6Addr {
        self.state().way.source
    }

    /// Sends a datagram to the address that is right now.
    ///
    /// # Errors
    /// Where there is no way to it, or the kernel does not take the datagram.
    pub async fn send(&self, octets: &[u8]) -> Result<(), ConnectError> {
        self.follow().await?;
        let State { socket, way, .. } = self.state();
        let sent = socket.send_to(octets, SocketAddr::V6(way.to)).await;
        sent.map(drop).map_err(|error| ConnectError::Connect { to: way.to, error })
    }

    /// Waits for a datagram from the service; its length, cut to that of `octets`. A future that is dropped has lost none.
    ///
    /// # Errors
    /// Where the kernel cannot receive.
    pub async fn receive(&self, octets: &mut [u8]) -> io::Result<usize> {
        loop {
            let moved = self.moved.notified();
            let socket = self.state().socket;
            tokio::select! {
                received = socket.recv_from(octets) => {
                    let (length, SocketAddr::V6(from)) = received? else { continue };
                    let State { way, before, .. } = self.state();
                    let is_peer = |to: SocketAddrV6| (to.ip(), to.port()) == (from.ip(), from.port());
                    if is_peer(way.to) || before.is_some_and(is_peer) {
                        return Ok(length);
                    }
                }
                () = moved => {}
            }
        }
    }

    /// Computes the way anew where it may have changed.
    async fn follow(&self) -> Result<(), ConnectError> {
        let _alone = self.computing.lock().await;
        let state = self.state();
        let to = *state.way.to.ip();
        let is_over = until(state.way.epoch_end).is_some_and(|left| left.is_zero());
        if !is_over && state.asked.elapsed() < BELIEVED {
            return Ok(());
        }
        // Without a way there may still be one to another address of the prefix.
        if !is_over && source_for(to).is_ok_and(|source| source == state.way.source) {
            self.change(|state| state.asked = Instant::now());
            return Ok(());
        }
        let new = way(&self.selector, &self.wish, self.candidate).await?;
        let socket = if new.source == state.way.source { state.socket } else { bind(&new).await? };
        let before = Some(state.way.to).filter(|before| *before != new.to).or(state.before);
        self.change(|state| *state = State { socket, way: new, before, asked: Instant::now() });
        self.moved.notify_waiters();
        Ok(())
    }

    fn state(&self) -> State {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

async fn open(selector: &Arc<Selector>, wish: &Wish, candidate: Candidate) -> Result<State, ConnectError> {
    let way = way(selector, wish, candidate).await?;
    Ok(State { socket: bind(&way).await?, way, before: None, asked: Instant::now() })
}

/// A socket that stays unconnected: answers from the address before are to be heard at the end of an epoch.
async fn bind(way: &Way) -> Result<Arc<UdpSocket>, ConnectError> {
    let socket = UdpSocket::bind(SocketAddr::from((way.source, 0))).await;
    socket.map(Arc::new).map_err(|error| ConnectError::Connect { to: way.to, error })
}
