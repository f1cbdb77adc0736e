//! Service names in; the numbers they keep for as long as they are there, out. A number is a place in the counters.

use std::collections::{BTreeMap, BTreeSet};

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

    /// The numbers for `config`, below `room` where that many suffice: who has one keeps it, the others get the lowest that
    /// are free.
    ///
    /// A number that a service gives up is not given to another at once, as long as there are others: frames of the one are
    /// still counted while the other's counters are set to zero.
    #[must_use]
    pub fn next(&self, config: &Config, room: u32) -> Self {
        let mut next = Self::default();
        for service in &config.services {
            if let Some(number) = self.get(&service.name) {
                next.0.insert(service.name.clone(), number);
            }
        }
        let mut taken: BTreeSet<u32> = next.0.values().copied().collect();
        let given_up: BTreeSet<u32> = self.0.values().copied().collect();
        for service in &config.services {
            if next.get(&service.name).is_none() {
                let free = |number: &u32| !taken.contains(number);
                let number = (1..room).find(|number| free(number) && !given_up.contains(number));
                let number = number.or_else(|| (1..u32::MAX).find(free)).unwrap_or(u32::MAX);
                taken.insert(number);
                next.0.insert(service.name.clone(), number);
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
        let first = Numbers::default().next(&config(&["a", "b", "c"]), 5);
        assert_eq!(first.iter().collect::<Vec<_>>(), [("a", 1), ("b", 2), ("c", 3)]);
        let second = first.next(&config(&["d", "c", "a"]), 5);
        assert_eq!(second.iter().collect::<Vec<_>>(), [("a", 1), ("c", 3), ("d", 4)]);
        let third = second.next(&config(&["e", "f", "g", "h"]), 5);
        let numbers: Vec<_> = third.iter().collect();
        assert_eq!(numbers, [("e", 2), ("f", 1), ("g", 3), ("h", 4)], "the free one first, then those given up");
    }
}
