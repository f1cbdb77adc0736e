//! The `[[endpoint]]` tables in; endpoints, and the faults of those that are right each by itself, out.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::{IpAddr, Ipv6Addr},
};

use ipnet::Ipv6Net;
use ssa_client::apl::special;
use toml::{Spanned, de::DeValue};

use super::{
    model::{Endpoint, Steer},
    service::Draft,
    slices::SlicesDraft,
    table::{At, Sink, Table, shown},
    words::{Mac, is_name},
};

/// Endpoints in one config, at most: the program numbers them with 12 bits, and 0 is none.
const MAX_ENDPOINTS: usize = 4095;
/// Weight of an endpoint, at most.
const MAX_WEIGHT: u64 = 65_535;
/// Characters in the name of a domain, at most.
const DOMAIN: usize = 63;
/// Names in a message, at most.
const LISTED: usize = 8;

/// An endpoint as far as it could be read. Its name can be a bad one.
pub(super) struct EndpointDraft<'t> {
    pub(super) name: Option<At<&'t str>>,
    address: Option<At<Ipv6Addr>>,
    weight: u32,
    pub(super) domain: Option<&'t str>,
    mac: Option<Mac>,
    pub(super) drain: bool,
}

/// Reads an endpoint.
pub(super) fn read<'t>(value: &'t Spanned<DeValue<'t>>, sink: &mut Sink) -> Option<EndpointDraft<'t>> {
    let mut table = Table::of("[[endpoint]]", value, sink)?;
    let draft = EndpointDraft {
        name: name(&mut table),
        address: address(&mut table),
        weight: table.integer("weight", 1..=MAX_WEIGHT).map_or(1, |weight| u32::try_from(weight.value).unwrap_or(1)),
        domain: domain(&mut table),
        mac: table.word("mac", "\"02:00:5e:10:00:01\""),
        drain: table.boolean("drain").unwrap_or_default(),
    };
    table.end();
    Some(draft)
}

/// All endpoints of a config, found by their names.
pub(super) struct Endpoints<'a, 't> {
    pub(super) all: &'a [EndpointDraft<'t>],
    places: HashMap<&'t str, usize>,
}

impl<'a, 't> Endpoints<'a, 't> {
    pub(super) fn new(all: &'a [EndpointDraft<'t>]) -> Self {
        let place = |(place, endpoint): (usize, &EndpointDraft<'t>)| Some((endpoint.name.as_ref()?.value, place));
        Self { all, places: all.iter().enumerate().filter_map(place).collect() }
    }

    /// The endpoint of this name; where there is none, that is said.
    pub(super) fn find(&self, name: &At<&str>, sink: &mut Sink) -> Option<&'a EndpointDraft<'t>> {
        let found = self.places.get(name.value);
        if found.is_none() {
            let names = self.all.iter().filter_map(|endpoint| Some(endpoint.name.as_ref()?.value));
            let message = format!("there is no endpoint named {}", shown(name.value));
            sink.missing(name.span.clone(), message, known(self.places.len(), names));
        }
        found.map(|place| &self.all[*place])
    }
}

impl EndpointDraft<'_> {
    /// The endpoint, if what it cannot do without is there.
    pub(super) fn finish(&self) -> Option<Endpoint> {
        let Self { weight, mac, drain, .. } = *self;
        let (name, address) = (self.name.as_ref()?.value.to_owned(), self.address.as_ref()?.value);
        Some(Endpoint { name, address, weight, domain: self.domain.map(str::to_owned), mac, drain })
    }
}

fn name<'t>(table: &mut Table<'t, '_>) -> Option<At<&'t str>> {
    let name = table.required("name", "\"a\"")?;
    if !is_name(name.value, "._-") {
        let help =
            "a name has 1 to 63 letters, digits, dots, underscores and hyphens, and begins with a letter or a digit";
        table.sink.error(name.span.clone(), format!("{} cannot be an endpoint's name", shown(name.value)), help);
    }
    Some(name)
}

fn address(table: &mut Table<'_, '_>) -> Option<At<Ipv6Addr>> {
    let At { value: text, span } = table.required("address", "\"2001:db8:e::a\"")?;
    let example = || "write an IPv6 address, such as 2001:db8:e::a".to_owned();
    let (message, help) = match text.parse() {
        Ok(IpAddr::V6(address)) => match special(&Ipv6Net::from(address)) {
            None => return Some(At { value: address, span }),
            Some((kind, net)) => {
                let help = format!("no endpoint has an address in {net}: use a global or a unique local one");
                (format!("`{text}` is {kind}"), help)
            }
        },
        Ok(IpAddr::V4(_)) => (format!("`{text}` is an IPv4 address"), example()),
        Err(_) => match text.parse() {
            Ok(net @ Ipv6Net { .. }) => (format!("`{text}` is a prefix"), format!("write {}", net.addr())),
            Err(_) => (format!("{} is not an IPv6 address", shown(text)), example()),
        },
    };
    table.sink.error(span, message, help);
    None
}

fn domain<'t>(table: &mut Table<'t, '_>) -> Option<&'t str> {
    let At { value, span } = table.string("domain", "\"rack-7\"")?;
    if !(1..=DOMAIN).contains(&value.chars().count()) || value.contains(char::is_control) {
        let help = format!("the name of a domain has 1 to {DOMAIN} characters, none of them a control character");
        table.sink.error(span, format!("{} cannot be the name of a failure domain", shown(value)), help);
    }
    Some(value)
}

/// The faults of endpoints that are right each by itself.
pub(super) fn together(endpoints: &[EndpointDraft<'_>], services: &[Draft<'_>], sink: &mut Sink) {
    if let Some(At { span, .. }) = endpoints.get(MAX_ENDPOINTS).and_then(|extra| extra.name.as_ref()) {
        let message = format!("the config has {} endpoints", endpoints.len());
        sink.error(span.clone(), message, format!("a config has at most {MAX_ENDPOINTS} endpoints"));
    }
    let mut names = HashSet::new();
    for name in endpoints.iter().filter_map(|endpoint| endpoint.name.as_ref()) {
        if !names.insert(name.value) {
            let message = format!("there are two endpoints named {}", name.value);
            sink.error(name.span.clone(), message, "give each endpoint a name of its own");
        }
    }
    addresses(endpoints, services, sink);
    unused(endpoints, services, sink);
}

fn addresses(endpoints: &[EndpointDraft<'_>], services: &[Draft<'_>], sink: &mut Sink) {
    let prefixes: HashMap<Ipv6Net, &Draft<'_>> =
        services.iter().flat_map(|draft| draft.prefixes.iter().map(move |prefix| (prefix.value, draft))).collect();
    let lengths: BTreeSet<u8> = services.iter().flat_map(Draft::lengths).collect();
    let mut seen: HashMap<Ipv6Addr, &str> = HashMap::new();
    for EndpointDraft { name, address, .. } in endpoints {
        let Some(At { value: address, span }) = address else { continue };
        let name = name.as_ref().map_or("another one", |name| name.value);
        if let Some(other) = seen.insert(*address, name) {
            let message = format!("the endpoint {other} has the address {address} already");
            sink.error(span.clone(), message, "give each endpoint an address of its own");
        }
        let around = |length: &u8| Some(Ipv6Net::new(*address, *length).ok()?.trunc());
        if let Some((net, draft)) = lengths.iter().filter_map(around).find_map(|net| prefixes.get_key_value(&net)) {
            let message = format!("{address} lies in {net}, a prefix of {}", draft.shown());
            let help = "frames travel to this address: use the host's own, which is in no prefix of a service";
            sink.error(span.clone(), message, help);
        }
    }
}

/// Endpoints that no service names, where every service with slices names its own. Who wraps frames for a service that is
/// steered by ip6ip6 is an endpoint too, and need not own slices.
fn unused(endpoints: &[EndpointDraft<'_>], services: &[Draft<'_>], sink: &mut Sink) {
    let with_slices =
        || services.iter().map(|draft| &draft.slices).filter(|slices| slices.bits.value > 0 || !slices.known);
    if with_slices().any(|slices| slices.endpoints.is_none() || slices.steer == Steer::Ip6ip6) {
        return;
    }
    let used: HashSet<&str> = with_slices().flat_map(SlicesDraft::names).map(|name| name.value).collect();
    for name in endpoints.iter().filter_map(|endpoint| endpoint.name.as_ref()) {
        if !used.contains(name.value) {
            let help = "a service uses it with slice_bits, and by its name if it lists its endpoints";
            sink.warning(name.span.clone(), format!("no service uses the endpoint {}", name.value), help);
        }
    }
}

/// What there is instead of something that is not there: `count` names.
pub(super) fn known<'a>(count: usize, names: impl Iterator<Item = &'a str>) -> String {
    let names = names.take(LISTED).collect::<Vec<_>>().join(", ");
    match count {
        0 => "the config has no endpoint: add a table [[endpoint]] with name and address".into(),
        _ if count > LISTED => format!("the endpoints are {names} and {} more", count - LISTED),
        _ => format!("the endpoints are {names}"),
    }
}
