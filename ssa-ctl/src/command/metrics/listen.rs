//! An address in; metrics over HTTP out, read anew at each scrape, until a signal.

use std::{
    convert::Infallible,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ACCEPT, ALLOW, CONTENT_TYPE, HeaderMap},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    task::{AbortHandle, JoinSet, spawn_blocking, yield_now},
    time::{sleep, timeout},
};

use crate::{
    command::{end::End, listening::refused},
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
    metrics::{Format, families, text},
    observe::reading::Reading,
};

/// Connections at a time. For another one the oldest that has not asked yet is closed; where all have, it waits.
const CONNECTIONS: usize = 16;
/// How long a client may take to send its request.
const REQUEST: Duration = Duration::from_secs(5);
/// How long a connection may take from its first octet to its last.
const CONNECTION: Duration = Duration::from_secs(10);
/// How long answers may still take when we are told to end.
const END: Duration = Duration::from_secs(1);
/// Octets of a request's header, and lines of it.
const HEADER: (usize, usize) = (16 << 10, 64);

/// Serves until a signal.
pub(super) fn serve(context: &mut Context<'_>, address: SocketAddr) -> Outcome {
    // Who may not read now may not later; nothing loaded is no reason not to wait for it.
    match Reading::take(&context.pin_root) {
        Err(failure) if failure.code == Code::NotPermitted => return Err(failure),
        _ => {}
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await.map_err(|error| refused(error, address))?;
        // Before anybody is told that we are there: whoever reads that may stop us.
        let mut end = End::new()?;
        greet(context, listener.local_addr()?)?;
        let mut clients = Clients::default();
        loop {
            tokio::select! {
                accepted = listener.accept(), if clients.may_come() => match accepted {
                    Ok((stream, _)) => {
                        clients.take(stream, &context.pin_root);
                        // Who has sent its request already is heard before the next one comes.
                        yield_now().await;
                    }
                    Err(error) => {
                        // One client that has gone already, or no descriptors: then somebody must go first.
                        tracing::warn!("cannot take a connection: {error}");
                        sleep(Duration::from_millis(100)).await;
                    }
                },
                Some(_) = clients.connections.join_next() => clients.open.retain(|client| !client.handle.is_finished()),
                () = end.wanted() => break,
            }
        }
        drop(listener);
        // What takes longer is cut off.
        let _ = timeout(END, async { while clients.connections.join_next().await.is_some() {} }).await;
        Ok(Exit::Done)
    })
}

/// The connections that there are.
#[derive(Default)]
struct Clients {
    connections: JoinSet<()>,
    /// The oldest first.
    open: Vec<Client>,
}

struct Client {
    handle: AbortHandle,
    /// It has sent its request, and is answered.
    has_asked: Arc<AtomicBool>,
}

impl Clients {
    fn waiting(&self) -> Option<usize> {
        self.open.iter().position(|client| !client.has_asked.load(Ordering::Relaxed))
    }

    /// Whether there is room for another one, or can be.
    fn may_come(&self) -> bool {
        self.open.len() < CONNECTIONS || self.waiting().is_some()
    }

    fn take(&mut self, stream: TcpStream, pin_root: &Path) {
        if self.open.len() >= CONNECTIONS
            && let Some(oldest) = self.waiting()
        {
            // Whoever is slow, or says nothing, keeps nobody out.
            self.open.remove(oldest).handle.abort();
        }
        let has_asked = Arc::new(AtomicBool::new(false));
        let handle = self.connections.spawn(converse(stream, pin_root.to_owned(), has_asked.clone()));
        self.open.push(Client { handle, has_asked });
    }
}

/// Says where we listen.
fn greet(context: &mut Context<'_>, address: SocketAddr) -> anyhow::Result<()> {
    if !address.ip().is_loopback() {
        let what = "whoever reaches it reads names and counters, as there is no password";
        writeln!(context.err, "warning: {address} is not on the loopback interface: {what}")?;
    }
    let url = format!("http://{address}/metrics");
    writeln!(context.err, "listening at {url}")?;
    if context.json {
        context.object(&json!({ "listening": url }))?;
        context.out.flush().context("cannot say where we listen")?;
    }
    Ok(())
}

/// Answers one request. A connection has no second one, so that whoever is slow is slow only once.
async fn converse(stream: TcpStream, pin_root: PathBuf, has_asked: Arc<AtomicBool>) {
    let service = service_fn(|request| {
        has_asked.store(true, Ordering::Relaxed);
        answer(request, pin_root.clone())
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(REQUEST)
        .max_buf_size(HEADER.0)
        .max_headers(HEADER.1)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    match timeout(CONNECTION, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::info!("a connection ended: {error}"),
        Err(_) => tracing::info!("a connection took longer than {} s", CONNECTION.as_secs()),
    }
}

type Answer = Response<String>;

async fn answer(request: Request<Incoming>, pin_root: PathBuf) -> Result<Answer, Infallible> {
    Ok(match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => {
            let format = format(request.headers());
            // Netlink has a runtime of its own, and maps are read without asking this one.
            spawn_blocking(move || scrape(&pin_root, format))
                .await
                .unwrap_or_else(|_| said(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be read\n".into()))
        }
        (_, "/metrics") => {
            let mut answer = said(StatusCode::METHOD_NOT_ALLOWED, "use GET\n".into());
            answer.headers_mut().insert(ALLOW, hyper::header::HeaderValue::from_static("GET, HEAD"));
            answer
        }
        _ => said(StatusCode::NOT_FOUND, "the metrics are at /metrics\n".into()),
    })
}

fn scrape(pin_root: &Path, format: Format) -> Answer {
    let read = || -> Result<String, Failure> { Ok(text(&families(&Reading::take(pin_root)?), format)?) };
    match read() {
        Ok(text) => typed(StatusCode::OK, format.content_type(), text),
        Err(failure) => {
            let status = match failure.code {
                Code::NotLoaded => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::INTERNAL_SERVER_ERROR,
            };
            said(status, format!("{:#}\n", failure.error))
        }
    }
}

fn said(status: StatusCode, text: String) -> Answer {
    typed(status, "text/plain; charset=utf-8", text)
}

fn typed(status: StatusCode, content_type: &'static str, text: String) -> Answer {
    let mut answer = Response::new(text);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(content_type));
    answer
}

/// `OpenMetrics` for whoever asks for it, as Prometheus does; the older format for all others.
fn format(headers: &HeaderMap) -> Format {
    let mut asked = headers.get_all(ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
    if asked.any(|value| value.contains("application/openmetrics-text")) { Format::Open } else { Format::Plain }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prometheus_gets_what_it_asks_for() {
        let of = |value: &str| format(&HeaderMap::from_iter([(ACCEPT, value.parse().unwrap())]));
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        assert_eq!(of(prometheus), Format::Open);
        assert_eq!(
            (of("*/*"), of("text/plain"), format(&HeaderMap::new())),
            (Format::Plain, Format::Plain, Format::Plain)
        );
    }
}
