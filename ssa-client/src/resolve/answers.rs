//! A name and a record type in; the records' data, how long they hold and whether DNSSEC vouches for them, out.

use std::time::Duration;

use hickory_resolver::{
    TokioResolver,
    net::{DnsError, NetError, NoRecords},
    proto::{
        ProtoError,
        rr::{Name, RData, RecordType},
        serialize::binary::DecodeError,
    },
};

use super::{ResolveError, name::shown};
use crate::apl;

/// Records of one type, or what is summed up of several.
#[derive(Debug)]
pub(super) struct Answers {
    /// Their data, in the order of the answer. Empty: there are none.
    pub data: Vec<RData>,
    /// How long all of them hold.
    pub ttl: Duration,
    /// All of them are signed, and the signatures are right.
    pub authenticated: bool,
}

impl Default for Answers {
    fn default() -> Self {
        Self { data: Vec::new(), ttl: Duration::MAX, authenticated: true }
    }
}

impl Answers {
    /// Goes by these, too. That there are none is nothing to go by.
    pub(super) fn add(&mut self, other: &Self) {
        if !other.data.is_empty() {
            self.ttl = self.ttl.min(other.ttl);
            self.authenticated &= other.authenticated;
        }
    }
}

/// Asks. No records and no such name are an answer, too.
pub(super) async fn ask(dns: &TokioResolver, name: &Name, kind: RecordType) -> Result<Answers, ResolveError> {
    let lookup = match dns.lookup(name.clone(), kind).await {
        Ok(lookup) => lookup,
        Err(error) if is_nothing(&error) => {
            return match leads_on(dns, &error).await {
                Ok(false) => Ok(Answers::default()),
                Ok(true) => Err(failed(name, kind, "too many CNAME records lead from name to name".into())),
                Err(error) => Err(failed(name, kind, error)),
            };
        }
        Err(error) if kind == list() && is_empty(&error) => {
            return Ok(Answers { data: vec![RData::Update0(kind)], ttl: Duration::ZERO, authenticated: false });
        }
        Err(error) => return Err(failed(name, kind, error)),
    };
    // Names that led there hold no longer than they say, either.
    let ttl = lookup.answers().iter().map(|record| record.ttl).min().unwrap_or(0);
    let authenticated = lookup.answers().iter().all(|record| record.proof.is_secure());
    let data = lookup.answers().iter().map(|record| &record.data).filter(|data| data.record_type() == kind);
    Ok(Answers { data: data.cloned().collect(), ttl: Duration::from_secs(ttl.into()), authenticated })
}

fn failed(name: &Name, kind: RecordType, error: NetError) -> ResolveError {
    ResolveError::Dns { name: shown(name), kind: word(kind), error: error.into() }
}

/// The type of address prefix lists, which hickory does not know.
pub(super) fn list() -> RecordType {
    RecordType::from(apl::TYPE)
}

/// A record type as people write it.
pub(super) fn word(kind: RecordType) -> String {
    if kind == list() { "APL".into() } else { kind.to_string() }
}

/// Whether a record has no octets: hickory takes none in an answer, and a list without items is one.
fn is_empty(error: &NetError) -> bool {
    matches!(error, NetError::Proto(ProtoError::Decode(DecodeError::InvalidEmptyRecord)))
}

/// Whether the answer is that there is nothing: with DNSSEC, one that is proven, or that of a zone without.
fn is_nothing(error: &NetError) -> bool {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(_)) => true,
        NetError::Dns(DnsError::Nsec { proof, .. }) => !proof.is_bogus() && !proof.is_indeterminate(),
        _ => false,
    }
}

/// Whether nothing was found for the reason alone that the names have no end. hickory follows some of them and then says what
/// it says of a name without records, but for the record SOA that comes with those (RFC 2308 §2.2): where there is none, the
/// last name is asked whether it leads on.
async fn leads_on(dns: &TokioResolver, error: &NetError) -> Result<bool, NetError> {
    let NetError::Dns(DnsError::NoRecordsFound(NoRecords { query, soa: None, .. })) = error else { return Ok(false) };
    match dns.lookup(query.name().clone(), RecordType::CNAME).await {
        Ok(lookup) => Ok(lookup.answers().iter().any(|record| record.record_type() == RecordType::CNAME)),
        Err(error) if is_nothing(&error) => Ok(false),
        Err(error) => Err(error),
    }
}
