//! What each sender sent and what became of it in; a table for people, or one JSON object, out.

use std::collections::BTreeMap;

use serde::Serialize;
use ssa_common::verdict::{Reason, Treatment};

use super::{
    Ending,
    account::{plain, with_numbers},
    control::Counted,
};

/// A sender under a rule.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    pub(super) rule: &'static str,
    pub(super) who: &'static str,
    /// Packets sent to the service, as the sender counts.
    pub(super) sent: u64,
    /// Packets that the filter received from it.
    pub(super) received: u64,
    pub(super) passed: u64,
    pub(super) dropped: u64,
    /// Packets by reason, of those that do not conform.
    pub(super) reasons: BTreeMap<String, u64>,
    /// What is not as it should be.
    pub(super) wrong: Vec<String>,
}

impl Row {
    /// Compares what was counted with what was sent, and with what the law expects by reason.
    pub(super) fn compare(
        rule: &'static str,
        who: &'static str,
        sent: u64,
        counted: &Counted,
        expected: &BTreeMap<&'static str, u64>,
    ) -> Self {
        let mut wrong = Vec::new();
        let of = |counts: &BTreeMap<String, u64>, name: &str| counts.get(name).copied().unwrap_or(0);
        if counted.received != sent {
            wrong.push(format!("{sent} packets sent, {} received", counted.received));
        }
        for name in Reason::ALL.iter().map(|reason| reason.name()) {
            let (want, have) = (expected.get(name).copied().unwrap_or(0), of(&counted.reasons, name));
            if want != have {
                wrong.push(format!("{have} packets counted as {name}, not {want}"));
            }
        }
        let conform = of(&counted.reasons, Reason::Conform.name());
        let passed = of(&counted.treatments, Treatment::Pass.name());
        let dropped = of(&counted.treatments, Treatment::Drop.name());
        if (passed, dropped) != (conform, counted.received - conform) {
            wrong.push(format!("{passed} packets passed and {dropped} were dropped, {conform} conform"));
        }
        let mut reasons = counted.reasons.clone();
        reasons.remove(Reason::Conform.name());
        Self { rule, who, sent, received: counted.received, passed, dropped, reasons, wrong }
    }
}

/// All rows.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    pub(super) rows: Vec<Row>,
    /// What is wrong and belongs to no row.
    pub(super) wrong: Vec<String>,
    /// Whether all is as it should be.
    pub(super) as_it_should_be: bool,
}

impl Report {
    /// What is not as it should be.
    fn faults(&self) -> impl Iterator<Item = String> {
        let of_rows = self
            .rows
            .iter()
            .flat_map(|row| row.wrong.iter().map(|fault| format!("{}, {}: {fault}", row.rule, row.who)));
        of_rows.chain(self.wrong.iter().cloned())
    }

    /// The table for people.
    fn table(&self) -> String {
        let mut table = plain();
        table.set_header(["RULE", "WHO", "SENT", "PASSED", "DROPPED", "BECAUSE OF", ""]);
        let mut before = "";
        for row in &self.rows {
            let rule = if row.rule == before { "" } else { row.rule };
            before = row.rule;
            let reasons = row.reasons.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            table.add_row([
                rule,
                row.who,
                &row.sent.to_string(),
                &row.passed.to_string(),
                &row.dropped.to_string(),
                if reasons.is_empty() { "-" } else { &reasons },
                if row.wrong.is_empty() { "as it should be" } else { "WRONG" },
            ]);
        }
        with_numbers(table, 2..5)
    }

    /// As it is shown.
    pub(super) fn ending(mut self) -> Ending {
        let faults: Vec<_> = self.faults().collect();
        self.as_it_should_be = faults.is_empty();
        let json = serde_json::to_string_pretty(&self).unwrap_or_default();
        Ending { table: self.table(), json, faults }
    }
}
