//! A request and its sender in; addresses for the sender as JSON, or an error as JSON, out.

use std::{net::SocketAddr, time::Duration};

use hyper::{
    Method, Request, StatusCode,
    header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER},
};
use serde::Serialize;
use ssa_client::issue::{PATH, Question};
use ssa_common::rule::AddressError;

use super::{
    super::http::{Answer, by_method, client, typed},
    offer::{NoAddress, Offer},
};
use crate::{
    failure::{Code, Failure},
    output,
};

/// Answers whoever may be answered now.
pub(super) fn answer<B>(offer: &Offer, request: &Request<B>, peer: SocketAddr, time: u64) -> Answer {
    let uri = request.uri();
    if uri.path() != PATH {
        return refused(StatusCode::NOT_FOUND, &Failure::new(Code::Invalid, format!("addresses are at {PATH}")));
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let refused = refused(StatusCode::METHOD_NOT_ALLOWED, &Failure::new(Code::Invalid, "use GET"));
        return by_method(refused, "GET, HEAD");
    }
    let source = client(peer);
    if let Some(old) = source.to_ipv4_mapped() {
        let failure =
            Failure::new(Code::NotPermitted, format!("you call from {old}, and addresses are for IPv6 sources"));
        return refused(
            StatusCode::FORBIDDEN,
            &failure.hint("call over IPv6, from the source that is to use the address"),
        );
    }
    let question = match Question::parse(uri.query().unwrap_or_default()) {
        Ok(question) => question,
        Err(error) => {
            let hint = format!("write {PATH}?service=NAME, and object=, replica= and n= where they are needed");
            return refused(StatusCode::BAD_REQUEST, &Failure::from(error).code(Code::Invalid).hint(hint));
        }
    };
    match offer.answer(&question, source, time) {
        Ok(answer) => json(StatusCode::OK, &answer),
        Err(why) => none(&question.service, &why),
    }
}

/// An answer to who is to come back later.
pub(super) fn late(wait: Duration) -> Answer {
    // A part of a second is a whole one.
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    let failure = Failure::new(Code::Failed, "your network asks too often");
    let mut answer = refused(StatusCode::TOO_MANY_REQUESTS, &failure.hint(format!("ask again in {seconds} s")));
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// Why there is no address of a service.
fn none(service: &str, why: &NoAddress) -> Answer {
    let no_address = format!("the service {service} has no such address");
    let invalid =
        |error: AddressError| Failure::from(anyhow::Error::new(error).context(no_address)).code(Code::Invalid);
    let (status, failure) = match *why {
        NoAddress::NoService => (
            StatusCode::NOT_FOUND,
            Failure::new(Code::Invalid, format!("no service named {service} is given out here")),
        ),
        NoAddress::Work => {
            let message = format!("the rule of {service} has a proof of work, which nobody searches for others");
            let hint = "without a mac clients search it themselves; beside a mac it takes the key";
            (StatusCode::BAD_REQUEST, Failure::new(Code::Invalid, message).hint(hint))
        }
        NoAddress::Lacks(error @ AddressError::NoObject) => {
            (StatusCode::BAD_REQUEST, invalid(error).hint("add object=ID"))
        }
        NoAddress::Lacks(error @ AddressError::NoReplica { .. }) => {
            (StatusCode::BAD_REQUEST, invalid(error).hint("choose one with replica=R"))
        }
        NoAddress::Lacks(error @ (AddressError::NoKey | AddressError::Cancelled)) => {
            (StatusCode::SERVICE_UNAVAILABLE, invalid(error).code(Code::Failed))
        }
    };
    refused(status, &failure)
}

fn refused(status: StatusCode, failure: &Failure) -> Answer {
    json(status, &output::object(failure))
}

/// JSON that no cache keeps: it is for one client.
fn json(status: StatusCode, object: &impl Serialize) -> Answer {
    // Strings and numbers can always be written.
    let text = serde_json::to_string(object).unwrap_or_default() + "\n";
    let mut answer = typed(status, "application/json", text);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
