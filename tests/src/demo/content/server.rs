//! A namespace and a folder in; the example's object server there, in a thread of its own, out.

use std::{
    net::{Ipv6Addr, SocketAddr},
    path::Path,
    thread,
};

use anyhow::{Context as _, Result};
use ssa_client::Service;
use ssa_store::{Disk, Places, Server};
use tokio::{net::TcpListener, sync::oneshot};

use super::site::lan;
use crate::{
    demo::{owners::SLICE_BITS, site::PORT},
    net::Namespace,
};

/// It ends when this is dropped.
pub(super) struct Running(Option<oneshot::Sender<()>>);

impl Running {
    /// Files are real; that they outlive a power failure is nothing that the demo shows, and takes its time.
    pub(super) fn start(namespace: &Namespace, folder: &Path, service: &Service) -> Result<Self> {
        let disk = Disk::open(folder, false).context("an endpoint has no folder for its objects")?;
        let peers = format!("{}/64", lan(0)).parse()?;
        let server = Server::new(Places::new(service, SLICE_BITS)?, disk, vec![peers]);
        let (end, ended) = oneshot::channel();
        // A thread is in the namespace of the thread that makes it.
        namespace.enter(move || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let listening = runtime.block_on(TcpListener::bind(SocketAddr::from((Ipv6Addr::UNSPECIFIED, PORT))));
            let listener = listening.context("a store cannot listen")?;
            thread::spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = server.serve(listener) => {}
                        _ = ended => {}
                    }
                });
            });
            Ok(())
        })??;
        Ok(Self(Some(end)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(end) = self.0.take() {
            // It may have ended by itself.
            let _ = end.send(());
        }
    }
}
