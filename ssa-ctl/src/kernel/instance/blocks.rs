//! The block list in force, read; another, written and put in force, all of it at once.

use anyhow::Context as _;
use rand::{TryRng as _, rngs::SysRng};

use super::Instance;
use crate::plan::blocks::{Block, BlockTable};

impl Instance {
    /// The block list in force, as one writer has left it. Waits for no writer: reads again where one came between.
    pub fn blocks(&self) -> anyhow::Result<Vec<Block>> {
        loop {
            let number = self.active.get(0)?.in_force().blocks;
            let Some(bank) = number.checked_sub(1) else { return Ok(Vec::new()) };
            let row = self.blocks.bank(bank)?;
            let list = self.blocks.read(bank, &row)?;
            // A bank is written only after the other came into force, and has another generation then.
            let is_still = self.active.get(0)?.in_force().blocks == number && self.blocks.bank(bank)? == row;
            if is_still {
                return Ok(list);
            }
        }
    }

    /// Puts a block list in force. Every frame is judged by all of the old one or all of this.
    ///
    /// # Errors
    /// Where it is longer than the maps have room for.
    pub fn put_blocks(&self, list: &[Block]) -> anyhow::Result<()> {
        let table = block_table(list)?;
        let mut active = self.active.get(0)?;
        let bank = u32::from(active.in_force().blocks == 1);
        let number = if list.is_empty() { 0 } else { bank + 1 };
        if number != 0 {
            // Frames that began before the last change may still read the bank that is to be written.
            self.settle();
            let generation = self.blocks.bank(0)?.generation.max(self.blocks.bank(1)?.generation) + 1;
            self.blocks.write(bank, generation, &table)?;
        }
        // One word of the bank in force changes: whoever writes another bank takes it over.
        let place = active.place();
        active.banks[place].blocks = number;
        self.active.write(0, &[active])
    }
}

/// The rows of a list, hashed in a way that nobody can foresee.
///
/// # Errors
/// Where the kernel gives no random numbers, or no place is found for all entries.
pub fn block_table(list: &[Block]) -> anyhow::Result<BlockTable> {
    // Drawn before it is known how many are needed: the table is built without asking the kernel.
    let mut drawn = [0; 256];
    SysRng.try_fill_bytes(&mut drawn).context("the kernel gives no random numbers")?;
    let (words, _) = drawn.as_chunks();
    let mut words = words.iter().map(|octets| u64::from_ne_bytes(*octets)).cycle();
    BlockTable::build(list, || words.next().unwrap_or(0))
}
