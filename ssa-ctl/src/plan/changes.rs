//! Two configs in; what changed between them, service by service and key by key, out.

use serde_json::Value;

use crate::config::{Config, Service};

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The service, or `host`.
    pub object: String,
    /// What becomes of it.
    pub detail: String,
}

/// What takes `have` to `want`.
pub fn changes(have: Option<&Config>, want: &Config) -> Vec<Change> {
    let mut changes = Vec::new();
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
            changes.push(Change { object: "host".into(), detail: "interfaces or mode".into() });
        }
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
    let (Ok(Value::Object(old)), Ok(Value::Object(new))) = (serde_json::to_value(old), serde_json::to_value(new))
    else {
        return vec!["changed".into()];
    };
    let mut keys: Vec<&String> = new.keys().collect();
    keys.extend(old.keys().filter(|key| !new.contains_key(*key)));
    let show = |value: Option<&Value>| value.map_or_else(|| "default".into(), ToString::to_string);
    keys.into_iter()
        .filter(|key| old.get(*key) != new.get(*key) && (*key != "keys" || keys_changed.is_empty()))
        .map(|key| format!("{key}: {} to {}", show(old.get(key)), show(new.get(key))))
        .chain(keys_changed.clone())
        .collect()
}
