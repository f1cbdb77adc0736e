//! An issuer and a source in; one request from there, and what was answered, within bounds, out.

use std::{
    future::poll_fn,
    io,
    net::{Ipv6Addr, SocketAddr},
    pin::Pin,
    time::Duration,
};

use hyper::{
    Request, Response,
    body::{Body as _, Incoming},
    client::conn::http1,
    header::{ACCEPT, CONNECTION, HOST},
};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream, lookup_host},
    task::JoinSet,
    time::timeout,
};

use super::{
    IssueError, Roots,
    url::{Host, Url},
};

/// How long an issuer may take, from the first packet to the last octet.
const LONGEST: Duration = Duration::from_secs(5);
/// Addresses of an issuer's name that are tried, in order.
const MOST_HOSTS: usize = 4;
/// Octets of an answer, at most: 64 addresses have 3 KiB.
const MOST_OCTETS: usize = 16 << 10;
/// Octets of its header, and lines of it.
const HEADER: (usize, usize) = (16 << 10, 64);

/// What was answered.
pub(super) struct Said {
    pub status: u16,
    pub retry_after: Option<u32>,
    pub body: Vec<u8>,
}

/// Asks for this path and query, from this source: the address is for whom the issuer sees.
pub(super) async fn get(url: &Url, roots: Option<&Roots>, source: Ipv6Addr, target: &str) -> Result<Said, IssueError> {
    let late = |_| IssueError::TimedOut { issuer: url.authority.clone(), longest: LONGEST };
    timeout(LONGEST, ask(url, roots, source, target)).await.map_err(late)?
}

async fn ask(url: &Url, roots: Option<&Roots>, source: Ipv6Addr, target: &str) -> Result<Said, IssueError> {
    let reach = |error| IssueError::Reach { issuer: url.authority.clone(), error };
    let stream = connect(url, source).await.map_err(reach)?;
    match roots.filter(|_| url.secure) {
        None => converse(url, stream, target).await,
        Some(roots) => converse(url, roots.connect(&url.host, stream).await.map_err(reach)?, target).await,
    }
}

/// A connection from this source to the first address that takes it.
async fn connect(url: &Url, source: Ipv6Addr) -> io::Result<TcpStream> {
    let hosts: Vec<SocketAddr> = match &url.host {
        Host::Address(address) => vec![(*address, url.port).into()],
        Host::Name(name) => {
            lookup_host((name.as_str(), url.port)).await?.filter(SocketAddr::is_ipv6).take(MOST_HOSTS).collect()
        }
    };
    let mut last = io::Error::new(io::ErrorKind::NotFound, "it has no IPv6 address");
    for host in hosts {
        let socket = TcpSocket::new_v6()?;
        socket.bind((source, 0).into())?;
        match socket.connect(host).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// One request and its answer. No redirection is followed.
async fn converse<S>(url: &Url, stream: S, target: &str) -> Result<Said, IssueError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let builder = &mut http1::Builder::new();
    let builder = builder.max_buf_size(HEADER.0).max_headers(HEADER.1);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(IssueError::Http)?;
    // It ends with this future, whatever comes.
    let mut carrier = JoinSet::new();
    carrier.spawn(connection);
    let request = Request::get(target).header(HOST, &url.authority).header(ACCEPT, "application/json");
    let request = request.header(CONNECTION, "close").body(String::new());
    let request = request.map_err(|_| IssueError::Answer("what is asked for fits in no request".into()))?;
    let response = sender.send_request(request).await.map_err(IssueError::Http)?;
    let retry_after = response.headers().get(hyper::header::RETRY_AFTER);
    let retry_after = retry_after.and_then(|seconds| seconds.to_str().ok()?.parse().ok());
    Ok(Said { status: response.status().as_u16(), retry_after, body: read(response).await? })
}

async fn read(response: Response<Incoming>) -> Result<Vec<u8>, IssueError> {
    let (mut body, mut octets) = (response.into_body(), Vec::new());
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let Ok(data) = frame.map_err(IssueError::Http)?.into_data() else { continue };
        if octets.len() + data.len() > MOST_OCTETS {
            return Err(IssueError::Answer(format!("it has more than {MOST_OCTETS} octets")));
        }
        octets.extend_from_slice(&data);
    }
    Ok(octets)
}
