//! Events in; the sites that they came from in the last minute, with how many and why, out.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use ipnet::Ipv6Net;
use ssa_common::verdict::Reason;

/// For how long a source is remembered.
pub(super) const MEMORY: Duration = Duration::from_mins(1);
/// Events that are remembered, at most.
const MOST: usize = 1 << 16;

/// What one look at the events finds.
#[derive(Clone, Debug, Default)]
pub(super) struct Events {
    /// With how long ago each was.
    pub(super) seen: Vec<(Duration, Origin)>,
    /// Events that were overwritten before they were read.
    pub(super) overwritten: u64,
    /// Events a second that are kept at most; 0: none.
    pub(super) rate: u32,
}

/// Where a frame came from, and what was wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Origin {
    /// None: the frame has no whole IPv6 header.
    pub(super) site: Option<Ipv6Net>,
    /// None: outside any service.
    pub(super) service: Option<String>,
    pub(super) reason: Reason,
}

/// The origins of the last minute.
#[derive(Debug, Default)]
pub(super) struct Sourced {
    seen: VecDeque<(Duration, Origin)>,
    /// Events that were overwritten since somebody looks.
    pub(super) overwritten: u64,
    /// Events a second that are kept at most; 0: none.
    pub(super) rate: u32,
}

impl Sourced {
    /// Takes what a look at this time has found.
    pub(super) fn take(&mut self, at: Duration, events: Events) {
        self.rate = events.rate;
        self.overwritten += events.overwritten;
        for (ago, origin) in events.seen.into_iter().filter(|(ago, _)| *ago < MEMORY) {
            self.seen.push_back((at + MEMORY.saturating_sub(ago), origin));
        }
        while self.seen.front().is_some_and(|(until, _)| *until <= at) || self.seen.len() > MOST {
            self.seen.pop_front();
        }
    }

    /// How many events each origin of a service has, or of all; those that are equal by their names.
    pub(super) fn origins(&self, service: Option<&str>) -> Vec<(&Origin, u64)> {
        let mut counts: HashMap<&Origin, u64> = HashMap::new();
        for (_, origin) in &self.seen {
            if service.is_none() || origin.service.as_deref() == service {
                *counts.entry(origin).or_default() += 1;
            }
        }
        let mut origins: Vec<_> = counts.into_iter().collect();
        let name = |origin: &Origin| (origin.site, origin.service.clone(), origin.reason);
        origins.sort_by_key(|(origin, _)| name(origin));
        origins
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(site: &str, service: &str) -> Origin {
        Origin { site: site.parse().ok(), service: Some(service.into()), reason: Reason::FieldMismatch }
    }

    #[test]
    fn a_source_is_forgotten_after_a_minute() {
        let (one, other) = (origin("2001:db8:1::/48", "web"), origin("2001:db8:2::/48", "storage"));
        let second = Duration::from_secs;
        let mut sourced = Sourced::default();
        let seen = vec![(second(70), other.clone()), (second(50), one.clone()), (second(0), other.clone())];
        sourced.take(second(100), Events { seen, overwritten: 3, rate: 100 });
        assert_eq!(sourced.origins(None), [(&one, 1), (&other, 1)]);
        sourced.take(second(105), Events { seen: vec![(second(1), other.clone())], overwritten: 1, rate: 100 });
        assert_eq!(sourced.origins(None), [(&one, 1), (&other, 2)]);
        assert_eq!(sourced.origins(Some("web")), [(&one, 1)]);
        sourced.take(second(111), Events::default());
        assert_eq!((sourced.origins(None), sourced.overwritten, sourced.rate), (vec![(&other, 2)], 4, 0));
    }
}
