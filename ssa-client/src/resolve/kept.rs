//! Names and services in; the services that still hold out.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use hickory_resolver::proto::rr::Name;

use crate::Service;

/// Services that are kept at most.
const MOST: usize = 1024;

/// Services, each until its time is over.
#[derive(Default)]
pub(super) struct Kept(Mutex<HashMap<Name, (Service, Instant)>>);

impl Kept {
    /// The service at a name, if it holds at `now`, with the time that is left of it.
    pub(super) fn get(&self, name: &Name, now: Instant) -> Option<Service> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (service, end) = kept.get(name)?;
        let ttl = end.checked_duration_since(now).filter(|left| !left.is_zero())?;
        Some(Service { ttl, ..service.clone() })
    }

    /// Keeps a service from `now` on.
    pub(super) fn put(&self, name: Name, service: Service, now: Instant) {
        let Some(end) = now.checked_add(service.ttl) else { return };
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.retain(|_, (_, end)| *end > now);
        }
        if kept.len() < MOST {
            kept.insert(name, (service, end));
        }
    }
}
