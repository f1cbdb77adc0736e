//! What a story has counted in; what is not as it should be, a table for people, and one JSON object, out.

use std::ops::Range;

use comfy_table::{CellAlignment, Table, presets::NOTHING};
use serde::Serialize;

use super::Ending;

/// What a story has counted.
pub(super) trait Account: Serialize + Sized {
    /// Whether all is as it should be, and what is not.
    fn outcome(&mut self) -> (&mut bool, &mut Vec<String>);

    /// For people.
    fn table(&self) -> String;

    /// Notes what is wrong, where it does not hold; and says whether it does.
    fn expect(&mut self, holds: bool, otherwise: impl FnOnce() -> String) -> bool {
        if !holds {
            self.outcome().1.push(otherwise());
        }
        holds
    }

    /// As it is shown.
    fn ending(mut self) -> Ending {
        let (right, wrong) = self.outcome();
        *right = wrong.is_empty();
        let faults = wrong.clone();
        Ending { table: self.table(), json: serde_json::to_string_pretty(&self).unwrap_or_default(), faults }
    }
}

/// A table without lines.
pub(super) fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table
}

/// A table as text, with numbers in these columns.
pub(super) fn with_numbers(mut table: Table, columns: Range<usize>) -> String {
    for column in table.column_iter_mut().skip(columns.start).take(columns.len()) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}
