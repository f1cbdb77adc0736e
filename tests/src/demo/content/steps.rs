//! Objects and owners in; what must be where, what is, and who answered, compared, out.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, anyhow};
use ssa_store::{counts, held};
use tokio::runtime::Builder;

use super::{
    Story,
    clients::{Outcome, low_bits},
    site::{Endpoint, OBJECT_BITS},
};
use crate::demo::{account::Account as _, site::PREFIX};

/// Objects of each slice, of each endpoint that was asked.
pub(super) type Held = BTreeMap<&'static str, BTreeMap<u32, usize>>;

impl Story<'_> {
    /// How many objects each slice of each endpoint must have, by the objects' ids alone and by who owns what. Blocks are
    /// objects with small ids.
    pub(super) fn expected(&self, blocks: u32) -> Result<Held> {
        let mut expected: Held = self.site.endpoints.iter().map(|endpoint| (endpoint.name, BTreeMap::new())).collect();
        let objects = (0..self.report.objects).map(low_bits);
        for low in objects.chain((0..blocks).map(|number| Ok(number as usize))) {
            for slice in replicas(low?) {
                let owner = self.owners.of_slice(slice).context("a slice has no owner")?;
                let held = expected.get_mut(owner).with_context(|| format!("{owner} owns a slice"))?;
                *held.entry(u32::try_from(slice)?).or_default() += 1;
            }
        }
        Ok(expected)
    }

    /// How many objects each slice of each endpoint has on its disk.
    pub(super) fn held(&self) -> Result<Held> {
        self.site.endpoints.iter().map(|endpoint| Ok((endpoint.name, self.ask(held(endpoint.own))?))).collect()
    }

    /// One of an endpoint's counts.
    pub(super) fn counted(&self, endpoint: &Endpoint, name: &str) -> Result<u64> {
        let counts = self.ask(counts(endpoint.own))?;
        counts.get(name).copied().with_context(|| format!("{} does not count {name}", endpoint.name))
    }

    /// What an operator asks endpoints, from the filter's host.
    pub(super) fn ask<T: Send>(&self, question: impl Future<Output = Result<T>> + Send) -> Result<T> {
        let asked = || -> Result<T> { Builder::new_current_thread().enable_all().build()?.block_on(question) };
        self.site.filter.host().enter(asked)?
    }

    /// Notes what clients could not do, and who answered in somebody's place.
    pub(super) fn note(&mut self, outcome: &Outcome, is_read: bool) -> bool {
        let report = &mut self.report;
        report.failed += outcome.failed;
        report.wrong.extend(outcome.faults.iter().cloned());
        if !is_read {
            return outcome.failed == 0;
        }
        // The address says the slice: it must be one of the object's.
        let is_astray = |(number, from): &&(u32, std::net::Ipv6Addr)| {
            let slice = low_bits(*number).map(|low| replicas(low).map(|slice| self.owners.of_slice(slice)));
            !slice.is_ok_and(|owners| owners.contains(&self.owners.of(*from)))
        };
        let misplaced = outcome.found.iter().filter(is_astray).count();
        report.misplaced += misplaced;
        report
            .expect(misplaced == 0, || format!("{misplaced} objects came from others than the owners of their slices"));
        outcome.failed + misplaced == 0
    }

    /// Takes the filter away from a host; false if it leaves anything.
    pub(super) fn take_down(&mut self, name: &str) -> Result<bool> {
        let host = if name == "filter" { &self.site.filter } else { &self.site.endpoint(name)?.control };
        host.say(&["endpoint", "host", "off"])?;
        let pins = !host.down()?;
        let routes = host.host().ip(&["-6", "route", "show", "table", "local", &format!("{PREFIX}/64")])?;
        let right = !pins && routes.trim().is_empty();
        Ok(self.report.expect(right, || format!("{name} has pins or routes left")))
    }
}

/// The slices of an object with these bits: one for each replica.
pub(super) fn replicas(low: usize) -> [usize; 2] {
    [low, low | 1 << OBJECT_BITS]
}

/// All objects of an endpoint.
pub(super) fn sum(held: &Held, name: &str) -> Result<usize> {
    let slices = held.get(name).ok_or_else(|| anyhow!("{name} was not asked"))?;
    Ok(slices.values().sum())
}
