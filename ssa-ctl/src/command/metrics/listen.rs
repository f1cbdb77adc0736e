//! An address in; metrics over HTTP out, read anew at each scrape, until a signal.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use hyper::{
    Method, Request, StatusCode,
    body::Incoming,
    header::{ACCEPT, HeaderMap},
};
use tokio::{net::TcpListener, task::spawn_blocking};

use crate::{
    command::{
        clients::Room,
        end::End,
        http::{self, Answer, Answering, by_method, typed},
        listening::refused,
    },
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
    metrics::{Format, families, text},
    observe::reading::Reading,
};

/// Connections at a time, whoever they are of.
const ROOM: Room = Room { all: 16, each: 16 };

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
        let address = listener.local_addr()?;
        let danger = "whoever reaches it reads names and counters, as there is no password";
        http::greet(context, address, &format!("http://{address}/metrics"), Some(danger))?;
        http::serve(listener, ROOM, Scraping { pin_root: context.pin_root.clone() }, &mut end).await;
        Ok(Exit::Done)
    })
}

/// Reads anew for each scrape.
#[derive(Clone)]
struct Scraping {
    pin_root: PathBuf,
}

impl Answering for Scraping {
    async fn answer(&self, request: Request<Incoming>, _: SocketAddr) -> Answer {
        match (request.method(), request.uri().path()) {
            (&Method::GET | &Method::HEAD, "/metrics") => {
                let (pin_root, format) = (self.pin_root.clone(), format(request.headers()));
                // Netlink has a runtime of its own, and maps are read without asking this one.
                spawn_blocking(move || scrape(&pin_root, format)).await.unwrap_or_else(|_| {
                    said(StatusCode::INTERNAL_SERVER_ERROR, "the metrics could not be read\n".into())
                })
            }
            (_, "/metrics") => by_method(said(StatusCode::METHOD_NOT_ALLOWED, "use GET\n".into()), "GET, HEAD"),
            _ => said(StatusCode::NOT_FOUND, "the metrics are at /metrics\n".into()),
        }
    }
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
