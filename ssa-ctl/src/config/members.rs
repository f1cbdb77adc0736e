//! A service and its config in; which endpoints its slices belong to, and which slices are replicas of each other, out.

use std::collections::{BTreeSet, HashSet};

use ssa_common::rule::{Kind, Rule};

use super::{
    endpoint::EndpointDraft,
    model::{Config, Endpoint, Service},
    service::Draft,
    table::Sink,
};
use crate::assign::Replicas;

impl Config {
    /// The endpoints that a service's slices belong to, with their places in the config. None without slices.
    pub fn endpoints_of<'a>(&'a self, service: &'a Service) -> impl Iterator<Item = (usize, &'a Endpoint)> {
        let names: Option<HashSet<&str>> =
            service.endpoints.as_ref().map(|names| names.iter().map(String::as_str).collect());
        let is_member = move |endpoint: &Endpoint| {
            service.slice_bits > 0 && names.as_ref().is_none_or(|names| names.contains(endpoint.name.as_str()))
        };
        self.endpoints.iter().enumerate().filter(move |(_, endpoint)| is_member(endpoint))
    }
}

impl Service {
    /// Where in the numbers of its slices the replica stands: the first `replica` field of the current rule, with two
    /// replicas or more, that lies wholly within the slice bits, at one place behind every prefix.
    pub fn replicas(&self) -> Option<Replicas> {
        let lengths = self.prefixes.iter().map(ipnet::Ipv6Net::prefix_len).collect();
        find(&self.rule, &lengths, self.slice_bits).map(|(_, replicas)| replicas)
    }
}

/// The place of a field in the rule, and of its bits in the numbers of slices.
fn find(rule: &Rule, lengths: &BTreeSet<u8>, bits: u8) -> Option<(usize, Replicas)> {
    fields(rule).find_map(|(index, count)| {
        let place = |length: &u8| {
            let placed = rule.place(0, *length).ok()?;
            let field = placed.fields().get(index)?;
            Some((field.first.checked_sub(*length)?, field.width))
        };
        let mut places = lengths.iter().map(place);
        let (first, width) = places.next()??;
        let is_same = places.all(|other| other == Some((first, width)));
        let is_within = width > 0 && u16::from(first) + u16::from(width) <= bits.into();
        (is_same && is_within).then_some((index, Replicas { first, width, count }))
    })
}

/// The `replica` fields of a rule that tell replicas apart, by their places in it, and how many each numbers.
fn fields(rule: &Rule) -> impl Iterator<Item = (usize, u32)> {
    rule.fields().iter().enumerate().filter_map(|(index, field)| match field.kind {
        Kind::Replica { count } if count > 1 => Some((index, count)),
        _ => None,
    })
}

/// Warns of replicas of one address that would lie on one endpoint, or in one failure domain.
pub(super) fn warn(draft: &Draft<'_>, members: &[&EndpointDraft<'_>], sink: &mut Sink) {
    let Some(text) = draft.rule.as_ref().filter(|_| !members.is_empty()) else { return };
    let bits = draft.slices.bits.value;
    let found = find(&text.rule, &draft.lengths(), bits);
    let takers: Vec<_> = members.iter().filter(|endpoint| !endpoint.drain).collect();
    let named: HashSet<&str> = takers.iter().filter_map(|endpoint| endpoint.domain).collect();
    let domains = named.len() + takers.iter().filter(|endpoint| endpoint.domain.is_none()).count();
    for (index, count) in fields(&text.rule) {
        let field = &text.rule.fields()[index];
        let (message, help) = match &found {
            None => (
                format!(
                    "{field} does not lie within the {bits} slice bits of every prefix: all replicas are on one endpoint"
                ),
                format!("put it among the first {bits} bits after the prefix, and before any field of width *"),
            ),
            Some((other, _)) if *other != index => (
                format!(
                    "{field} is not the first replica field on slice bits, so that its replicas are not kept apart"
                ),
                "use one replica field".to_owned(),
            ),
            Some(_) if takers.len() < count as usize => (
                format!("{} has {} endpoints for {count} replicas: some share one", draft.shown(), takers.len()),
                "add endpoints, or use fewer replicas".to_owned(),
            ),
            Some(_) if domains < count as usize => (
                format!(
                    "the endpoints of {} are in {domains} domains, for {count} replicas: some share one",
                    draft.shown()
                ),
                "spread the endpoints over more domains, or use fewer replicas".to_owned(),
            ),
            Some(_) => continue,
        };
        sink.warning(text.place(&field.span), message, help);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, parse};

    fn config(prefixes: &str, rule: &str, bits: u8) -> Config {
        let text = format!(
            "version = 1\n[[endpoint]]\nname = \"a\"\naddress = \"fd00::a\"\n[[endpoint]]\nname = \"b\"\naddress = \"fd00::b\"\n\
             [[service]]\nname = \"web\"\nprefixes = [{prefixes}]\nrule = \"{rule}\"\nslice_bits = {bits}\n"
        );
        parse(Source { path: "/test.toml".into(), text }).unwrap().config
    }

    #[test]
    fn replicas_have_a_place_in_the_numbers_of_slices() {
        let two = "\"2001:db8::/64\", \"2001:db8:1::/60\"";
        let cases = [
            ("\"2001:db8::/64\"", "replica(3):2 any:*", 8, Some((0, 2, 3))),
            ("\"2001:db8::/64\"", "object(0):6 replica(4):2 any:*", 8, Some((6, 2, 4))),
            ("\"2001:db8::/64\"", "object(0):7 replica(4):2 any:*", 8, None),
            ("\"2001:db8::/64\"", "replica(1):2 object(0):2 replica(2):1 any:*", 8, Some((4, 1, 2))),
            ("\"2001:db8::/64\"", "any:* replica(3):2 const(0x0):60", 8, Some((2, 2, 3))),
            (two, "object(0):6 replica(4):2 any:*", 8, Some((6, 2, 4))),
            (two, "any:* replica(3):2 const(0x0):56", 20, None),
            ("\"2001:db8::/64\"", "replica(3):2 any:*", 0, None),
            ("\"2001:db8::/64\"", "any:*", 8, None),
        ];
        for (prefixes, rule, bits, place) in cases {
            let replicas = place.map(|(first, width, count)| Replicas { first, width, count });
            assert_eq!(config(prefixes, rule, bits).services[0].replicas(), replicas, "{rule}");
        }
    }

    #[test]
    fn endpoints_are_those_listed_or_all() {
        let mut config = config("\"2001:db8::/64\"", "any:*", 8);
        let members =
            |config: &Config| config.endpoints_of(&config.services[0]).map(|(place, _)| place).collect::<Vec<_>>();
        assert_eq!(members(&config), [0, 1]);
        config.services[0].endpoints = Some(vec!["b".into()]);
        assert_eq!(members(&config), [1]);
        config.services[0].slice_bits = 0;
        assert_eq!(members(&config), [0usize; 0]);
    }
}
