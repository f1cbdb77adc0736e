//! A listener and who answers in; HTTP connections of bounded number, header and time, each with one answer, out.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use anyhow::Context as _;
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{ALLOW, CONTENT_TYPE, HeaderValue},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    task::yield_now,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use super::{
    clients::{Asked, Clients, Room},
    end::End,
};
use crate::context::Context;

/// How long a client may take to send its request.
const REQUEST: Duration = Duration::from_secs(5);
/// How long a connection may take from its first octet to its last.
const CONNECTION: Duration = Duration::from_secs(10);
/// How long answers may still take when we are told to end.
const END: Duration = Duration::from_secs(1);
/// Octets of a request's header, and lines of it.
const HEADER: (usize, usize) = (16 << 10, 64);
/// The bits of an IPv6 address that tell one network of clients from others.
pub(super) const NETWORK: u32 = 48;

/// An answer, whole.
pub(super) type Answer = Response<String>;

/// Who answers.
pub(super) trait Answering: Clone + Send + Sync + 'static {
    /// Whether a connection from there is taken. One that is not is closed without a word.
    fn admits(&self, _network: u64) -> bool {
        true
    }

    /// By which certificate, where it is TLS.
    fn tls(&self) -> Option<TlsAcceptor> {
        None
    }

    /// Answers one request.
    fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> impl Future<Output = Answer> + Send;
}

/// Answers until somebody wants an end.
pub(super) async fn serve(listener: TcpListener, room: Room, answering: impl Answering, end: &mut End) {
    let mut clients = Clients::new(room);
    loop {
        tokio::select! {
            accepted = listener.accept(), if clients.may_come() => match accepted {
                Ok((stream, peer)) => {
                    take(&mut clients, stream, peer, &answering);
                    // Who has sent its request already is heard before the next one comes.
                    yield_now().await;
                }
                Err(error) => {
                    // One client that has gone already, or no descriptors: then somebody must go first.
                    tracing::warn!("cannot take a connection: {error}");
                    sleep(Duration::from_millis(100)).await;
                }
            },
            Some(()) = clients.ended() => {}
            () = end.wanted() => break,
        }
    }
    drop(listener);
    // What takes longer is cut off.
    let _ = timeout(END, async { while clients.ended().await.is_some() {} }).await;
}

/// Says where we listen, and what who reaches it can do, where that is not this host alone.
pub(super) fn greet(
    context: &mut Context<'_>,
    address: SocketAddr,
    url: &str,
    danger: Option<&str>,
) -> anyhow::Result<()> {
    if let Some(danger) = danger.filter(|_| !address.ip().is_loopback()) {
        writeln!(context.err, "warning: {address} is not on the loopback interface: {danger}")?;
    }
    writeln!(context.err, "listening at {url}")?;
    if context.json {
        context.object(&json!({ "listening": url }))?;
        context.out.flush().context("cannot say where we listen")?;
    }
    Ok(())
}

/// An answer of a text.
pub(super) fn typed(status: StatusCode, content_type: &'static str, text: String) -> Answer {
    let mut answer = Response::new(text);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

/// The same, to who asks by another method than these.
pub(super) fn by_method(mut answer: Answer, allowed: &'static str) -> Answer {
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// The address of a client, which is of IPv4 where it is mapped.
pub(super) fn client(peer: SocketAddr) -> Ipv6Addr {
    match peer.ip() {
        IpAddr::V6(address) => address,
        IpAddr::V4(address) => address.to_ipv6_mapped(),
    }
}

/// The network of a client: all of IPv4 is one.
pub(super) fn network(peer: SocketAddr) -> u64 {
    let bits = client(peer).to_bits() >> (128 - NETWORK);
    u64::try_from(bits).unwrap_or_default()
}

/// Takes a connection, if there is room for it.
fn take<A: Answering>(clients: &mut Clients, stream: TcpStream, peer: SocketAddr, answering: &A) {
    let network = network(peer);
    if !answering.admits(network) {
        return tracing::info!("a connection from {peer} is closed: there are too many of its network");
    }
    if !clients.take(network, |asked| meet(stream, peer, answering.clone(), asked)) {
        tracing::info!("a connection from {peer} is closed: its network has no room");
    }
}

/// Agrees on keys, where it is TLS, and answers.
async fn meet<A: Answering>(stream: TcpStream, peer: SocketAddr, answering: A, asked: Asked) {
    let whole = async {
        let Some(tls) = answering.tls() else { return converse(stream, peer, &answering, asked).await };
        match timeout(REQUEST, tls.accept(stream)).await {
            Ok(Ok(stream)) => converse(stream, peer, &answering, asked).await,
            Ok(Err(error)) => tracing::info!("a connection from {peer} is no TLS: {error}"),
            Err(_) => tracing::info!("{peer} took longer than {} s to agree on TLS", REQUEST.as_secs()),
        }
    };
    if timeout(CONNECTION, whole).await.is_err() {
        tracing::info!("a connection took longer than {} s", CONNECTION.as_secs());
    }
}

/// Answers one request. A connection has no second one, so that whoever is slow is slow only once.
async fn converse<A, S>(stream: S, peer: SocketAddr, answering: &A, asked: Asked)
where
    A: Answering,
    S: AsyncRead + AsyncWrite + Unpin,
{
    let service = service_fn(|request| {
        asked.set(true);
        async move { Ok::<_, Infallible>(answering.answer(request, peer).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST)
        .max_buf_size(HEADER.0)
        .max_headers(HEADER.1)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::info!("a connection ended: {error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_48_bits_and_ipv4_is_one() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("[2001:db8:77:1::1]:1"), of("[2001:db8:77:ffff::2]:2"));
        assert_ne!(of("[2001:db8:77::1]:1"), of("[2001:db8:78::1]:1"));
        assert_eq!(of("192.0.2.1:1"), of("[::ffff:198.51.100.1]:1"));
    }
}
