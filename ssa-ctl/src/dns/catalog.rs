//! What is published in; a zone for our server, with what every zone has at its top, out.

use std::{net::IpAddr, sync::Arc};

use hickory_proto::{
    ProtoError,
    rr::{
        Name, RData, Record,
        rdata::{A, AAAA, NS, SOA},
    },
};
use hickory_server::{
    net::runtime::TokioRuntimeProvider,
    store::in_memory::InMemoryZoneHandler,
    zone_handler::{AxfrPolicy, Catalog, ZoneType},
};

use super::Published;

/// Seconds for which it may be kept that there is no such record.
const NEGATIVE: u32 = 30;
/// The times of the SOA record: refresh, retry, expire. No secondary asks us.
const TIMES: (i32, i32, i32) = (3600, 600, 86_400);
/// The label of the name server, and of whom to write to.
const LABELS: (&str, &str) = ("ns", "hostmaster");

/// A catalog with one zone. `server` is the address that we answer at, if it is one.
///
/// # Errors
/// Where the zone's name leaves no room for labels below it.
pub fn catalog(
    zone: &Name,
    published: &[Published],
    server: Option<IpAddr>,
    serial: u32,
) -> Result<Catalog, ProtoError> {
    let (ns, contact) = (zone.prepend_label(LABELS.0)?, zone.prepend_label(LABELS.1)?);
    let mut handler: InMemoryZoneHandler<TokioRuntimeProvider> =
        InMemoryZoneHandler::empty(zone.clone(), ZoneType::Primary, AxfrPolicy::Deny);
    let mut add = |name: &Name, ttl, data| {
        handler.upsert_mut(Record::from_rdata(name.clone(), ttl, data), serial);
    };
    let soa = SOA::new(ns.clone(), contact, serial, TIMES.0, TIMES.1, TIMES.2, NEGATIVE);
    add(zone, NEGATIVE, RData::SOA(soa));
    add(zone, NEGATIVE, RData::NS(NS(ns.clone())));
    // A service of that name has an address of its own.
    if !published.iter().any(|published| published.name == ns) {
        match server {
            Some(IpAddr::V6(address)) => add(&ns, NEGATIVE, RData::AAAA(AAAA(address))),
            Some(IpAddr::V4(address)) => add(&ns, NEGATIVE, RData::A(A(address))),
            None => {}
        }
    }
    for entry in published.iter().flat_map(Published::entries) {
        add(&entry.name, entry.ttl, entry.data.rdata());
    }
    let mut catalog = Catalog::new();
    catalog.upsert(zone.clone().into(), vec![Arc::new(handler)]);
    Ok(catalog)
}
