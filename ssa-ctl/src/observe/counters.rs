//! Cells in; packets and octets by service, reason and treatment out.
//!
//! A frame moves one cell, so the sums over reasons and over treatments are equal whenever they are read.

use serde::Serialize;
use serde_json::{Map, Value, json};
use ssa_common::{
    rows::Cell,
    verdict::{Reason, Treatment, Verdict},
};

use crate::kernel::instance::Instance;

/// Packets and octets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    /// Frames.
    pub packets: u64,
    /// Octets of the frames, Ethernet header included.
    pub bytes: u64,
}

impl Count {
    fn add(&mut self, cell: Cell) {
        self.packets += cell.packets;
        self.bytes += cell.bytes;
    }

    /// What was counted since `before`.
    #[must_use]
    pub const fn since(self, before: Self) -> Self {
        Self { packets: self.packets.wrapping_sub(before.packets), bytes: self.bytes.wrapping_sub(before.bytes) }
    }
}

/// What one service counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceCounts {
    /// All frames.
    pub received: Count,
    /// By reason, in the order of [`Reason::ALL`].
    pub reasons: [Count; Reason::ALL.len()],
    /// By treatment, in the order of [`Treatment::ALL`].
    pub treatments: [Count; Treatment::ALL.len()],
    /// By both: of each reason its treatments, in the same orders.
    pub cells: [[Count; Treatment::ALL.len()]; Reason::ALL.len()],
    /// Passed, and would have been dropped if enforced.
    pub would_drop: Count,
}

/// What can be good and held back all the same: where its source sends more than its share.
pub const HELD_BACK: [(Reason, Treatment); 4] = [
    (Reason::Conform, Treatment::LowPriority),
    (Reason::Conform, Treatment::Drop),
    (Reason::Established, Treatment::LowPriority),
    (Reason::Established, Treatment::Drop),
];

impl ServiceCounts {
    /// Sums up the cells of a service.
    pub fn of(cells: &[Cell]) -> Self {
        let mut counts = Self::default();
        for (index, &cell) in (0..).zip(cells) {
            let Some((reason, treatment, would_drop)) = Verdict::of_cell(index) else { break };
            counts.received.add(cell);
            counts.reasons[reason as usize].add(cell);
            counts.treatments[treatment as usize].add(cell);
            counts.cells[reason as usize][treatment as usize].add(cell);
            if would_drop {
                counts.would_drop.add(cell);
            }
        }
        counts
    }

    /// The count of a reason.
    pub const fn reason(&self, reason: Reason) -> Count {
        self.reasons[reason as usize]
    }

    /// The count of a treatment.
    pub const fn treatment(&self, treatment: Treatment) -> Count {
        self.treatments[treatment as usize]
    }

    /// The count of a reason and a treatment.
    pub const fn cell(&self, reason: Reason, treatment: Treatment) -> Count {
        self.cells[reason as usize][treatment as usize]
    }

    /// As JSON has it: every reason and treatment, zero or not; of both together, what was counted.
    pub fn json(&self) -> Value {
        let reasons: Map<_, _> =
            Reason::OF_SERVICE.iter().map(|&reason| (reason.name().into(), json!(self.reason(reason)))).collect();
        let treatments: Map<_, _> = Treatment::ALL
            .iter()
            .map(|&treatment| (treatment.name().into(), json!(self.treatment(treatment))))
            .collect();
        let treated = |reason: Reason| -> Map<_, _> {
            let counts = Treatment::ALL.map(|treatment| (treatment.name(), self.cell(reason, treatment)));
            let counted = counts.into_iter().filter(|(_, count)| *count != Count::default());
            counted.map(|(name, count)| (name.into(), json!(count))).collect()
        };
        let cells: Map<_, _> = Reason::OF_SERVICE
            .iter()
            .map(|&reason| (reason.name().to_owned(), treated(reason)))
            .filter(|(_, treated)| !treated.is_empty())
            .map(|(name, treated)| (name, treated.into()))
            .collect();
        json!({
            "received": self.received,
            "reasons": reasons,
            "treatments": treatments,
            "cells": cells,
            "would_drop": self.would_drop,
        })
    }
}

/// What an instance counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// By service, by name.
    pub services: Vec<(String, ServiceCounts)>,
    /// To no service.
    pub other: Count,
    /// Neither to be judged nor to be passed.
    pub malformed: Count,
}

impl Counts {
    /// Reads the counters.
    pub fn read(instance: &Instance) -> anyhow::Result<Self> {
        let outside = ServiceCounts::of(&instance.cells(0)?);
        let services = instance
            .numbers()?
            .iter()
            .map(|(name, number)| Ok((name.to_owned(), ServiceCounts::of(&instance.cells(number)?))))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { services, other: outside.reason(Reason::Other), malformed: outside.reason(Reason::Malformed) })
    }

    /// As JSON has it.
    pub fn json(&self) -> Value {
        let services: Map<_, _> = self.services.iter().map(|(name, counts)| (name.clone(), counts.json())).collect();
        json!({ "services": services, "other": self.other, "malformed": self.malformed })
    }
}
