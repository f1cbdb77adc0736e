//! The maps of the block list: the rows of a bank, read and written.

use anyhow::{Context as _, ensure};
use ssa_common::rows::{BUCKET, BlockBankRow, BlockRow, BlockTextRow, BucketRow};

use super::map::Map;
use crate::plan::blocks::{self, Block, BlockTable};

/// The maps of both banks.
pub struct BlockMaps {
    /// The banks.
    pub(super) banks: Map<BlockBankRow>,
    /// The sieves.
    pub(super) sieve: Map<u64>,
    /// The buckets.
    pub(super) index: Map<BucketRow>,
    /// The entries.
    pub(super) rows: Map<BlockRow>,
    /// The reasons.
    pub(super) texts: Map<BlockTextRow>,
    /// Slots of a bank.
    pub(super) slots: u32,
}

impl BlockMaps {
    /// Octets of kernel memory that they take.
    pub(super) const fn octets(&self) -> u64 {
        self.banks.octets() + self.sieve.octets() + self.index.octets() + self.rows.octets() + self.texts.octets()
    }

    /// A bank's own row.
    pub(super) fn bank(&self, bank: u32) -> anyhow::Result<BlockBankRow> {
        self.banks.get(bank)
    }

    /// The list in a bank, as far as its row says. A writer may change it meanwhile: the reader asks whether one has.
    pub(super) fn read(&self, bank: u32, row: &BlockBankRow) -> anyhow::Result<Vec<Block>> {
        let reasons = blocks::reasons(self.slots);
        let rows = self.rows.read(bank * self.slots, row.entries.min(self.slots))?;
        let texts = self.texts.read(bank * reasons, row.texts.min(reasons))?;
        Ok(blocks::list(&rows, &texts))
    }

    /// Writes a bank that is not in force.
    pub(super) fn write(&self, bank: u32, generation: u64, table: &BlockTable) -> anyhow::Result<()> {
        let reasons = blocks::reasons(self.slots);
        let (buckets, words) = (self.slots / BUCKET, blocks::words(self.slots));
        let fits = |count: usize, room: u32| count <= room as usize;
        let does_fit =
            fits(table.index.len(), buckets) && fits(table.sieve.len(), words) && fits(table.rows.len(), self.slots);
        ensure!(does_fit && fits(table.texts.len(), reasons), "the block list is longer than there is room for");
        let row = BlockBankRow {
            generation,
            first_word: bank * words,
            first_bucket: bank * buckets,
            first_entry: bank * self.slots,
            first_text: bank * reasons,
            ..table.bank
        };
        self.banks.write(bank, &[row])?;
        self.texts.write(row.first_text, &table.texts)?;
        self.rows.write(row.first_entry, &table.rows)?;
        self.sieve.write(row.first_word, &table.sieve)?;
        self.index.write(row.first_bucket, &table.index).context("cannot write the block list")
    }
}
