//! Connections in; as many of them as there is room for out: whoever says nothing makes room for others.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::task::{AbortHandle, JoinSet};

/// How many connections there are at a time. For another one the oldest that waits for nobody but its client is closed; where
/// there is none, it waits, or is closed if it is of a network that has as many as it may.
#[derive(Clone, Copy)]
pub(super) struct Room {
    /// In all.
    pub all: usize,
    /// Of a /48, or of IPv4.
    pub each: usize,
}

/// The connections that there are.
pub(super) struct Clients {
    room: Room,
    connections: JoinSet<()>,
    /// The oldest first.
    open: Vec<Client>,
}

/// Whether a connection has asked and is being answered, or its client is waited for.
#[derive(Clone, Default)]
pub(super) struct Asked(Arc<AtomicBool>);

struct Client {
    handle: AbortHandle,
    network: u64,
    asked: Asked,
}

impl Asked {
    /// Says so.
    pub(super) fn set(&self, has_asked: bool) {
        self.0.store(has_asked, Ordering::Relaxed);
    }
}

impl Clients {
    /// Nobody yet.
    pub(super) fn new(room: Room) -> Self {
        Self { room, connections: JoinSet::new(), open: Vec::new() }
    }

    /// Whether there is room for another one, or can be.
    pub(super) fn may_come(&self) -> bool {
        self.open.len() < self.room.all || self.waiting(|_| true).is_some()
    }

    /// Serves another one, by what is told when it has asked; or not, as its network has no room. Needs a runtime.
    pub(super) fn take<F>(&mut self, network: u64, serve: impl FnOnce(Asked) -> F) -> bool
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let of_network = |client: &Client| client.network == network;
        let is_full = self.open.iter().filter(|client| of_network(client)).count() >= self.room.each;
        // Whoever is slow, or says nothing, keeps nobody out.
        let slow = match is_full {
            true => self.waiting(of_network),
            false if self.open.len() >= self.room.all => self.waiting(|_| true),
            false => None,
        };
        match slow {
            Some(oldest) => self.open.remove(oldest).handle.abort(),
            None if is_full => return false,
            None => {}
        }
        let asked = Asked::default();
        let handle = self.connections.spawn(serve(asked.clone()));
        self.open.push(Client { handle, network, asked });
        true
    }

    /// Waits until one has ended; none: there is nobody.
    pub(super) async fn ended(&mut self) -> Option<()> {
        self.connections.join_next().await?.ok();
        self.open.retain(|client| !client.handle.is_finished());
        Some(())
    }

    /// The oldest that has not asked, of those.
    fn waiting(&self, of: impl Fn(&Client) -> bool) -> Option<usize> {
        self.open.iter().position(|client| !client.asked.0.load(Ordering::Relaxed) && of(client))
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    /// Another one without end, that has asked or not; what it is, if it is taken.
    fn take(clients: &mut Clients, network: u64, has_asked: bool) -> bool {
        clients.take(network, |asked| {
            asked.set(has_asked);
            pending()
        })
    }

    fn networks(clients: &Clients) -> Vec<u64> {
        clients.open.iter().map(|client| client.network).collect()
    }

    #[tokio::test]
    async fn the_oldest_that_says_nothing_makes_room() {
        let mut clients = Clients::new(Room { all: 3, each: 2 });
        for (network, has_asked) in [(1, true), (2, false), (1, false)] {
            assert!(clients.may_come() && take(&mut clients, network, has_asked));
        }
        // Its network is full: one of its own goes.
        assert!(take(&mut clients, 1, true));
        assert_eq!(networks(&clients), [1, 2, 1]);
        assert!(clients.may_come() && !take(&mut clients, 1, true), "all of that network have asked");
        // All is full: the oldest that waits goes, and ends.
        assert!(take(&mut clients, 3, true));
        assert_eq!(networks(&clients), [1, 1, 3]);
        assert!(!clients.may_come());
        for _ in 0..2 {
            assert_eq!(clients.ended().await, Some(()));
        }
        assert_eq!(networks(&clients), [1, 1, 3]);
        // Who has been answered waits again.
        clients.open[1].asked.set(false);
        assert!(clients.may_come() && take(&mut clients, 4, false));
        assert_eq!(networks(&clients), [1, 3, 4]);
    }
}
