//! Service names in; the numbers they keep for as long as they are there, out. A number is a place in the counters.

use std::collections::BTreeMap;

use crate::config::Config;

/// Which service has which number, 1 and up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers(BTreeMap<String, u32>);

impl Numbers {
    /// The number of a service.
    pub fn get(&self, name: &str) -> Option<u32> {
        self.0.get(name).copied()
    }

    /// Names and numbers, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u32)> {
        self.0.iter().map(|(name, &number)| (name.as_str(), number))
    }

    /// The numbers for `config`: who has one keeps it, the others get the lowest that are free.
    #[must_use]
    pub fn next(&self, config: &Config) -> Self {
        let mut next = Self::default();
        for service in &config.services {
            if let Some(number) = self.get(&service.name) {
                next.0.insert(service.name.clone(), number);
            }
        }
        for service in &config.services {
            if next.get(&service.name).is_none() {
                let taken: Vec<u32> = next.0.values().copied().collect();
                let free = (1..u32::MAX).find(|number| !taken.contains(number)).unwrap_or(u32::MAX);
                next.0.insert(service.name.clone(), free);
            }
        }
        next
    }
}

impl FromIterator<(String, u32)> for Numbers {
    fn from_iter<I: IntoIterator<Item = (String, u32)>>(numbers: I) -> Self {
        Self(numbers.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, parse};

    fn config(names: &[&str]) -> Config {
        let services = names.iter().enumerate().map(|(index, name)| {
            format!("[[service]]\nname = \"{name}\"\nprefixes = [\"2001:db8:{index:x}::/64\"]\nrule = \"any:*\"\n")
        });
        let text = format!("version = 1\n{}", services.collect::<String>());
        parse(Source { path: "/test.toml".into(), text }).unwrap().config
    }

    #[test]
    fn a_service_keeps_its_number() {
        let first = Numbers::default().next(&config(&["a", "b", "c"]));
        assert_eq!(first.iter().collect::<Vec<_>>(), [("a", 1), ("b", 2), ("c", 3)]);
        let second = first.next(&config(&["d", "c", "a"]));
        assert_eq!(second.iter().collect::<Vec<_>>(), [("a", 1), ("c", 3), ("d", 2)]);
    }
}
