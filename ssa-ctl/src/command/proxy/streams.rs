//! A listener and a service in; each connection that comes carried by one of its own.

use std::{future::Future, sync::Arc, time::Duration};

use ssa_client::{
    Selector,
    connect::{Wish, tcp},
};
use tokio::{io::copy_bidirectional, net::TcpListener, net::TcpStream, task::JoinSet, time::sleep};

use super::Bounds;
use crate::command::current::Current;

/// How long to wait where no connection can be taken: somebody must go first.
const WAIT: Duration = Duration::from_millis(100);

/// Carries connections until `end`; those that are there then are cut off.
pub(super) async fn carry(
    listener: TcpListener,
    mut current: Current<'_>,
    wish: Wish,
    bounds: Bounds,
    end: impl Future<Output = ()>,
) {
    tokio::pin!(end);
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = &mut end => return,
            accepted = listener.accept(), if connections.len() < bounds.most => match accepted {
                Ok((stream, _)) => {
                    current.refresh().await;
                    connections.spawn(connect(stream, current.selector().clone(), wish, bounds.timeout));
                }
                Err(error) => {
                    tracing::warn!("cannot take a connection: {error}");
                    sleep(WAIT).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries one connection to its end. Where the service does not answer it is reset, as it would be without us.
async fn connect(mut client: TcpStream, selector: Arc<Selector>, wish: Wish, timeout: Duration) {
    let mut service = match tcp(&selector, &wish, timeout).await {
        Ok(service) => service,
        Err(error) => {
            tracing::warn!("a connection cannot be carried: {error}");
            let _ = client.set_zero_linger();
            return;
        }
    };
    // Small pieces go on as they come.
    let _ = client.set_nodelay(true).and_then(|()| service.set_nodelay(true));
    if let Err(error) = copy_bidirectional(&mut client, &mut service).await {
        tracing::info!("a connection ended: {error}");
    }
}
