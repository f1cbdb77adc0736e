//! Signals in; the moment at which somebody wants an end, out.

use std::{future::poll_fn, io, task::Poll};

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Waits for what ends a command that goes on by itself: then its exit code is 0.
pub(super) struct End([Signal; 3]);

impl End {
    /// From now on, these signals end nothing by themselves. Needs a runtime.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            // The terminal is gone.
            signal(SignalKind::hangup())?,
        ]))
    }

    /// Waits until somebody wants an end.
    pub(super) async fn wanted(&mut self) {
        poll_fn(|context| {
            let came = self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready());
            if came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }

    /// What comes of this; nothing if somebody wants an end before.
    pub(super) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.wanted() => None,
            done = work => Some(done),
        }
    }
}
