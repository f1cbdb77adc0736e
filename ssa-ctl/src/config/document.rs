//! The whole document in; the config, where its parts stand, and faults out.

use std::{
    collections::HashSet,
    ops::{Range, RangeInclusive},
};

use toml::{Spanned, de::DeTable};

use super::{
    Spans,
    endpoint::{self, EndpointDraft, Endpoints},
    host::{DEFAULT_EVENTS, DEFAULT_FLOWS, Host, MOST_EVENTS, Mode},
    low_priority,
    model::Config,
    prefixes,
    service::{self, Draft},
    slices,
    source::Source,
    table::{At, Sink, Table},
    text::VERSION,
};

/// Services in one config, at most: the program numbers them with 12 bits, and 0 is outside all.
const MAX_SERVICES: usize = 4095;
/// Flows that a host remembers.
const FLOWS: RangeInclusive<u64> = 1024..=4_194_304;
/// Longest name of a network interface (Linux, `IFNAMSIZ` less its end).
const INTERFACE_NAME: usize = 15;

/// Reads a document. There is a config wherever each part of it could be read.
pub(super) fn read<'t>(
    source: &Source,
    document: &'t Spanned<DeTable<'t>>,
    sink: &mut Sink,
) -> (Option<Config>, Spans) {
    let mut table = Table::new("the config", document.get_ref(), 0..0, sink);
    version(&mut table);
    let mut spans = Spans::default();
    let host = if let Some(value) = table.get("host") {
        Table::of("[host]", value, table.sink).map(|table| host(table, &mut spans))
    } else {
        unattached(0..0, table.sink);
        Some((Host::default(), None))
    };
    let (host, host_endpoint) = host.map_or((None, None), |(host, endpoint)| (Some(host), endpoint));
    let endpoints = table.tables("endpoint", "[[endpoint]]");
    let services = table.tables("service", "[[service]]");
    if services.is_some_and(<[_]>::is_empty) {
        let help = "add a table [[service]] with name, prefixes and rule";
        table.sink.missing(0..0, "the config has no service", help);
    }
    let services = services.unwrap_or_default();
    if let Some(extra) = services.get(MAX_SERVICES) {
        let message = format!("the config has {} services", services.len());
        table.sink.error(extra.span(), message, format!("a config has at most {MAX_SERVICES} services"));
    }
    let drafts: Vec<_> = services.iter().filter_map(|value| service::read(source, value, table.sink)).collect();
    let endpoints: Vec<_> =
        endpoints.unwrap_or_default().iter().filter_map(|value| endpoint::read(value, table.sink)).collect();
    let by_name = Endpoints::new(&endpoints);
    if let Some(name) = host_endpoint {
        by_name.find(&name, table.sink);
    }
    together(&drafts, &by_name, table.sink);
    if let Some(host) = &host {
        let lows: Vec<_> = drafts.iter().map(|draft| &draft.low).collect();
        low_priority::together(&lows, host, table.sink);
    }
    table.end();

    let endpoints: Option<Vec<_>> = endpoints.iter().map(EndpointDraft::finish).collect();
    let complete = drafts.len() == services.len();
    let services: Option<Vec<_>> = drafts
        .into_iter()
        .map(|draft| {
            let (service, places) = draft.finish()?;
            spans.services.push(places);
            Some(service)
        })
        .collect();
    // What is not here is a fault that was said.
    let whole = host.zip(endpoints).zip(services.filter(|_| complete));
    let config = whole.map(|((host, endpoints), services)| Config { host, endpoints, services });
    (config, spans)
}

fn version(table: &mut Table<'_, '_>) {
    table.require("version", "1");
    if let Some(At { value, span }) = table.integer("version", 0..=u64::MAX)
        && value != VERSION
    {
        let message = format!("version {value} of the config format is not known");
        table.sink.error(span, message, format!("this ssa-ctl reads version = {VERSION}"));
    }
}

/// The host, and where it says which endpoint it is.
fn host<'t>(mut table: Table<'t, '_>, spans: &mut Spans) -> (Host, Option<At<&'t str>>) {
    let list = table.strings("interfaces", "[\"eth0\"]");
    let At { value: names, span } = list.unwrap_or_else(|| At { value: Vec::new(), span: table.span() });
    if names.is_empty() {
        unattached(span, table.sink);
    }
    let mode = table.choice("mode", &[("native", Mode::Native), ("generic", Mode::Generic)]);
    let endpoint = table.string("endpoint", "\"a\"");
    let flows = table.integer("flows", FLOWS).map_or(Some(DEFAULT_FLOWS), |flows| flows.value.try_into().ok());
    let events = table.integer("events", 0..=MOST_EVENTS.into());
    let (low_priority, low_cpu) = low_priority::host(&mut table);
    let mut seen = HashSet::new();
    for At { value, span } in &names {
        if !is_interface_name(value) {
            let help = "an interface's name has 1 to 15 characters, no spaces, no slash and no colon";
            table.sink.error(span.clone(), format!("{value:?} cannot be the name of an interface"), help);
        } else if !seen.insert(*value) {
            table.sink.error(span.clone(), format!("the interface {value} is named twice"), "name it once");
        }
    }
    table.end();
    spans.low_cpu = low_cpu;
    spans.interfaces = names.iter().map(|name| name.span.clone()).collect();
    let host = Host {
        interfaces: names.iter().map(|name| name.value.to_owned()).collect(),
        mode: mode.unwrap_or_default(),
        endpoint: endpoint.as_ref().map(|name| name.value.to_owned()),
        flows: flows.unwrap_or(DEFAULT_FLOWS),
        events: events.and_then(|events| u32::try_from(events.value).ok()).unwrap_or(DEFAULT_EVENTS),
        low_priority,
    };
    (host, endpoint)
}

fn unattached(span: Range<usize>, sink: &mut Sink) {
    let help = "nothing is attached: name the interfaces, as in interfaces = [\"eth0\"]";
    sink.warning(span, "the host has no interfaces", help);
}

/// What the kernel takes as a name (Linux, `dev_valid_name`).
fn is_interface_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && name.len() <= INTERFACE_NAME
        && !name.contains(|c: char| matches!(c, '/' | ':') || c.is_whitespace() || c.is_control())
}

/// The faults of services and endpoints that are right each by itself.
fn together(drafts: &[Draft<'_>], endpoints: &Endpoints<'_, '_>, sink: &mut Sink) {
    let mut seen = HashSet::new();
    for name in drafts.iter().filter_map(|draft| draft.name.as_ref()) {
        if !seen.insert(name.value) {
            let message = format!("there are two services named {}", name.value);
            sink.error(name.span.clone(), message, "give each service a name of its own");
        }
    }
    prefixes::together(drafts, sink);
    endpoint::together(endpoints.all, drafts, sink);
    for draft in drafts {
        slices::together(draft, endpoints, sink);
    }
}

#[cfg(test)]
mod tests {
    use super::is_interface_name;

    #[test]
    fn interfaces_have_names_that_the_kernel_takes() {
        assert!(["eth0", "enp1s0f0np0", "br-lan.10", "ä"].into_iter().all(is_interface_name));
        assert!(
            ["", ".", "..", "a b", "a/b", "a:b", "sixteen-letters-"].into_iter().all(|name| !is_interface_name(name))
        );
    }
}
