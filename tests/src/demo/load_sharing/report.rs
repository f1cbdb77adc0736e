//! What clients and filters counted in; a table for people, or one JSON object, out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{clients::Visit, site::NAMES};
use crate::demo::{
    account::{Account, plain, with_numbers},
    owners::Owners,
};

/// New connections while nothing changed, or while something did.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Stage {
    pub(super) name: &'static str,
    /// New connections that began in it.
    pub(super) connections: usize,
    /// Those that nobody answered as they should have.
    pub(super) failed: usize,
    /// Those that somebody else answered than the owner of their slice.
    pub(super) misplaced: usize,
    /// The others by who answered.
    pub(super) answered: BTreeMap<&'static str, usize>,
    /// Slices of each endpoint; nothing while something changes.
    pub(super) slices: BTreeMap<&'static str, usize>,
}

impl Stage {
    /// Counts the visits of one stage; while nothing changes, the owners are known.
    pub(super) fn count(name: &'static str, number: usize, visits: &[Visit], owners: Option<&Owners>) -> Self {
        let visits: Vec<_> = visits.iter().filter(|visit| visit.stage == number).collect();
        let at = |name: &'static str| (name, visits.iter().filter(|visit| visit.endpoint == Some(name)).count());
        let is_misplaced = |visit: &&&Visit| {
            owners.is_some_and(|owners| visit.endpoint.is_some() && visit.endpoint != owners.of(visit.called))
        };
        Self {
            name,
            connections: visits.len(),
            failed: visits.iter().filter(|visit| visit.endpoint.is_none()).count(),
            misplaced: visits.iter().filter(is_misplaced).count(),
            answered: NAMES.into_iter().map(at).collect(),
            slices: owners.iter().flat_map(|owners| NAMES.map(|name| (name, owners.count(name)))).collect(),
        }
    }
}

/// All that was counted.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Whether all is as it should be.
    pub(super) right: bool,
    pub(super) stages: Vec<Stage>,
    /// Slices that moved when an endpoint joined, and when one was drained.
    pub(super) slices_moved: [usize; 2],
    /// Connections that lasted.
    pub(super) long_connections: usize,
    /// Those of them whose slice went to another endpoint while they lasted.
    pub(super) long_connections_moved: usize,
    /// New connections that began after an endpoint was drained, and reached it.
    pub(super) new_at_the_drained: usize,
    /// Connections that clients could not make or not end.
    pub(super) failed: usize,
    pub(super) octets_sent: u64,
    pub(super) octets_lost: u64,
    pub(super) slowest_answer_milliseconds: u128,
    /// Frames that the filter received and sent on, those that endpoints received, and those that they handed over.
    pub(super) frames: Frames,
    /// What is not as it should be.
    pub(super) wrong: Vec<String>,
}

/// Frames for the service.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Frames {
    pub(super) at_the_filter: u64,
    pub(super) sent_on: u64,
    pub(super) at_endpoints: u64,
    /// From an endpoint to the previous owner of a slice.
    pub(super) handed_over: u64,
    pub(super) dropped: u64,
}

impl Account for Report {
    fn outcome(&mut self) -> (&mut bool, &mut Vec<String>) {
        (&mut self.right, &mut self.wrong)
    }

    fn table(&self) -> String {
        let mut table = plain();
        let header = ["NEW CONNECTIONS WHILE", "ALL"].into_iter().map(str::to_owned);
        let header = header.chain(NAMES.map(|name| format!("AT {name}"))).chain(["FAILED".to_owned()]);
        table.set_header(header);
        for stage in &self.stages {
            let counts = [stage.connections].into_iter().chain(stage.answered.values().copied()).chain([stage.failed]);
            table.add_row([stage.name.to_owned()].into_iter().chain(counts.map(|count| count.to_string())));
        }
        with_numbers(table, 1..3 + NAMES.len())
    }
}
