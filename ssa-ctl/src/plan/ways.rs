//! Rows of ways to endpoints in; what people and programs read of them, and what changed between two, out.

use std::{collections::BTreeMap, fmt, net::Ipv6Addr};

use serde::Serialize;
use ssa_common::rows::{EndpointRow, HopRow};

use super::{changes::Change, ground::Neighbourhood, ranked::Ranked};
use crate::config::{Config, Endpoint, Mac, Steer};

/// Endpoints that are warned of by name, at most.
const TOLD: usize = 8;

/// A neighbour on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Neighbour {
    /// The number of the interface that it is on.
    pub interface: u32,
    /// Its address.
    pub address: Ipv6Addr,
}

/// A way to an endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Way {
    /// The interface to leave by.
    pub interface: String,
    /// The hardware address of the next hop.
    pub mac: Mac,
    /// The longest packet that may be sent.
    pub mtu: u32,
}

impl Way {
    /// What a row says; none where there is no way. `links` are the names of the interfaces.
    pub fn of(row: &HopRow, links: &BTreeMap<u32, String>) -> Option<Self> {
        let [a, b, c, d, e, f, ..] = row.link.to_ne_bytes();
        let interface = links.get(&row.interface).cloned().unwrap_or_else(|| format!("interface {}", row.interface));
        (row.interface != 0).then_some(Self { interface, mac: Mac([a, b, c, d, e, f]), mtu: row.mtu })
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "by {} to {}, MTU {}", self.interface, self.mac, self.mtu)
    }
}

/// The row of a way between two hardware addresses.
pub fn hop(to: [u8; 6], from: [u8; 6], interface: u32, mtu: u32) -> HopRow {
    let ([a, b, c, d, e, f], [g, h, i, j, k, l]) = (to, from);
    HopRow {
        link: u64::from_ne_bytes([a, b, c, d, e, f, g, h]),
        link_end: u32::from_ne_bytes([i, j, k, l]),
        interface,
        mtu,
        ..HopRow::default()
    }
}

/// Endpoints with their rows, before and after.
type Known<'a> = (&'a Config, &'a [EndpointRow]);

/// What becomes of the ways to endpoints that stay where they are.
pub fn changes((config, had): Known<'_>, (wanted, want): Known<'_>, host: &Neighbourhood) -> Vec<Change> {
    let place = |endpoint: &Endpoint| (endpoint.address, endpoint.mac);
    let (was, is) = (Ranked::of(config), Ranked::of(wanted));
    let old = was.endpoints().iter().zip(had).map(|(endpoint, row)| (endpoint.name.as_str(), (*endpoint, row)));
    let old: BTreeMap<_, _> = old.collect();
    let change = |(endpoint, row): (&&Endpoint, &EndpointRow)| {
        let (was, before) = old.get(endpoint.name.as_str())?;
        let same = (before.hop, before.source) == (row.hop, row.source);
        if same || place(was) != place(endpoint) || host.endpoint.as_ref() == Some(&endpoint.name) {
            return None;
        }
        let [before_way, way] = [before, row].map(|row| Way::of(&row.hop, &host.links));
        let detail = match (before_way, way) {
            (None, Some(way)) => format!("{way}; there was none"),
            (Some(before), Some(way)) if before != way => format!("{way}; it was {before}"),
            (Some(before), None) => {
                let why = host.without.get(&endpoint.name).map_or_else(String::new, |why| format!(": {why}"));
                format!("none any more{why}; it was {before}")
            }
            _ if before.source != row.source => {
                format!("from {}; it was from {}", address(row), address(before))
            }
            _ => "another address of the interface".into(),
        };
        Some(Change { object: endpoint.name.clone(), detail })
    };
    is.endpoints().iter().zip(want).filter_map(change).collect()
}

fn address(row: &EndpointRow) -> Ipv6Addr {
    Ipv6Addr::from_bits(row.source.to_u128())
}

/// The step that says that this host is another endpoint than before, though no config says so.
pub fn other_host((config, had): (&Config, u32), (wanted, want): (&Config, u32)) -> Option<Change> {
    let name = |config, stored| Ranked::of(config).name(stored).map(str::to_owned);
    let (had, want) = (name(config, had), name(wanted, want));
    let detail = match &want {
        Some(name) => format!("it is the endpoint {name}"),
        None => "it is no endpoint any more".into(),
    };
    (had != want && config.host.endpoint == wanted.host.endpoint).then(|| Change { object: "host".into(), detail })
}

/// What operators should know of the ways from this host, though a config is in force with it.
pub fn warnings(config: &Config, host: &Neighbourhood) -> Vec<String> {
    let needed = needs_ways(config, host);
    let (told, others) = (host.without.iter().filter(|_| needed).take(TOLD), host.without.len().saturating_sub(TOLD));
    let mut warnings: Vec<_> = told
        .map(|(name, why)| format!("there is no way to the endpoint {name}, and what is for it is dropped: {why}"))
        .collect();
    if needed && others > 0 {
        warnings.push(format!("nor is there one to {others} others: `ssa-ctl endpoints` lists them"));
    }
    warnings.extend(stranger(config, host));
    warnings
}

/// Whether the filter sends anything on. Routes alone need no way of ours, but for the connections of slices that move to
/// or from an endpoint.
pub fn needs_ways(config: &Config, host: &Neighbourhood) -> bool {
    let steers = config.services.iter().any(|service| service.steer != Steer::Route && service.slice_bits > 0);
    host.endpoint.is_some() || steers
}

/// That this host wraps frames, and is none whose packets endpoints unwrap.
pub fn stranger(config: &Config, host: &Neighbourhood) -> Option<String> {
    let wraps = config.services.iter().filter(|service| service.steer == Steer::Ip6ip6 && service.slice_bits > 0);
    let names: Vec<_> = wraps.map(|service| service.name.as_str()).collect();
    (host.endpoint.is_none() && !names.is_empty() && !config.endpoints.is_empty()).then(|| {
        format!(
            "{} steered by ip6ip6, and this host is no endpoint: it wraps frames with the address that its routes choose, \
             and endpoints unwrap only what comes from an endpoint; make it one, and name the others in `endpoints`",
            names.join(", ") + if names.len() == 1 { " is" } else { " are" },
        )
    })
}

#[cfg(test)]
mod tests {
    use ssa_common::bits::Words;

    use super::*;
    use crate::config::{Source, parse};

    fn config(steer: &str, endpoints: &[&str]) -> Config {
        let endpoint = |name: &&str| format!("[[endpoint]]\nname = \"{name}\"\naddress = \"2001:db8:e::{name}\"\n");
        let text = format!(
            "version = 1\n{}[[service]]\nname = \"web\"\nprefixes = [\"2001:db8::/64\"]\nrule = \"any:*\"\n\
             slice_bits = 4\nsteer = \"{steer}\"\n",
            endpoints.iter().map(endpoint).collect::<String>()
        );
        parse(Source { path: "/test.toml".into(), text }).unwrap().config
    }

    fn row(mac: u8, source: u128) -> EndpointRow {
        let hop = if mac == 0 { HopRow::default() } else { hop([2, 0, 0, 0, 0, mac], [2; 6], 7, 1500) };
        EndpointRow { hop, source: Words::from_u128(source), ..EndpointRow::default() }
    }

    fn host() -> Neighbourhood {
        let links = [(7, "eth7".to_owned())].into();
        let without = [("b".to_owned(), "no route leads to it".to_owned())].into();
        Neighbourhood { without, links, ..Neighbourhood::default() }
    }

    fn told(config: &Config, had: &[EndpointRow], want: &[EndpointRow]) -> Vec<String> {
        let all = changes((config, had), (config, want), &host()).into_iter();
        all.map(|Change { object, detail }| format!("{object}: {detail}")).collect()
    }

    #[test]
    fn ways_are_told_one_by_one() {
        let config = config("l2", &["a", "b", "c"]);
        let had = [row(0, 1), row(2, 1), row(3, 1)];
        assert_eq!(told(&config, &had, &had), [""; 0]);
        assert_eq!(
            told(&config, &had, &[row(1, 1), row(0, 1), row(4, 1)]),
            [
                "a: by eth7 to 02:00:00:00:00:01, MTU 1500; there was none",
                "b: none any more: no route leads to it; it was by eth7 to 02:00:00:00:00:02, MTU 1500",
                "c: by eth7 to 02:00:00:00:00:04, MTU 1500; it was by eth7 to 02:00:00:00:00:03, MTU 1500",
            ]
        );
        assert_eq!(told(&config, &had, &[row(0, 2), had[1], had[2]]), ["a: from ::2; it was from ::1"]);
    }

    #[test]
    fn endpoints_that_are_new_or_move_have_no_steps_of_their_own() {
        let (old, new) = (config("l2", &["a"]), config("l2", &["a", "b"]));
        assert_eq!(changes((&old, &[row(1, 1)]), (&new, &[row(1, 1), row(2, 1)]), &host()), []);
        let mut moved = old.clone();
        moved.endpoints[0].address = "2001:db8:e::f".parse().unwrap();
        assert_eq!(changes((&old, &[row(1, 1)]), (&moved, &[row(2, 1)]), &host()), []);
    }

    #[test]
    fn a_host_that_becomes_an_endpoint_is_told() {
        let mut config = config("l2", &["a", "b"]);
        let detail = |config: &Config, had, want| other_host((config, had), (config, want)).map(|change| change.detail);
        assert_eq!(detail(&config, 0, 2).as_deref(), Some("it is the endpoint b"));
        assert_eq!(detail(&config, 1, 0).as_deref(), Some("it is no endpoint any more"));
        assert_eq!(detail(&config, 1, 1), None);
        let old = config.clone();
        config.host.endpoint = Some("b".into());
        assert_eq!(other_host((&old, 1), (&config, 2)), None);
    }

    #[test]
    fn who_wraps_should_be_an_endpoint() {
        let warned = |steer, endpoint: Option<&str>| {
            let host = Neighbourhood { endpoint: endpoint.map(Into::into), ..host() };
            let warnings = warnings(&config(steer, &["a", "b"]), &host);
            (warnings.iter().any(|text| text.starts_with("web is steered by ip6ip6")), warnings.len())
        };
        assert_eq!(warned("ip6ip6", None), (true, 2));
        assert_eq!(warned("ip6ip6", Some("a")), (false, 1));
        assert_eq!(warned("l2", None), (false, 1));
        assert_eq!(warned("route", None), (false, 0));
    }
}
