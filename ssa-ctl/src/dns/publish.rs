//! Services and what is said of their names, ports and times to live in; what is published of each, out.

use std::{net::Ipv6Addr, str::FromStr, time::Duration};

use hickory_proto::rr::Name;
use ipnet::Ipv6Net;
use ssa_client::{
    apl::Item,
    record::{Objects, Record},
};
use ssa_common::parse::protocol;

use super::{
    names::{below, owner, zone},
    records::{Data, Entry},
    said::{self, Said},
};
use crate::config::{Config, Refusal, Seconds, Service};

/// Seconds that records may be kept, where nothing is said and the rule takes it.
const DEFAULT_TTL: u32 = 300;

/// What is said of the records, besides the config.
#[derive(Clone, Debug, clap::Args)]
pub struct Publishing {
    /// The services to publish; without any, all of the config
    pub services: Vec<String>,
    /// The zone that the names are in
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    pub zone: Name,
    /// A service's name in the zone, such as www or `web=www`, or @ for the zone itself; if not given, its name in the
    /// config. May be given several times
    #[arg(long = "name", value_name = "[SERVICE=]NAME")]
    pub names: Vec<Said<String>>,
    /// A service's port, or `none`; if not given, the one that the service allows, where it is the only one
    #[arg(long = "port", value_name = "[SERVICE=]PORT")]
    pub ports: Vec<Said<Maybe<u16>>>,
    /// The address for clients that know nothing of rules, or `none`; if not given, the first of the first prefix, with
    /// a 1 at its end
    #[arg(long = "anchor", value_name = "[SERVICE=]ADDRESS")]
    pub anchors: Vec<Said<Maybe<Ipv6Addr>>>,
    /// A part of a service's prefix that no client is to use; may be given several times
    #[arg(long = "exclude", value_name = "[SERVICE=]PREFIX")]
    pub excluded: Vec<Said<Ipv6Net>>,
    /// How long clients and caches may keep records: 5m, or what the rule takes, if not given. Never more than half the
    /// shortest period of the rule
    #[arg(long, value_name = "TIME")]
    pub ttl: Option<Seconds>,
}

/// A value, or the word `none`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Maybe<T>(pub Option<T>);

impl<T: FromStr> FromStr for Maybe<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        if text == "none" { Ok(Self(None)) } else { text.parse().map(|value| Self(Some(value))) }
    }
}

/// What is published of a service. No secret is in it: a rule names its keys, and a salt is public.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The service's name in the config.
    pub service: String,
    /// Its name in the DNS.
    pub name: Name,
    /// The name below it that clients look at first.
    pub below: Name,
    /// Seconds for which its records may be kept.
    pub ttl: u32,
    /// The most that the rule takes, in seconds.
    pub longest_ttl: Option<u32>,
    /// The address for clients that know nothing of rules.
    pub anchor: Option<Ipv6Addr>,
    /// Its prefixes, and what is excluded of them.
    pub items: Vec<Item>,
    /// Its port.
    pub port: Option<u16>,
    /// Its rule, and what belongs to it.
    pub record: Record,
}

/// What is published of services, in the order of the config.
///
/// # Errors
/// Where a service is not there or has no name in the zone, or two have the same.
pub fn publish(config: &Config, publishing: &Publishing) -> Result<Vec<Published>, Refusal> {
    for name in &publishing.services {
        config.named(name)?;
    }
    said::known(&publishing.names, config)?;
    said::known(&publishing.ports, config)?;
    said::known(&publishing.anchors, config)?;
    said::known(&publishing.excluded, config)?;
    let wanted = |service: &&Service| publishing.services.is_empty() || publishing.services.contains(&service.name);
    let mut all: Vec<Published> = Vec::new();
    for service in config.services.iter().filter(wanted) {
        let published = one(service, publishing)?;
        if let Some(other) = all.iter().find(|other| other.name == published.name) {
            return Err(Refusal {
                message: format!("{} and {} would both be {}", other.service, service.name, published.name),
                help: format!("give one of them another name, as in --name {}=www2", service.name),
            });
        }
        all.push(published);
    }
    let is_out = |excluded: &Ipv6Net| {
        let item = Item { negated: true, ..Item::of(*excluded) };
        all.iter().any(|published| published.items.contains(&item))
    };
    match publishing.excluded.iter().find(|said| !is_out(&said.value)) {
        None => Ok(all),
        Some(said) => Err(Refusal {
            message: format!("{} is no part of a prefix of what is published", said.value),
            help: "name a longer prefix in one of theirs; to publish no prefix of a service, leave it away".into(),
        }),
    }
}

fn one(service: &Service, publishing: &Publishing) -> Result<Published, Refusal> {
    let said = said::of(&publishing.names, &service.name);
    let name = owner(said.unwrap_or(&service.name), &service.name, &publishing.zone)?;
    let record = Record {
        rule: service.rule.clone(),
        salt: service.salt.unwrap_or_default(),
        skew: service.skew,
        objects: Objects::Sha256,
    };
    let longest_ttl = record.longest_ttl().map(seconds);
    let ttl = publishing.ttl.map_or(DEFAULT_TTL, |Seconds(ttl)| ttl).min(longest_ttl.unwrap_or(u32::MAX));
    let first = service.prefixes.first().map(|prefix| Ipv6Addr::from_bits(prefix.network().to_bits() | 1));
    Ok(Published {
        service: service.name.clone(),
        below: below(&name)?,
        name,
        ttl,
        longest_ttl,
        anchor: said::of(&publishing.anchors, &service.name).map_or(first, |Maybe(anchor)| *anchor),
        items: items(service, &publishing.excluded),
        port: said::of(&publishing.ports, &service.name).map_or_else(|| only_port(service), |Maybe(port)| *port),
        record,
    })
}

/// The prefixes, and behind them what is excluded.
fn items(service: &Service, excluded: &[Said<Ipv6Net>]) -> Vec<Item> {
    let mut items: Vec<_> = service.prefixes.iter().copied().map(Item::of).collect();
    for Said { service: named, value } in excluded {
        let is_part = service.prefixes.iter().any(|prefix| prefix.contains(value) && prefix != value);
        if is_part && named.as_ref().is_none_or(|named| *named == service.name) {
            items.push(Item { negated: true, ..Item::of(*value) });
        }
    }
    items
}

fn seconds(time: Duration) -> u32 {
    u32::try_from(time.as_secs()).unwrap_or(u32::MAX)
}

/// The port that the service allows, if it is the only one.
fn only_port(service: &Service) -> Option<u16> {
    let mut ports = service.allow.iter().flatten().filter(|allow| allow.protocol != protocol::ICMPV6);
    let first = ports.next()?.port?;
    ports.all(|allow| allow.port == Some(first)).then_some(first)
}

impl Published {
    /// Its records.
    pub fn entries(&self) -> Vec<Entry> {
        let entry = |name: &Name, data| Entry { name: name.clone(), ttl: self.ttl, data };
        let svcb = Data::Svcb { target: self.name.clone(), port: self.port, value: self.record.to_string() };
        let below = [Data::Apl(self.items.clone()), svcb, Data::Txt(self.record.to_txt())];
        let anchor = self.anchor.map(|anchor| entry(&self.name, Data::Aaaa(anchor)));
        anchor.into_iter().chain(below.map(|data| entry(&self.below, data))).collect()
    }

    /// What the operator should know.
    pub fn warnings(&self, asked: Option<Seconds>) -> Vec<String> {
        let Some((Seconds(asked), longest)) = asked.zip(self.longest_ttl).filter(|(ttl, longest)| ttl.0 > *longest)
        else {
            return Vec::new();
        };
        vec![format!(
            "{}: a TTL of {asked} s is too long for its rule, whose addresses change with time: it is {longest} s, \
             half the shortest period",
            self.service
        )]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Source};

    fn config(settings: &str) -> Config {
        let text = format!(
            "version = 1\n[host]\ninterfaces = [\"eth0\"]\n[[service]]\nname = \"web\"\n\
             prefixes = [\"2001:db8:1::/64\", \"2001:db8:2::/64\"]\n{settings}\n\
             [[service]]\nname = \"odd_1\"\nprefixes = [\"2001:db8:3::/56\"]\nrule = \"any:*\"\n"
        );
        config::parse(Source { path: "test".into(), text }).unwrap().config
    }

    fn published(config: &Config, change: impl FnOnce(&mut Publishing)) -> Result<Vec<Published>, Refusal> {
        let (zone, services) = (zone("example.com").unwrap(), vec!["web".to_owned()]);
        let mut publishing = Publishing {
            zone,
            services,
            names: Vec::new(),
            ports: Vec::new(),
            anchors: Vec::new(),
            excluded: Vec::new(),
            ttl: None,
        };
        change(&mut publishing);
        publish(config, &publishing)
    }

    fn text(published: &[Published]) -> Vec<String> {
        published.iter().flat_map(Published::entries).map(|entry| entry.to_string()).collect()
    }

    #[test]
    fn a_service_has_the_four_records_of_the_design() {
        let config = config("rule = \"hash(48):14 any:*\"\nallow = [\"tcp/443\", \"udp/443\", \"icmpv6\"]");
        assert_eq!(
            text(&published(&config, |_| ()).unwrap()),
            [
                "web.example.com. 300 IN AAAA 2001:db8:1::1",
                "_ssa.web.example.com. 300 IN APL 2:2001:db8:1::/64 2:2001:db8:2::/64",
                "_ssa.web.example.com. 300 IN SVCB 1 web.example.com. mandatory=key65400 port=443 \
             key65400=\"v=1 rule=hash(48):14 any:*\"",
                "_ssa.web.example.com. 300 IN TXT \"v=ssa1 rule=hash(48):14 any:*\"",
            ]
        );
    }

    #[test]
    fn what_is_said_goes_before_what_is_usual() {
        let config = config("rule = \"any:*\"\nskew = 9\nsalt = \"000102030405060708090a0b0c0d0e0f\"");
        let published = published(&config, |publishing| {
            publishing.names = vec!["web=@".parse().unwrap()];
            publishing.ports = vec!["8443".parse().unwrap()];
            publishing.anchors = vec!["none".parse().unwrap()];
            publishing.ttl = Some(Seconds(3600));
        });
        let published = published.unwrap();
        assert_eq!(
            text(&published),
            [
                "_ssa.example.com. 3600 IN APL 2:2001:db8:1::/64 2:2001:db8:2::/64",
                "_ssa.example.com. 3600 IN SVCB 1 example.com. mandatory=key65400 port=8443 \
             key65400=\"v=1 salt=000102030405060708090a0b0c0d0e0f skew=9 rule=any:*\"",
                "_ssa.example.com. 3600 IN TXT \"v=ssa1 salt=000102030405060708090a0b0c0d0e0f skew=9 rule=any:*\"",
            ]
        );
        assert!(published[0].warnings(Some(Seconds(3600))).is_empty());
    }

    #[test]
    fn records_are_not_kept_for_longer_than_half_a_period() {
        let config = config("rule = \"hash(48):14 pow(48,zeros=8,period=1m):*\"");
        let ttl = |asked: Option<u32>| {
            let published = published(&config, |publishing| publishing.ttl = asked.map(Seconds)).unwrap().remove(0);
            (published.ttl, published.warnings(asked.map(Seconds)))
        };
        assert_eq!(ttl(None), (30, Vec::new()));
        assert_eq!(ttl(Some(10)), (10, Vec::new()));
        let (seconds, warnings) = ttl(Some(31));
        assert_eq!(seconds, 30);
        assert!(warnings[0].starts_with("web: a TTL of 31 s is too long"), "{warnings:?}");
    }

    #[test]
    fn a_port_is_taken_from_the_protocols_if_it_is_the_only_one() {
        let port = |allow: &str| {
            let config = config(&format!("rule = \"any:*\"\nallow = [{allow}]"));
            published(&config, |_| ()).unwrap()[0].port
        };
        assert_eq!(port("\"icmpv6\", \"udp/53\""), Some(53));
        assert_eq!(port("\"tcp/80\", \"tcp/443\""), None);
        assert_eq!(port("\"tcp\", \"udp/443\""), None);
        assert_eq!(port("\"icmpv6\""), None);
    }

    #[test]
    fn parts_of_prefixes_are_taken_out() {
        let config = config("rule = \"any:*\"");
        let excluded = |texts: &[&str]| {
            let said = texts.iter().map(|text| text.parse().unwrap()).collect();
            published(&config, |publishing| publishing.excluded = said)
        };
        let some = excluded(&["web=2001:db8:2::/80", "2001:db8:1:0:8000::/65"]).unwrap();
        let apl = some[0].entries()[1].to_string();
        assert!(apl.ends_with("2:2001:db8:2::/64 !2:2001:db8:2::/80 !2:2001:db8:1:0:8000::/65"), "{apl}");
        for other in ["web=2001:db8:3:0:8000::/65", "web=2001:db8:1::/64", "2001:db8:1::/64", "2001:db8:4::/80"] {
            assert!(excluded(&[other]).unwrap_err().message.contains("is no part of a prefix"), "{other}");
        }
    }

    #[test]
    fn services_have_names_and_each_its_own() {
        let config = config("rule = \"any:*\"");
        let refused = |change: &dyn Fn(&mut Publishing)| published(&config, change).unwrap_err();
        let refusal = refused(&|publishing| publishing.services = vec!["mail".into()]);
        assert!(refusal.help.contains("the services are web, odd_1"));
        let refusal = refused(&|publishing| publishing.services.clear());
        assert!(refusal.help.contains("--name odd_1=www"));
        let refusal = refused(&|publishing| {
            publishing.services.clear();
            publishing.names = vec!["www".parse().unwrap()];
        });
        assert_eq!(refusal.message, "web and odd_1 would both be www.example.com.");
        let refusal = refused(&|publishing| publishing.names = vec!["mail=www".parse().unwrap()]);
        assert!(refusal.message.contains("no service named mail"));
    }
}
