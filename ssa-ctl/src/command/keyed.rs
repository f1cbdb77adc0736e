//! A config, its keys and the name of a service in; what computes the service's addresses out.

use ssa_client::{Selector, Service};

use crate::{
    config::{Config, keys::KeyRings},
    dns,
    failure::Failure,
};

/// A service of a config as its clients know it.
pub(super) fn service(config: &Config, name: &str) -> Result<Service, Failure> {
    let (_, found) = super::service(config, name)?;
    Ok(Service::new(&found.name, &found.prefixes, dns::record(found)))
}

/// What computes its addresses, with the keys of its rule.
pub(super) fn selector(config: &Config, rings: &KeyRings, name: &str) -> Result<Selector, Failure> {
    let (index, found) = super::service(config, name)?;
    let ring = found.rule.key().map_or(&[][..], |ring| rings.ring(index, ring));
    Ok(Selector::new(&service(config, name)?, ring)?)
}
