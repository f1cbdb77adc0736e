//! A block list and what is to become of it in; the new list, and what that changed, out.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::Ipv6Net;
use serde::Serialize;
use ssa_common::layout::{BLOCK_REASONS, BLOCKS};

use super::{Block, NEVER, Origin, texts};
use crate::config::Refusal;

/// What is to become of the list. First is taken away, then added; a frame sees all of it or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edit {
    /// What is taken away.
    pub remove: Remove,
    /// What is added, or replaced. Of entries with one prefix and one origin the last counts.
    pub add: Vec<Entry>,
}

/// What is taken away.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Remove {
    /// Nothing.
    #[default]
    Nothing,
    /// All of one origin.
    Of(Origin),
    /// All.
    All,
    /// These prefixes, of one origin or of any. Each must be there.
    These(Vec<Ipv6Net>, Option<Origin>),
}

/// A source prefix that is to be blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The prefix.
    pub prefix: Ipv6Net,
    /// For how many seconds from now on; none: for ever.
    pub seconds: Option<u64>,
    /// Who says so.
    pub origin: Origin,
    /// Why.
    pub reason: String,
}

/// How many entries were changed, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// They were not there.
    pub added: usize,
    /// They were there, with another deadline or reason.
    pub changed: usize,
    /// They are there no more.
    pub removed: usize,
    /// Their deadline had passed.
    pub expired: usize,
    /// How many there are now.
    pub blocks: usize,
}

impl Changes {
    /// Whether anything that was asked for is done: that deadlines pass is no change.
    pub const fn is_some(&self) -> bool {
        self.added + self.changed + self.removed > 0
    }
}

/// A moment: ticks since boot, how many there are a second, and Unix seconds.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Ticks since boot.
    pub ticks: u64,
    /// Ticks a second.
    pub hertz: u32,
    /// Unix seconds.
    pub unix: u64,
}

type Key = (Ipv6Net, Origin);

impl Edit {
    /// The list after it.
    ///
    /// # Errors
    /// Where a prefix that is to be taken away is not there, or the list would be too long.
    pub fn of(&self, before: Vec<Block>, now: Moment) -> Result<(Vec<Block>, Changes), Refusal> {
        let all = before.len();
        let live = before.into_iter().filter(|block| block.is_live(now.ticks));
        let had: BTreeMap<Key, Block> = live.map(|block| ((block.prefix, block.origin), block)).collect();
        let mut list = had.clone();
        self.take(&mut list)?;
        for entry in &self.add {
            let block = entry.block(now);
            list.insert((block.prefix, block.origin), block);
        }
        let mut changes = Changes { expired: all - had.len(), blocks: list.len(), ..Changes::default() };
        changes.removed = had.keys().filter(|key| !list.contains_key(key)).count();
        for (key, block) in &mut list {
            match had.get(key) {
                None => changes.added += 1,
                Some(old) if (old.deadline, &old.reason) == (block.deadline, &block.reason) => block.added = old.added,
                Some(_) => changes.changed += 1,
            }
        }
        let list: Vec<Block> = list.into_values().collect();
        let reasons = texts(&list).len();
        if list.len() > BLOCKS {
            let message = format!("{} prefixes would be blocked, and there is room for {BLOCKS}", list.len());
            return Err(Refusal { message, help: "aggregate them, or take others away: ssa-ctl block del".into() });
        }
        if reasons > BLOCK_REASONS {
            let message = format!("there would be {reasons} different reasons, and there is room for {BLOCK_REASONS}");
            return Err(Refusal { message, help: "give many prefixes one reason: --reason TEXT".into() });
        }
        Ok((list, changes))
    }

    fn take(&self, list: &mut BTreeMap<Key, Block>) -> Result<(), Refusal> {
        match &self.remove {
            Remove::Nothing => {}
            Remove::All => list.clear(),
            Remove::Of(origin) => list.retain(|key, _| key.1 != *origin),
            Remove::These(prefixes, origin) => {
                let prefixes: BTreeSet<_> = prefixes.iter().copied().collect();
                let is_meant = |key: &Key| prefixes.contains(&key.0) && origin.is_none_or(|origin| origin == key.1);
                let found: BTreeSet<_> = list.keys().filter(|key| is_meant(key)).map(|key| key.0).collect();
                let missing: Vec<_> = prefixes.difference(&found).collect();
                if let [first, others @ ..] = &missing[..] {
                    return Err(missing_prefix(**first, others.len(), *origin));
                }
                list.retain(|key, _| !is_meant(key));
            }
        }
        Ok(())
    }
}

fn missing_prefix(prefix: Ipv6Net, others: usize, origin: Option<Origin>) -> Refusal {
    let by = origin.map_or_else(String::new, |origin| format!(" by the {}", origin.name()));
    let and = match others {
        0 => "is".to_owned(),
        1 => "and another prefix are".to_owned(),
        others => format!("and {others} other prefixes are"),
    };
    let message = format!("{prefix} {and} not blocked{by}; nothing was changed");
    Refusal { message, help: "block list shows what is blocked, as it was written".into() }
}

impl Entry {
    fn block(&self, now: Moment) -> Block {
        let ticks = |seconds: u64| seconds.saturating_mul(now.hertz.into()).saturating_add(now.ticks);
        // What would be the last tick is one less: that is for ever.
        let deadline = self.seconds.map_or(NEVER, |seconds| ticks(seconds).min(NEVER - 1));
        let added = u32::try_from(now.unix).unwrap_or(u32::MAX);
        Block { prefix: self.prefix.trunc(), origin: self.origin, deadline, added, reason: self.reason.clone() }
    }
}
