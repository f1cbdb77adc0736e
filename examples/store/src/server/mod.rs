//! A listener, the places of a service and a disk in; objects over HTTP/1.1 out, until it is dropped.
//!
//! What somebody may ask depends on the address that he calls: at an address of the service, the object of that address; at
//! the endpoint's own, where peers alone are heard, whole slices.

mod body;
mod object;
mod slice;

use std::{
    collections::BTreeMap,
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ALLOW, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use ipnet::Ipv6Net;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    task::{JoinSet, spawn_blocking},
    time::{sleep, timeout},
};

use self::body::{Bad, Whole, collect};
use crate::{Disk, DiskError, LARGEST, Places};

/// What may be asked.
const METHODS: [Method; 4] = [Method::GET, Method::HEAD, Method::PUT, Method::DELETE];
/// Connections at a time; others wait for their turn.
const CONNECTIONS: usize = 512;
/// How long a client may take to send a request's header.
const HEADER: Duration = Duration::from_secs(5);
/// How long a connection may take from its first octet to its last.
const CONNECTION: Duration = Duration::from_secs(30);
/// How long to wait where no connection can be taken.
const PAUSE: Duration = Duration::from_millis(100);

/// The server of one endpoint.
#[derive(Debug)]
pub struct Server {
    places: Places,
    disk: Disk,
    peers: Vec<Ipv6Net>,
    counts: Counts,
}

/// What was asked at addresses of the service, by what came of it.
#[derive(Debug, Default)]
pub struct Counts {
    read: AtomicU64,
    written: AtomicU64,
    removed: AtomicU64,
    missing: AtomicU64,
    misdirected: AtomicU64,
    sealed: AtomicU64,
    refused: AtomicU64,
}

type Answer = Response<Whole>;

/// What is asked, all of it.
struct Asked {
    method: Method,
    path: String,
    called: Ipv6Addr,
    octets: Vec<u8>,
}

impl Server {
    /// A server of these objects. Whole slices are for those alone whose address lies in `peers`.
    pub fn new(places: Places, disk: Disk, peers: Vec<Ipv6Net>) -> Arc<Self> {
        Arc::new(Self { places, disk, peers, counts: Counts::default() })
    }

    /// Serves until the future is dropped.
    pub async fn serve(self: Arc<Self>, listener: TcpListener) {
        let room = Arc::new(Semaphore::new(CONNECTIONS));
        let mut connections = JoinSet::new();
        loop {
            while connections.try_join_next().is_some() {}
            let Ok(permit) = room.clone().acquire_owned().await else { return };
            match listener.accept().await {
                Ok((stream, _)) => {
                    let server = self.clone();
                    connections.spawn(async move {
                        server.converse(stream).await;
                        drop(permit);
                    });
                }
                // One client that has gone already, or no descriptors: then somebody must go first.
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// What was asked so far, by name.
    pub fn counts(&self) -> BTreeMap<&'static str, u64> {
        let Counts { read, written, removed, missing, misdirected, sealed, refused } = &self.counts;
        let named = [
            ("read", read),
            ("written", written),
            ("removed", removed),
            ("missing", missing),
            ("misdirected", misdirected),
            ("sealed", sealed),
            ("refused", refused),
        ];
        named.map(|(name, count)| (name, count.load(Ordering::Relaxed))).into()
    }

    /// Answers one request. A connection has no second one, as the next object has another address.
    async fn converse(self: Arc<Self>, stream: TcpStream) {
        let (Ok(SocketAddr::V6(called)), Ok(caller)) = (stream.local_addr(), stream.peer_addr()) else { return };
        let service = service_fn(|request| {
            let server = self.clone();
            async move { Ok::<_, Infallible>(server.answer(request, *called.ip(), caller.ip()).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER)
            .keep_alive(false)
            .serve_connection(TokioIo::new(stream), service);
        // Whoever goes away has his own way to notice.
        let _ = timeout(CONNECTION, connection).await;
    }

    async fn answer(self: Arc<Self>, request: Request<Incoming>, called: Ipv6Addr, caller: IpAddr) -> Answer {
        let (head, body) = request.into_parts();
        let is_service = self.places.slice(called).is_some();
        if !is_service && !self.is_peer(caller) {
            return said(StatusCode::FORBIDDEN, format!("{caller} is no peer: whole slices are for peers alone\n"));
        }
        // What is refused whatever it brings is refused before that has come.
        if !METHODS.contains(&head.method) {
            let mut answer = self.said(StatusCode::METHOD_NOT_ALLOWED, "use GET, HEAD, PUT or DELETE\n".into());
            answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, PUT, DELETE"));
            return answer;
        }
        let octets = match collect(body, LARGEST).await {
            Ok(octets) => octets,
            Err(Bad::TooLarge) => {
                let text = format!("an object has at most {LARGEST} octets\n");
                return self.said(StatusCode::PAYLOAD_TOO_LARGE, text);
            }
            Err(Bad::Unreadable(error)) => {
                return self.said(StatusCode::BAD_REQUEST, format!("the request cannot be read: {error:#}\n"));
            }
        };
        let asked = Asked { method: head.method, path: head.uri.path().to_owned(), called, octets };
        // Files are read and written without asking this runtime.
        let work = spawn_blocking(move || if is_service { self.object(&asked) } else { self.slices(&asked) });
        work.await.unwrap_or_else(|_| said(StatusCode::INTERNAL_SERVER_ERROR, "it went wrong\n".into()))
    }

    fn is_peer(&self, caller: IpAddr) -> bool {
        matches!(caller, IpAddr::V6(caller) if self.peers.iter().any(|peers| peers.contains(&caller)))
    }

    /// An answer that is counted by its status.
    fn said(&self, status: StatusCode, text: String) -> Answer {
        let count = match status {
            StatusCode::NOT_FOUND => &self.counts.missing,
            StatusCode::MISDIRECTED_REQUEST => &self.counts.misdirected,
            StatusCode::SERVICE_UNAVAILABLE => &self.counts.sealed,
            _ => &self.counts.refused,
        };
        count.fetch_add(1, Ordering::Relaxed);
        said(status, text)
    }
}

fn said(status: StatusCode, text: String) -> Answer {
    given(status, text.into_bytes())
}

fn given(status: StatusCode, octets: Vec<u8>) -> Answer {
    let mut answer = Response::new(Whole::new(octets));
    *answer.status_mut() = status;
    answer
}

/// The status of what the disk would not do.
fn status(error: &DiskError) -> StatusCode {
    match error {
        DiskError::Sealed => StatusCode::SERVICE_UNAVAILABLE,
        DiskError::NotSealed => StatusCode::CONFLICT,
        DiskError::Io(_) => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
