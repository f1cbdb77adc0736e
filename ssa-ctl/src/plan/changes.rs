//! Two configs in; what changed between them, endpoint by endpoint, service by service and key by key, out.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use serde_json::Value;

use crate::config::{Config, Endpoint, Run, Service};

/// Names that are told one by one, at most.
const NAMES: usize = 5;

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The service, the endpoint, or `host`.
    pub object: String,
    /// What becomes of it.
    pub detail: String,
}

/// What takes `have` to `want`.
pub fn changes(have: Option<&Config>, want: &Config) -> Vec<Change> {
    let mut changes = endpoints(have.map_or(&[], |have| &have.endpoints), &want.endpoints);
    let mut change = |object: &str, detail: String| changes.push(Change { object: object.into(), detail });
    let had: &[Service] = have.map_or(&[], |have| &have.services);
    for service in &want.services {
        let Some(old) = had.iter().find(|old| old.name == service.name) else {
            let prefixes: Vec<_> = service.prefixes.iter().map(ToString::to_string).collect();
            change(&service.name, format!("new: {} with the rule {}", prefixes.join(", "), service.rule));
            continue;
        };
        for detail in differences(old, service) {
            change(&service.name, detail);
        }
    }
    for old in had.iter().filter(|old| want.services.iter().all(|service| service.name != old.name)) {
        change(&old.name, "removed".into());
    }
    let names = |config: &Config| config.services.iter().map(|service| service.name.clone()).collect::<Vec<_>>();
    if let Some(have) = have {
        if changes.is_empty() && names(have) != names(want) {
            changes.push(Change { object: "services".into(), detail: "another order".into() });
        }
        if have.host != want.host {
            let of = |detail: String| Change { object: "host".into(), detail };
            let (had, now) = (&have.host, &want.host);
            if had.endpoint != now.endpoint {
                changes.push(of("the endpoint it is".into()));
            } else if had.low_priority != now.low_priority {
                changes.push(of("what it has for suspects".into()));
            } else if (&had.interfaces, had.mode) != (&now.interfaces, now.mode) {
                changes.push(of("interfaces or mode".into()));
            }
            if had.events != now.events {
                changes.push(of(format!("events: {} to {}", had.events, now.events)));
            }
        }
    }
    changes
}

/// What takes the endpoints `had` to those of `want`.
fn endpoints(had: &[Endpoint], want: &[Endpoint]) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut change = |object: &str, detail: String| changes.push(Change { object: object.into(), detail });
    let old: HashMap<&str, &Endpoint> = had.iter().map(|endpoint| (endpoint.name.as_str(), endpoint)).collect();
    for endpoint in want {
        match old.get(endpoint.name.as_str()) {
            None => change(&endpoint.name, format!("new endpoint: {}", endpoint.address)),
            Some(old) => {
                for detail in keys(*old, endpoint, &[]) {
                    change(&endpoint.name, format!("endpoint {detail}"));
                }
            }
        }
    }
    let new: HashSet<&str> = want.iter().map(|endpoint| endpoint.name.as_str()).collect();
    for gone in had.iter().filter(|endpoint| !new.contains(endpoint.name.as_str())) {
        change(&gone.name, "endpoint removed".into());
    }
    if changes.is_empty() && had != want {
        changes.push(Change { object: "endpoints".into(), detail: "another order".into() });
    }
    changes
}

/// What differs between two versions of a service, by the config's own keys.
fn differences(old: &Service, new: &Service) -> Vec<String> {
    let mut keys_changed: Vec<String> = Vec::new();
    for key in new.keys.iter().filter(|key| !old.keys.contains(key)) {
        keys_changed.push(format!("key {} added to the ring {}", key.number, key.name));
    }
    for key in old.keys.iter().filter(|key| !new.keys.contains(key)) {
        keys_changed.push(format!("key {} taken out of the ring {}", key.number, key.name));
    }
    // Which slices go from whom to whom is told by what is in force, not by two lists.
    let mut told = vec!["endpoints", "pinned", "owners"];
    if !keys_changed.is_empty() {
        told.push("keys");
    }
    let mut details = keys(old, new, &told);
    if old.slice_bits != new.slice_bits && old.slice_counters && new.slice_counters {
        details.push("frames of its slices are counted from zero".into());
    }
    details.extend(members(old, new));
    details.extend(runs("pinned", &old.pinned, &new.pinned));
    details.extend(keys_changed);
    details
}

/// The keys whose values differ, and how; but for those that are told in other words.
fn keys<T: Serialize>(old: &T, new: &T, told: &[&str]) -> Vec<String> {
    let (Ok(Value::Object(old)), Ok(Value::Object(new))) = (serde_json::to_value(old), serde_json::to_value(new))
    else {
        return vec!["changed".into()];
    };
    let mut keys: Vec<&String> = new.keys().collect();
    keys.extend(old.keys().filter(|key| !new.contains_key(*key)));
    keys.into_iter()
        .filter(|key| old.get(*key) != new.get(*key) && !told.contains(&key.as_str()))
        .map(|key| match (old.get(key), new.get(key)) {
            (Some(old), Some(new)) => format!("{key}: {old} to {new}"),
            (Some(old), None) => format!("{key}: {old} no more"),
            // What was not said was the default.
            (None, new) => format!("{key}: {}", new.unwrap_or(&Value::Null)),
        })
        .collect()
}

/// Which endpoints come and go.
fn members(old: &Service, new: &Service) -> Option<String> {
    let (had, want) = (old.endpoints.as_deref(), new.endpoints.as_deref());
    if had == want {
        return None;
    }
    let (Some(had), Some(want)) = (had, want) else {
        let names = |names: Option<&[String]>| names.map_or_else(|| "all".into(), shown);
        return Some(format!("endpoints: {} to {}", names(had), names(want)));
    };
    let without = |these: &[String], others: &[String]| {
        let others: HashSet<&String> = others.iter().collect();
        these.iter().filter(|name| !others.contains(name)).cloned().collect::<Vec<_>>()
    };
    let (added, gone) = (without(want, had), without(had, want));
    Some(match (added.is_empty(), gone.is_empty()) {
        (true, true) => "endpoints: another order".into(),
        (false, true) => format!("endpoints: {} added", shown(&added)),
        (true, false) => format!("endpoints: {} taken out", shown(&gone)),
        (false, false) => format!("endpoints: {} added, {} taken out", shown(&added), shown(&gone)),
    })
}

/// A few names, or how many they are.
fn shown(names: &[String]) -> String {
    if names.len() > NAMES { format!("{} endpoints", names.len()) } else { names.join(", ") }
}

/// How many slices a list of runs has before and after.
fn runs(key: &str, old: &[Run], new: &[Run]) -> Option<String> {
    let count = |runs: &[Run]| runs.iter().map(|run| u64::from(run.bounds().count())).sum::<u64>();
    let slices = |count: u64| format!("{count} slice{}", if count == 1 { "" } else { "s" });
    let (had, want) = (count(old), count(new));
    match (old == new, had == want) {
        (true, _) => None,
        (false, true) => Some(format!("{key}: {}, otherwise than before", slices(had))),
        (false, false) => Some(format!("{key}: {} to {want}", slices(had))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, parse};

    fn config(endpoints: &str, service: &str) -> Config {
        let endpoint = |pair: &str| {
            let (name, more) = pair.split_once(' ').unwrap_or((pair, ""));
            format!("[[endpoint]]\nname = \"{name}\"\naddress = \"2001:db8:e::{name}\"\n{more}\n")
        };
        let endpoints: String = endpoints.split(';').map(endpoint).collect();
        let text = format!(
            "version = 1\n{endpoints}[[service]]\nname = \"web\"\nprefixes = [\"2001:db8::/64\"]\n\
             rule = \"any:*\"\nslice_bits = 4\n{service}\n"
        );
        parse(Source { path: "/test.toml".into(), text }).unwrap().config
    }

    fn told(have: &Config, want: &Config) -> Vec<String> {
        let all = changes(Some(have), want).into_iter();
        all.map(|Change { object, detail }| format!("{object}: {detail}")).collect()
    }

    #[test]
    fn endpoints_are_told_one_by_one() {
        let have = config("a;b", "");
        assert_eq!(told(&have, &have), [""; 0]);
        assert_eq!(
            told(&have, &config("a weight = 2;c", "")),
            ["a: endpoint weight: 2", "c: new endpoint: 2001:db8:e::c", "b: endpoint removed"]
        );
        let drained = config("a drain = true;b weight = 3", "");
        assert_eq!(told(&have, &drained), ["a: endpoint drain: true", "b: endpoint weight: 3"]);
        assert_eq!(
            told(&drained, &config("a;b weight = 4", "")),
            ["a: endpoint drain: true no more", "b: endpoint weight: 3 to 4"]
        );
        assert_eq!(told(&have, &config("b;a", "")), ["endpoints: another order"]);
        assert_eq!(changes(None, &have).len(), 3);
        let mut here = have.clone();
        here.host.endpoint = Some("a".into());
        assert_eq!(told(&have, &here), ["host: the endpoint it is"]);
    }

    #[test]
    fn other_slices_are_counted_from_zero() {
        let [have, want] = [4, 6].map(|bits| {
            let mut config = config("a;b", "slice_counters = true");
            config.services[0].slice_bits = bits;
            config
        });
        assert_eq!(told(&have, &want), ["web: slice_bits: 4 to 6", "web: frames of its slices are counted from zero"]);
        let mut uncounted = want.clone();
        uncounted.services[0].slice_counters = false;
        assert_eq!(told(&have, &uncounted).len(), 2, "{:?}", told(&have, &uncounted));
    }

    #[test]
    fn long_lists_are_told_in_short() {
        let have = config("a;b;c", "endpoints = [\"a\", \"b\"]\npinned = [\"0-2 a\"]");
        let told = |service: &str| told(&have, &config("a;b;c", service));
        assert_eq!(
            told("endpoints = [\"a\", \"c\"]\npinned = [\"0-4 a\"]\nowners = [\"0-9 a\"]"),
            ["web: endpoints: c added, b taken out", "web: pinned: 3 slices to 5"]
        );
        assert_eq!(
            told("pinned = [\"0-2 c\"]\nsteer = \"l2\""),
            ["web: steer: \"l2\"", "web: endpoints: a, b to all", "web: pinned: 3 slices, otherwise than before"]
        );
    }
}
