//! A config in; its endpoints in the order of their addresses, which gives them their numbers, out.

use std::collections::HashMap;

use ssa_common::rows::BankRow;

use crate::config::{Config, Endpoint};

/// The endpoints of a config by their numbers, 0 and up. What rows and slices store is one more, and 0 for nobody.
pub struct Ranked<'a> {
    endpoints: Vec<&'a Endpoint>,
    numbers: HashMap<&'a str, u32>,
}

impl<'a> Ranked<'a> {
    /// Those of a config.
    pub fn of(config: &'a Config) -> Self {
        let mut endpoints: Vec<_> = config.endpoints.iter().collect();
        endpoints.sort_by_key(|endpoint| endpoint.address);
        let numbers = (0..).zip(&endpoints).map(|(number, endpoint)| (endpoint.name.as_str(), number)).collect();
        Self { endpoints, numbers }
    }

    /// All of them, from number 0 on.
    pub fn endpoints(&self) -> &[&'a Endpoint] {
        &self.endpoints
    }

    /// The number of the endpoint of this name.
    pub fn number(&self, name: &str) -> Option<u32> {
        self.numbers.get(name).copied()
    }

    /// Whom a row or a slice names.
    pub fn stored(&self, stored: u32) -> Option<&'a Endpoint> {
        self.endpoints.get(stored.checked_sub(1)? as usize).copied()
    }

    /// The same endpoint's name.
    pub fn name(&self, stored: u32) -> Option<&'a str> {
        Some(&self.stored(stored)?.name)
    }

    /// The name of the endpoint that this host is, by its rows.
    pub fn host(&self, bank: &BankRow) -> Option<&'a str> {
        self.name(bank.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, parse};

    #[test]
    fn numbers_follow_addresses_and_are_stored_one_higher() {
        let endpoint =
            |name, address| format!("[[endpoint]]\nname = \"{name}\"\naddress = \"2001:db8:e::{address}\"\n");
        let text = format!(
            "version = 1\n{}{}[[service]]\nname = \"web\"\nprefixes = [\"2001:db8::/64\"]\nrule = \"any:*\"\n",
            endpoint("late", 2),
            endpoint("early", 1)
        );
        let config = parse(Source { path: "/test.toml".into(), text }).unwrap().config;
        let ranked = Ranked::of(&config);
        assert_eq!(["early", "late", "none"].map(|name| ranked.number(name)), [Some(0), Some(1), None]);
        assert_eq!([0, 1, 2, 3].map(|stored| ranked.name(stored)), [None, Some("early"), Some("late"), None]);
        assert_eq!(
            ranked.endpoints().iter().map(|endpoint| endpoint.name.as_str()).collect::<Vec<_>>(),
            ["early", "late"]
        );
    }
}
