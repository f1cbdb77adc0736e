//! A config, and a key to add to a ring or to take out of it, in; the config with that done out.

use ssa_common::layout::KEYS;

use super::{Refusal, edit, refuse};
use crate::config::{
    model::{Config, KeyRef},
    words::is_name,
};

/// Adds a key to a ring of a service. `key.file` is absolute.
///
/// # Errors
/// Where there is no such service, or the ring cannot take the key.
pub fn add_key(config: &Config, service: &str, key: KeyRef) -> Result<Config, Refusal> {
    edit(config, service, |service| {
        if !is_name(&key.name, "_-") {
            let message = format!("{:?} cannot be the name of a key ring", key.name);
            return refuse(message, "a ring's name has 1 to 63 letters, digits, underscores and hyphens");
        }
        if key.file.to_str().is_none() {
            let message = format!("the path {} is not in UTF-8", key.file.display());
            return refuse(message, "a config is text: give the key file another name");
        }
        if service.ring(&key.name).any(|other| other.number == key.number) {
            let message = format!("the ring {} has a key with the number {} already", key.name, key.number);
            return refuse(message, "the newest key has the highest number");
        }
        if service.ring(&key.name).count() >= KEYS {
            return refuse(format!("the ring {} has {KEYS} keys already", key.name), "retire the oldest first");
        }
        service.keys.push(key);
        Ok(())
    })
}

/// Takes a key out of a ring of a service.
///
/// # Errors
/// Where there is no such key, or a rule would be left without any.
pub fn retire_key(config: &Config, service: &str, ring: &str, number: u32) -> Result<Config, Refusal> {
    edit(config, service, |service| {
        let numbers: Vec<_> = service.ring(ring).map(|key| key.number.to_string()).collect();
        if !numbers.contains(&number.to_string()) {
            let help = match numbers.as_slice() {
                [] => format!("the service {} has no ring of this name", service.name),
                numbers => format!("it has {}", numbers.join(", ")),
            };
            return refuse(format!("the ring {ring} has no key with the number {number}"), help);
        }
        if numbers.len() == 1 && service.rules().any(|rule| rule.key() == Some(ring)) {
            let message = format!("{number} is the last key of the ring {ring}, and a rule needs one");
            return refuse(message, "add the next key first: ssa-ctl key add");
        }
        service.keys.retain(|key| (key.name.as_str(), key.number) != (ring, number));
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::edit::tests::config;

    fn key(number: u32) -> KeyRef {
        KeyRef { name: "k1".into(), number, file: "/k2".into() }
    }

    #[test]
    fn keys_come_and_go() {
        let two = add_key(&config(), "web", key(2)).unwrap();
        assert_eq!(two.services[0].keys, [config().services[0].keys[0].clone(), key(2)]);
        let one = retire_key(&two, "web", "k1", 1).unwrap();
        assert_eq!(one.services[0].keys, [key(2)]);
    }

    #[test]
    fn rings_stay_usable() {
        assert!(add_key(&config(), "web", key(1)).unwrap_err().message.contains("number 1 already"));
        assert!(add_key(&config(), "www", key(2)).unwrap_err().help.contains("are web, shop"));
        assert!(add_key(&config(), "web", KeyRef { name: "../k".into(), ..key(2) }).is_err());
        assert!(retire_key(&config(), "web", "k1", 1).unwrap_err().message.contains("last key"));
        assert!(retire_key(&config(), "web", "k1", 7).unwrap_err().help.contains("it has 1"));
        assert!(retire_key(&config(), "web", "k7", 1).unwrap_err().help.contains("no ring"));
        let full = (2..=8).fold(config(), |config, number| add_key(&config, "web", key(number)).unwrap());
        assert!(add_key(&full, "web", key(9)).unwrap_err().message.contains("8 keys"));
    }
}
