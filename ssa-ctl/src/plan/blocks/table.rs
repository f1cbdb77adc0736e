//! A block list in; its rows, in a two-choice table of buckets, out; and the list of rows back.

use std::{
    collections::{BTreeMap, HashMap},
    net::Ipv6Addr,
};

use anyhow::Context as _;
use bytemuck::Zeroable as _;
use ipnet::Ipv6Net;
use ssa_common::{
    bits::Words,
    judge::{Hashed, sieve_bit},
    layout::{BLOCK_REASONS, BLOCK_TEXT},
    rows::{BUCKET, BlockBankRow, BlockRow, BlockTextRow, BucketRow, SIEVE_BITS, SIEVED},
};

use super::{Block, Origin};

/// Slots of a bank from the start.
const SLOTS: usize = 1024;
/// Slots of a bucket.
const SLOTS_A_BUCKET: usize = BUCKET as usize;
/// Slots for each reason that there is room for.
const SLOTS_A_REASON: u32 = 32;
/// How many pairs of multipliers are tried before more buckets are.
const ATTEMPTS: usize = 8;
/// Entries that may give way to one another before other multipliers are tried.
const PATIENCE: usize = 2000;

/// The rows of one bank of the block list, at their places counted from the bank's first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockTable {
    /// How a source is found.
    pub bank: BlockBankRow,
    /// The sieve.
    pub sieve: Vec<u64>,
    /// The buckets.
    pub index: Vec<BucketRow>,
    /// The entries.
    pub rows: Vec<BlockRow>,
    /// The reasons.
    pub texts: Vec<BlockTextRow>,
}

impl Default for BlockTable {
    /// Of an empty list.
    fn default() -> Self {
        Self { bank: BlockBankRow::zeroed(), sieve: vec![], index: vec![], rows: vec![], texts: vec![] }
    }
}

/// Slots of a bank that holds this list: nine tenths of them are filled at most.
pub fn slots(blocks: &[Block]) -> u32 {
    let texts = texts(blocks).len() * SLOTS_A_REASON as usize;
    let slots = wanted(blocks.len()).max(texts).max(SLOTS).next_power_of_two();
    u32::try_from(slots).unwrap_or(u32::MAX)
}

fn wanted(entries: usize) -> usize {
    entries + entries.div_ceil(9)
}

/// Reasons that a bank of so many slots has room for.
pub const fn reasons(slots: u32) -> u32 {
    slots / SLOTS_A_REASON
}

/// Words of the sieve of a bank of so many slots.
pub const fn words(slots: u32) -> u32 {
    slots * SIEVE_BITS / u64::BITS
}

/// The different reasons of a list, in the order in which they come.
pub fn texts(blocks: &[Block]) -> Vec<&str> {
    let mut known = HashMap::new();
    number(blocks, &mut known)
}

/// The different reasons, and one more than the place of each.
fn number<'a>(blocks: &'a [Block], known: &mut HashMap<&'a str, usize>) -> Vec<&'a str> {
    let mut texts = Vec::new();
    for block in blocks.iter().filter(|block| !block.reason.is_empty()) {
        known.entry(&block.reason).or_insert_with(|| {
            texts.push(block.reason.as_str());
            texts.len()
        });
    }
    texts
}

impl BlockTable {
    /// The rows of a list that is in order; `random` draws numbers that nobody can foresee.
    ///
    /// # Errors
    /// Where there are too many different reasons, or no place is found for all entries.
    pub fn build(blocks: &[Block], mut random: impl FnMut() -> u64) -> anyhow::Result<Self> {
        let mut known = HashMap::new();
        let texts = number(blocks, &mut known);
        anyhow::ensure!(texts.len() <= BLOCK_REASONS, "{} different reasons, more than there is room for", texts.len());
        let rows = blocks.iter().map(|block| row(block, known.get(block.reason.as_str()).copied()));
        let rows = rows.collect::<anyhow::Result<Vec<_>>>()?;
        let mut bank = BlockBankRow {
            entries: u32::try_from(rows.len())?,
            texts: u32::try_from(texts.len())?,
            ..BlockBankRow::zeroed()
        };
        lengths(&mut bank, &rows)?;
        let fewest = wanted(rows.len()).next_power_of_two().max(SLOTS_A_BUCKET * 2) / SLOTS_A_BUCKET;
        let index = (0..ATTEMPTS).find_map(|_| {
            bank.shift = 64 - fewest.trailing_zeros();
            bank.sieve_shift = 64 - (fewest * SLOTS_A_BUCKET * SIEVE_BITS as usize).trailing_zeros();
            bank.seeds = std::array::from_fn(|_| random() | 1);
            fill(&bank, &rows, fewest)
        });
        let index = index.context("no place was found for all entries of the block list: try again")?;
        let sieve = sieve(&bank, &rows);
        Ok(Self { bank, sieve, index, rows, texts: texts.into_iter().map(text_row).collect() })
    }

    /// The list that these rows are of.
    pub fn list(&self) -> Vec<Block> {
        list(&self.rows, &self.texts)
    }
}

/// The list that rows are of. What no table of ours holds is left out.
pub fn list(rows: &[BlockRow], texts: &[BlockTextRow]) -> Vec<Block> {
    let texts: Vec<String> = texts.iter().map(text).collect();
    let block = |row: &BlockRow| {
        let prefix = Ipv6Net::new(Ipv6Addr::from_bits(row.prefix.to_u128()), row.length).ok()?;
        let reason = usize::from(row.text).checked_sub(1).and_then(|place| texts.get(place));
        Some(Block {
            prefix,
            origin: Origin::of(row.origin),
            deadline: row.deadline,
            added: row.added,
            reason: reason.cloned().unwrap_or_default(),
        })
    };
    rows.iter().filter_map(block).collect()
}

fn row(block: &Block, text: Option<usize>) -> anyhow::Result<BlockRow> {
    Ok(BlockRow {
        prefix: Words::from_u128(block.prefix.network().to_bits()),
        deadline: block.deadline,
        added: block.added,
        length: block.prefix.prefix_len(),
        origin: block.origin.number(),
        text: u16::try_from(text.unwrap_or(0))?,
    })
}

fn text_row(text: &str) -> BlockTextRow {
    let mut row = [0; BLOCK_TEXT];
    let octets = &text.as_bytes()[..text.floor_char_boundary(BLOCK_TEXT)];
    row[..octets.len()].copy_from_slice(octets);
    row
}

fn text(row: &BlockTextRow) -> String {
    let end = row.iter().position(|&octet| octet == 0).unwrap_or(row.len());
    String::from_utf8_lossy(&row[..end]).into_owned()
}

/// Notes the lengths that there are, by the bits that they are sieved by, then those of most entries first: a source that
/// is blocked is found the sooner.
fn lengths(bank: &mut BlockBankRow, rows: &[BlockRow]) -> anyhow::Result<()> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry(row.length).or_insert(0_usize) += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by_key(|&(length, count)| (kind(length), std::cmp::Reverse(count), length));
    for (end, place) in bank.ends.iter_mut().zip(0..) {
        *end = u32::try_from(counts.partition_point(|&(length, _)| kind(length) <= place))?;
    }
    for (to, (length, _)) in bank.lengths.iter_mut().zip(counts) {
        *to = length;
    }
    Ok(())
}

/// Which of [`SIEVED`] a length is sieved by; none is shorter than the last.
fn kind(length: u8) -> usize {
    SIEVED.iter().position(|bits| *bits <= length).unwrap_or(SIEVED.len() - 1)
}

fn sieve(bank: &BlockBankRow, rows: &[BlockRow]) -> Vec<u64> {
    let mut words = vec![0; (1 << (64 - bank.sieve_shift)) / u64::BITS as usize];
    for row in rows {
        let bit = sieve_bit(bank, row.prefix, SIEVED[kind(row.length)]);
        words[bit as usize / 64] |= 1 << (bit % 64);
    }
    words
}

/// Each entry in one of its two buckets; none where that was not found.
fn fill(bank: &BlockBankRow, rows: &[BlockRow], buckets: usize) -> Option<Vec<BucketRow>> {
    let mut index = vec![[0; SLOTS_A_BUCKET]; buckets];
    // Whose slots they are, as the index keeps only bits of that.
    let mut owners = vec![[0_u32; SLOTS_A_BUCKET]; buckets];
    let hashed: Vec<Hashed> = rows.iter().map(|row| Hashed::of(bank, row.prefix, row.length)).collect();
    for first in 0..u32::try_from(rows.len()).ok()? {
        let (mut entry, mut to) = (first, hashed[first as usize].first);
        for turn in 0.. {
            let Hashed { first, second, slot } = hashed[entry as usize];
            let free = [first, second].into_iter().find_map(|bucket| {
                let empty = index[bucket as usize].iter().position(|slot| *slot == 0)?;
                Some((bucket, empty))
            });
            let (bucket, place) = free.unwrap_or((to, turn % SLOTS_A_BUCKET));
            index[bucket as usize][place] = (entry + 1) | slot;
            let evicted = std::mem::replace(&mut owners[bucket as usize][place], entry);
            if free.is_some() {
                break;
            }
            if turn == PATIENCE {
                return None;
            }
            let other = hashed[evicted as usize];
            to = if other.first == bucket { other.second } else { other.first };
            entry = evicted;
        }
    }
    Some(index)
}
