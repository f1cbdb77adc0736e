//! What clients and servers counted in; a table for people, or one JSON object, out.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::demo::account::{Account, plain, with_numbers};

/// What one endpoint had, in the end.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Row {
    pub(super) slices: usize,
    /// Objects that its slices must have, and those that are on its disk.
    pub(super) expected: usize,
    pub(super) objects: usize,
    /// Objects that clients read here while all were well, as it counts them.
    pub(super) read: u64,
    /// Requests for objects of others.
    pub(super) misdirected: u64,
    /// Requests for objects that it has not: of blocks that were never written.
    pub(super) missing: u64,
}

/// A slice that moved.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Moved {
    pub(super) slice: usize,
    pub(super) from: String,
    pub(super) to: String,
    pub(super) objects: usize,
    /// Objects of other slices that came or went.
    pub(super) others: usize,
    /// Reads of its objects while it moved, and those that failed.
    pub(super) reads: usize,
    pub(super) failed: usize,
}

/// An endpoint that died.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Lost {
    pub(super) endpoint: String,
    /// Objects whose first replica it had.
    pub(super) objects: usize,
    /// Those that were read from their other replica.
    pub(super) reached: usize,
}

/// All that was counted.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Whether all is as it should be.
    pub(super) right: bool,
    /// Objects, and replicas of each.
    pub(super) objects: u32,
    pub(super) replicas: u32,
    /// Writes and reads that failed.
    pub(super) failed: usize,
    /// Reads that somebody else answered than the owner of the slice.
    pub(super) misplaced: usize,
    pub(super) endpoints: BTreeMap<&'static str, Row>,
    pub(super) moved: Moved,
    pub(super) lost: Lost,
    /// Frames that the filter received, and those of them that it sent on.
    pub(super) frames: [u64; 2],
    /// What is not as it should be.
    pub(super) wrong: Vec<String>,
}

impl Account for Report {
    fn outcome(&mut self) -> (&mut bool, &mut Vec<String>) {
        (&mut self.right, &mut self.wrong)
    }

    fn table(&self) -> String {
        let mut table = plain();
        table.set_header(["ENDPOINT", "SLICES", "OBJECTS", "AS COMPUTED", "READS", "MISDIRECTED"]);
        for (name, row) in &self.endpoints {
            let Row { slices, expected, objects, read, misdirected, .. } = row;
            let cells = [slices.to_string(), objects.to_string(), expected.to_string(), read.to_string()];
            table.add_row([(*name).to_owned()].into_iter().chain(cells).chain([misdirected.to_string()]));
        }
        with_numbers(table, 1..6)
    }
}
