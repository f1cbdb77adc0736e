//! An issuer's URL in; addresses for a source of this host out, by a rule whose key the issuer alone has.
//!
//! An issuer answers whoever calls it with addresses for the source of that call, and for no other: so who has none of a
//! network's addresses gets none that is of use there. Nothing that it says is believed before it is held against the rule,
//! all but the `mac`: a [`Selector`](crate::Selector) does that.

mod call;
mod error;
mod kept;
mod question;
mod tls;
mod url;

use std::{
    net::Ipv6Addr,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::Deserialize;
use ssa_common::quote::Escaped;
use tokio::sync::Mutex;

use self::{call::Said, kept::Kept, url::Url};
pub use self::{
    error::IssueError,
    question::{Answer, MOST, PATH, Question, QuestionError},
    tls::Roots,
};

/// Characters of what an issuer says in words, at most.
const WORDS: usize = 200;
/// Seconds for which an answer holds, at most, whatever it says.
const MOST_TTL: u32 = 86_400;
/// Seconds after which an issuer that gave none is asked again, while what it gave before is still good.
const PAUSE: u64 = 5;

/// An issuer that is asked for the addresses of a service.
#[derive(Debug)]
pub struct Issuer {
    url: Url,
    roots: Option<Roots>,
    service: String,
    /// Only one asks at a time: who calls several prefixes at once asks once.
    kept: Mutex<Kept>,
}

/// Addresses that an issuer has given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Issued {
    pub addresses: Vec<Ipv6Addr>,
    /// Unix seconds, by the clock of this host, from which and until which it holds.
    pub since: u64,
    pub again: u64,
    /// The Unix second at which the filter refuses them.
    pub valid_until: Option<u64>,
}

impl Issuer {
    /// The issuer at this URL, `http://HOST[:PORT]` or `https://HOST[:PORT]`, for the service that its operator calls `service`.
    /// Over TLS the issuer must be known to `roots`. Nobody is called yet.
    ///
    /// # Errors
    /// Where the URL is none, or says TLS and there are no roots, or there are roots and it says no TLS.
    pub fn new(url: &str, service: impl Into<String>, roots: Option<Roots>) -> Result<Self, IssueError> {
        let url = Url::parse(url)?;
        if url.secure != roots.is_some() {
            let why = if url.secure {
                "name the certificates that it is known by"
            } else {
                "without TLS nobody is known by certificates"
            };
            return Err(IssueError::Roots(why));
        }
        Ok(Self { url, roots, service: service.into(), kept: Mutex::default() })
    }

    /// Addresses for calls from `source`, at most `count` of them: those that it gave before, as long as they hold, else what it
    /// says now. Where it gives none now, what is still good holds on.
    pub(crate) async fn addresses(
        &self,
        source: Ipv6Addr,
        object: Option<u128>,
        replica: u32,
        count: u32,
    ) -> Result<Issued, IssueError> {
        let service = self.service.clone();
        let question = Question { service, object, replica, count: count.clamp(1, MOST) };
        let mut kept = self.kept.lock().await;
        let begin = unix();
        let before = kept.get(source, &question).filter(|issued| begin >= issued.since);
        if let Some(issued) = before.filter(|issued| begin < issued.again) {
            return Ok(issued.clone());
        }
        let target = self.url.target(&question.query());
        let asked = call::get(&self.url, self.roots.as_ref(), source, &target).await;
        let now = unix();
        let issued = match asked.and_then(|said| read(&said, source, &question, now)) {
            Ok(issued) => issued,
            Err(error) => {
                let good = before.filter(|issued| issued.valid_until.is_none_or(|end| now < end));
                let mut issued = good.cloned().ok_or(error)?;
                issued.again = issued.valid_until.unwrap_or(u64::MAX).min(now + PAUSE);
                issued
            }
        };
        kept.put(source, question, issued.clone(), now);
        Ok(issued)
    }
}

/// What an issuer says, if it is an answer to that question. The addresses are whatever it likes.
fn read(said: &Said, source: Ipv6Addr, question: &Question, now: u64) -> Result<Issued, IssueError> {
    if said.status != 200 {
        return Err(IssueError::Refused {
            status: said.status,
            message: message(&said.body),
            retry_after: said.retry_after,
        });
    }
    let answer: Answer = serde_json::from_slice(&said.body).map_err(IssueError::Json)?;
    let wrong = |why: String| Err(IssueError::Answer(why));
    if answer.source != source {
        return wrong(format!(
            "it is for {}, as which the issuer sees {source}: something between changes addresses",
            answer.source
        ));
    }
    if answer.service != question.service {
        return wrong("it is of another service".into());
    }
    if answer.addresses.is_empty() || answer.addresses.len() > question.count as usize {
        return wrong(format!("it has {} addresses, and {} were asked for", answer.addresses.len(), question.count));
    }
    if answer.valid_until.is_some_and(|end| end <= now) {
        return wrong("its addresses are refused already, by the clock of this host".into());
    }
    let again = now.saturating_add(answer.ttl.clamp(1, MOST_TTL).into());
    let again = answer.valid_until.map_or(again, |end| end.min(again));
    Ok(Issued { addresses: answer.addresses, since: now, again, valid_until: answer.valid_until })
}

/// The words of an error, without what a terminal would take for more than words.
fn message(body: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Object {
        error: Words,
    }
    #[derive(Deserialize)]
    struct Words {
        message: String,
    }
    let words = serde_json::from_slice::<Object>(body).map(|object| object.error.message).unwrap_or_default();
    let words: String = words.chars().take(WORDS).collect();
    if words.is_empty() { "it does not say why".into() } else { Escaped(&words).to_string() }
}

fn unix() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests;
