//! An address in; answers over HTTP, or over TLS, out, until a signal.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hyper::{Request, body::Incoming};
use ssa_client::issue::PATH;
use tokio::{
    net::TcpListener,
    time::{MissedTickBehavior, interval},
};
use tokio_rustls::TlsAcceptor;

use super::{
    super::{
        clients::Room,
        end::End,
        http::{self, Answer, Answering, network},
        listening::refused,
        now::Now,
    },
    Args,
    answer::{answer, late},
    follow::{Follower, State},
    rate::{Rate, Rates},
};
use crate::{
    context::{Context, unix},
    failure::{Exit, Outcome},
};

/// Connections at a time.
const ROOM: Room = Room { all: 256, each: 32 };
/// Connections of a network are taken at so many times the rate of its answers; more are closed before they cost anything.
const CONNECTIONS: u32 = 4;
/// How often is looked whether there is another config, key or certificate.
const LOOK: Duration = Duration::from_secs(1);

/// Answers until a signal.
pub(super) fn serve(context: &mut Context<'_>, args: &Args, address: SocketAddr) -> Outcome {
    let mut follower = Follower::new(context, args);
    let Rate(rate) = args.rate;
    let issuing = Issuing {
        state: Now::new(follower.read()?),
        answers: Arc::new(Rates::new(args.rate)),
        connections: Arc::new(Rates::new(Rate(rate * CONNECTIONS))),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await.map_err(|error| refused(error, address))?;
        // Before anybody is told that we are there: whoever reads that may stop us.
        let mut end = End::new()?;
        let (address, secure) = (listener.local_addr()?, args.tls_cert.is_some());
        let danger = "without TLS whoever is on the way can read addresses, and answer in our place";
        let url = format!("{}://{address}{PATH}", if secure { "https" } else { "http" });
        http::greet(context, address, &url, Some(danger).filter(|_| !secure))?;
        let state = issuing.state.clone();
        tokio::select! {
            () = http::serve(listener, ROOM, issuing, &mut end) => {}
            () = follow(context, follower, &state) => {}
        }
        Ok(Exit::Done)
    })
}

/// Looks again and again, without end. Where something is wrong or gone, what was before is given out.
async fn follow(context: &mut Context<'_>, mut follower: Follower<'_>, state: &Now<State>) {
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        let said = match follower.changed() {
            Ok(None) => continue,
            Ok(Some(next)) => {
                state.replace(next);
                "another config, key or certificate is in use".to_owned()
            }
            Err(failure) => format!("warning: {:#}; answers stay as they were", failure.error),
        };
        // It goes on when nobody reads any more.
        let _ = writeln!(context.err, "{said}");
    }
}

/// Who answers, and how often.
#[derive(Clone)]
struct Issuing {
    state: Now<State>,
    answers: Arc<Rates>,
    connections: Arc<Rates>,
}

impl Answering for Issuing {
    fn admits(&self, network: u64) -> bool {
        self.connections.take(network).is_ok()
    }

    fn tls(&self) -> Option<TlsAcceptor> {
        self.state.get().tls.clone()
    }

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Answer {
        match self.answers.take(network(peer)) {
            Ok(()) => answer(&self.state.get().offer, &request, peer, unix(std::time::SystemTime::now())),
            Err(wait) => late(wait),
        }
    }
}
