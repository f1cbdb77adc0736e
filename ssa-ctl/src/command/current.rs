//! What a person says of a service in; what is known of it now, found again when its time is over, out.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ssa_client::{Selector, Service, issue::Issuer};

use super::target::Target;
use crate::failure::Failure;

/// How long it takes at least until a service is looked for again: also where DNS says that nothing may be kept.
const LEAST: Duration = Duration::from_secs(1);

/// A service, as it was found last.
pub(super) struct Current<'a> {
    target: &'a Target,
    issuer: Option<Arc<Issuer>>,
    service: Service,
    selector: Arc<Selector>,
    found: Instant,
}

impl<'a> Current<'a> {
    /// Finds the service.
    pub(super) async fn find(target: &'a Target, issuer: Option<Arc<Issuer>>) -> Result<Self, Failure> {
        let (service, selector) = target.find(issuer.as_ref()).await?;
        Ok(Self { target, issuer, service, selector, found: Instant::now() })
    }

    /// Finds it again where its time is over; whether it did. Where it cannot be found, what was known holds.
    pub(super) async fn refresh(&mut self) -> bool {
        if self.found.elapsed() <= self.service.ttl.max(LEAST) {
            return false;
        }
        let found = self.target.find(self.issuer.as_ref()).await;
        self.found = Instant::now();
        match found {
            Ok((service, selector)) => (self.service, self.selector) = (service, selector),
            Err(failure) => {
                tracing::warn!("what is known of {} holds on: {:#}", self.service.name, failure.error);
                return false;
            }
        }
        true
    }

    /// The service, as it was found last.
    pub(super) const fn service(&self) -> &Service {
        &self.service
    }

    /// What computes its addresses, as it was found last.
    pub(super) const fn selector(&self) -> &Arc<Selector> {
        &self.selector
    }
}
