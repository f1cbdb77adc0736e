//! A name in; the addresses that its rule gives for this host, or that it is to be left as it is, out.

use std::{
    collections::HashMap,
    net::Ipv6Addr,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use ssa_client::{
    SelectError, Selector, Service,
    connect::{Way, Wish, ways},
    resolve::{Options, ResolveError, Resolver},
};
use ssa_common::rule::{Key, Request};
use tokio::time::timeout;

use crate::{
    command::{resolving::unresolved, target::refused, wished::Chosen},
    context::unix,
    failure::{Code, Failure},
};

/// How long the search for a proof of work may take, and how long that for a rule: a program asks again after 5 s.
const SEARCH: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_secs(4);
/// Seconds that addresses are kept at most: routes change, and with them the address that this host sends from.
const LONGEST_TTL: u64 = 30;
/// Names of which it is remembered what was said.
const MOST_TOLD: usize = 1024;

/// What knows rules, and what is wanted of all services.
pub(super) struct Rules {
    resolver: Resolver,
    keys: Vec<Key>,
    chosen: Chosen,
    told: Mutex<HashMap<String, String>>,
}

/// A service whose addresses are computed.
pub(super) struct Followed {
    service: Service,
    selector: Arc<Selector>,
}

/// What is known of a name.
pub(super) enum Found {
    /// It has a rule that can be followed here.
    Rule(Followed),
    /// It has none, or none that can be followed here.
    Nothing,
    /// DNS does not say whether it has one.
    Unknown,
}

/// Addresses, and for how many seconds they may be kept.
pub(super) struct Computed {
    pub addresses: Vec<Ipv6Addr>,
    pub ttl: u32,
}

impl Rules {
    /// Needs a runtime.
    pub(super) fn new(options: &Options, chosen: Chosen, keys: Vec<Key>) -> Result<Self, Failure> {
        Ok(Self { resolver: Resolver::new(options).map_err(unresolved)?, keys, chosen, told: Mutex::default() })
    }

    /// The service of a name.
    pub(super) async fn of(&self, name: &str) -> Found {
        let service = match timeout(LOOK, self.resolver.resolve(name)).await {
            Ok(Ok(service)) => service,
            Ok(Err(ResolveError::NoService { .. } | ResolveError::Name { .. })) => return Found::Nothing,
            Ok(Err(error)) => {
                let found = if matches!(error, ResolveError::Dns { .. }) { Found::Unknown } else { Found::Nothing };
                self.leave(name, &unresolved(error));
                return found;
            }
            Err(_) => {
                let message = format!("DNS does not say within {} s whether it has a rule", LOOK.as_secs());
                self.leave(name, &Failure::new(Code::Failed, message));
                return Found::Unknown;
            }
        };
        match self.selector(&service) {
            Ok(selector) => Found::Rule(Followed { service, selector: Arc::new(selector) }),
            Err(error) => {
                self.leave(name, &refused(name, error));
                Found::Nothing
            }
        }
    }

    /// What computes addresses, where nothing is missing.
    fn selector(&self, service: &Service) -> Result<Selector, SelectError> {
        let selector = Selector::new(service, &self.keys)?;
        // Which replica it is to be, nobody can say whose call is not ours: the one after the last is none.
        let replica = self.chosen.replica.unwrap_or(if selector.replicas() > 1 { u32::MAX } else { 0 });
        let request = Request { object: self.chosen.object, replica, ..Request::default() };
        for rule in selector.rules() {
            rule.draw(&request, &mut || 0)?;
        }
        Ok(selector)
    }

    /// Leaves a name as it is, and says why, once.
    fn leave(&self, name: &str, failure: &Failure) {
        let hint = failure.hint.as_deref().map(|hint| format!("; {hint}")).unwrap_or_default();
        let why = format!("{:#}{hint}", failure.error);
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.get(name) != Some(&why) {
            tracing::warn!("{name} is answered as it is: {why}");
            if told.len() >= MOST_TOLD {
                told.clear();
            }
            told.insert(name.to_owned(), why);
        }
    }

    /// Computes its addresses; an error says why there are none.
    pub(super) async fn compute(&self, Followed { service, selector }: &Followed) -> Result<Computed, String> {
        let Chosen { object, replica } = self.chosen;
        let wish = Wish { object, replica, port: 0 };
        let found = timeout(SEARCH, ways(selector, &wish)).await;
        let found = found.map_err(|_| format!("a proof of work takes longer than {} s", SEARCH.as_secs()))?;
        let ways = found.map_err(|error| error.to_string())?;
        let ttl = ttl(service, selector, &ways, unix(SystemTime::now()));
        Ok(Computed { addresses: ways.iter().map(|way| *way.to.ip()).collect(), ttl })
    }
}

/// For how long addresses may be kept: not at all where each call is to have its own, else while the epoch lasts and the
/// service is known.
fn ttl(service: &Service, selector: &Selector, ways: &[Way], now: u64) -> u32 {
    if selector.draws() {
        return 0;
    }
    let ends = ways.iter().filter_map(|way| way.epoch_end).map(|end| end.saturating_sub(now));
    let least = ends.fold(LONGEST_TTL.min(service.ttl.as_secs()), u64::min);
    u32::try_from(least).unwrap_or(u32::MAX)
}
