//! A socket and a service in; each client's datagrams carried by a socket of its own, and the answers back.

use std::{collections::HashMap, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use ssa_client::{
    Selector,
    connect::{Datagrams, Wish},
};
use tokio::{
    net::UdpSocket,
    sync::mpsc::{Receiver, Sender, channel},
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::Bounds;
use crate::command::current::Current;

/// Octets of a datagram, at most.
const LARGEST: usize = 65_535;
/// Datagrams of a client that wait; more are dropped, as a full socket drops them.
const WAITING: usize = 64;

/// Carries datagrams until `end`.
pub(super) async fn carry(
    socket: UdpSocket,
    mut current: Current<'_>,
    wish: Wish,
    bounds: Bounds,
    end: impl Future<Output = ()>,
) {
    tokio::pin!(end);
    let socket = Arc::new(socket);
    let mut clients: HashMap<SocketAddr, Sender<Vec<u8>>> = HashMap::new();
    let mut tasks = JoinSet::new();
    let mut octets = vec![0; LARGEST];
    loop {
        tokio::select! {
            () = &mut end => return,
            Some(ended) = tasks.join_next() => if let Ok(client) = ended {
                clients.remove(&client);
            },
            received = socket.recv_from(&mut octets) => {
                let (length, client) = match received {
                    Ok(received) => received,
                    Err(error) => {
                        // What a network answers to one client is no reason to leave the others.
                        tracing::info!("cannot receive: {error}");
                        continue;
                    }
                };
                let is_known = clients.contains_key(&client);
                if !is_known && clients.len() >= bounds.most {
                    tracing::info!("a datagram of {client} is dropped: there are {} clients already", bounds.most);
                    continue;
                }
                if !is_known {
                    let (sender, datagrams) = channel(WAITING);
                    current.refresh().await;
                    let (socket, selector) = (socket.clone(), current.selector().clone());
                    tasks.spawn(async move {
                        converse(&socket, client, datagrams, &selector, &wish, bounds.idle).await;
                        client
                    });
                    clients.insert(client, sender);
                }
                let full = clients.get(&client).is_none_or(|sender| sender.try_send(octets[..length].to_vec()).is_err());
                if full {
                    tracing::info!("a datagram of {client} is dropped");
                }
            }
        }
    }
}

/// Carries a client's datagrams until there are none for a while.
async fn converse(
    socket: &UdpSocket,
    client: SocketAddr,
    mut datagrams: Receiver<Vec<u8>>,
    selector: &Arc<Selector>,
    wish: &Wish,
    idle: Duration,
) {
    let service = match Datagrams::open(selector, wish).await {
        Ok(service) => service,
        Err(error) => return tracing::warn!("datagrams of {client} cannot be carried: {error}"),
    };
    let mut octets = vec![0; LARGEST];
    let mut end = Instant::now() + idle;
    loop {
        let result = tokio::select! {
            () = sleep_until(end) => return,
            datagram = datagrams.recv() => {
                let Some(datagram) = datagram else { return };
                service.send(&datagram).await.map_err(anyhow::Error::new)
            }
            received = service.receive(&mut octets) => match received {
                Ok(length) => socket.send_to(&octets[..length], client).await.map(drop).map_err(anyhow::Error::new),
                Err(error) => Err(error.into()),
            },
        };
        match result {
            Ok(()) => end = Instant::now() + idle,
            // Nobody may be there at the moment.
            Err(error) => tracing::info!("a datagram of {client} is lost: {error:#}"),
        }
    }
}
