//! A service and its keys in; the address for a source, an object, a replica and a time out.

mod error;
#[cfg(feature = "issue")]
mod issued;

use std::{
    net::Ipv6Addr,
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use ipnet::Ipv6Net;
use ssa_common::rule::{Compiled, Key, Kind, Request, Rule, Secrets};

pub use self::error::SelectError;
#[cfg(feature = "issue")]
pub(crate) use self::issued::Issued;

use crate::{Service, pow};

/// Addresses that are drawn until one is not excluded: with a hundredth of a prefix left, one in 10^17 searches fails.
const DRAWS: u32 = 4096;
/// Proofs of work that are searched for until one is not excluded.
const PROOFS: u32 = 64;

/// Computes the addresses of a service.
#[derive(Clone, Debug)]
pub struct Selector {
    rules: Vec<Compiled>,
    excluded: Vec<Ipv6Net>,
    skew: u32,
    attempts: Arc<AtomicU64>,
    #[cfg(feature = "issue")]
    issued: Option<Issued>,
}

impl Selector {
    /// Compiles the rule over each prefix. `keys` is the ring of the rule's `mac`, in any order; others need none.
    ///
    /// # Errors
    /// Where the service has no prefix, its rule does not fit one, it needs a key, or two have one number.
    pub fn new(service: &Service, keys: &[Key]) -> Result<Self, SelectError> {
        if let Some(ring) = service.record.rule.key()
            && keys.is_empty()
        {
            return Err(SelectError::NoKey { ring: ring.to_owned() });
        }
        let twice = |(index, key): (usize, &Key)| keys[..index].iter().any(|other| other.number == key.number);
        if let Some((_, key)) = keys.iter().enumerate().find(|numbered| twice(*numbered)) {
            return Err(SelectError::KeyTwice { number: key.number });
        }
        Self::compiled(service, keys)
    }

    /// The same; without a key for a `mac` no address can be computed.
    fn compiled(service: &Service, keys: &[Key]) -> Result<Self, SelectError> {
        Ok(Self {
            rules: compile(service, &service.record.rule, keys)?,
            excluded: service.excluded.clone(),
            skew: service.record.skew,
            attempts: Arc::default(),
            #[cfg(feature = "issue")]
            issued: None,
        })
    }

    /// The rule over each prefix of which something is left, in order.
    pub fn rules(&self) -> &[Compiled] {
        &self.rules
    }

    /// The address to use, in the first prefix that has one. A proof of work is searched for to its end.
    ///
    /// `time` is in Unix seconds. No address is excluded.
    ///
    /// # Errors
    /// Where no prefix has one, or the rule needs an object and there is none.
    pub fn address(
        &self,
        source: Ipv6Addr,
        object: Option<u128>,
        replica: u32,
        time: u64,
    ) -> Result<Ipv6Addr, SelectError> {
        let request = Request { source: source.to_bits(), object, replica, time };
        self.address_for(&request, &mut |_| ControlFlow::Continue(()))
    }

    /// The same; `progress` is told now and then how many attempts the search for a proof of work has taken, and may end it.
    ///
    /// # Errors
    /// As of [`Self::address`], or `progress` gave up.
    pub fn address_for(
        &self,
        request: &Request,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Ipv6Addr, SelectError> {
        let mut found = Err(SelectError::NoPrefix);
        for rule in &self.rules {
            found = self.address_by(rule, request, progress);
            if found != Err(SelectError::Excluded) {
                break;
            }
        }
        found
    }

    /// The address to use in the prefix of one of the [`rules`](Self::rules).
    ///
    /// `progress` is told now and then how many attempts the search for a proof of work has taken, and may end it.
    ///
    /// # Errors
    /// Where all that could be used is excluded, the rule needs an object and there is none, or `progress` gave up.
    pub fn address_by(
        &self,
        rule: &Compiled,
        request: &Request,
        progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<Ipv6Addr, SelectError> {
        let worked_out = worked_out(rule);
        let is_drawn = is_drawn(rule);
        let mut proofs = if pow::zeros(rule) > 0 { PROOFS } else { DRAWS };
        for _ in 0..DRAWS {
            let drawn = rule.draw(request, &mut rand::random::<u64>)?;
            if self.excludes(drawn, worked_out) {
                if is_drawn {
                    continue;
                }
                break;
            }
            let mut counted = 0;
            let found = pow::prove(rule, request, drawn, &mut |attempts| {
                self.attempts.fetch_add(attempts.saturating_sub(counted), Ordering::Relaxed);
                counted = attempts;
                progress(attempts)
            })?;
            if !self.excludes(found, 0) {
                return Ok(found.into());
            }
            proofs -= 1;
            if proofs == 0 || !is_drawn && pow::zeros(rule) == 0 {
                break;
            }
        }
        Err(SelectError::Excluded)
    }

    /// The attempts that all searches for proofs of work have made so far, those of clones included: who waits for one in
    /// another thread sees how far it is. [`pow::zeros`] of a rule says how many to expect.
    pub fn attempts(&self) -> u64 {
        self.attempts.load(Ordering::Relaxed)
    }

    /// Whether each address has bits that are drawn for it alone.
    pub fn draws(&self) -> bool {
        self.rules.iter().any(is_drawn)
    }

    /// How many replicas there are: 1 if the rule has none.
    pub fn replicas(&self) -> u32 {
        let count = |kind: &Kind| if let Kind::Replica { count } = kind { Some(*count) } else { None };
        let fields = self.rules.iter().flat_map(|rule| rule.placed().fields());
        fields.filter_map(|field| count(&field.kind)).min().unwrap_or(1)
    }

    /// When an address of `time` is to be computed anew: where the first epoch ends, if the rule has any. Unix seconds.
    pub fn epoch_end(&self, time: u64) -> Option<u64> {
        let fields = self.rules.iter().flat_map(|rule| rule.placed().fields());
        let periods = fields.filter_map(|field| field.kind.period());
        periods.map(|period| (time / period.seconds()).saturating_add(1).saturating_mul(period.seconds())).min()
    }

    /// The first second in which an address of `time` is taken no more: the service's skew after the end of the epoch.
    pub fn valid_until(&self, time: u64) -> Option<u64> {
        self.epoch_end(time).map(|end| end.saturating_add(self.skew.into()))
    }

    /// Whether an address is excluded, whatever its bits in `open` are.
    fn excludes(&self, address: u128, open: u128) -> bool {
        self.excluded.iter().any(|prefix| {
            let differ = address ^ prefix.network().to_bits();
            (differ | open) & prefix.netmask().to_bits() == 0
        })
    }
}

/// A rule of the service over each prefix of which something is left.
fn compile(service: &Service, rule: &Rule, keys: &[Key]) -> Result<Vec<Compiled>, SelectError> {
    let secrets = Secrets { salt: service.record.salt, ring: keys };
    let is_left = |prefix: &&Ipv6Net| !service.excluded.iter().any(|excluded| excluded.contains(*prefix));
    let compile = |prefix: &Ipv6Net| {
        let placed = rule.place(prefix.network().to_bits(), prefix.prefix_len());
        let placed = placed.map_err(|errors| SelectError::Unfit { prefix: *prefix, errors })?;
        Ok::<_, SelectError>(placed.compile(&secrets, service.record.skew))
    };
    let rules = service.prefixes.iter().filter(is_left).map(compile).collect::<Result<Vec<_>, _>>()?;
    if rules.is_empty() { Err(SelectError::NoPrefix) } else { Ok(rules) }
}

/// Whether it has bits that any address may choose.
fn is_drawn(rule: &Compiled) -> bool {
    rule.placed().fields().iter().any(|field| field.kind == Kind::Any && field.width > 0)
}

/// The bits that are worked out after the others are drawn.
fn worked_out(rule: &Compiled) -> u128 {
    let late = |kind: &Kind| matches!(kind, Kind::Mac { .. } | Kind::Pow { .. });
    let fields = rule.placed().fields().iter().filter(|field| late(&field.kind));
    fields.fold(0, |bits, field| bits | ssa_common::bits::mask(field.first, field.width))
}

#[cfg(test)]
mod tests;
