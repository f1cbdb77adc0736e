//! A block list and what is to become of it in; the new list, and what that changed, out.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    time::Duration,
};

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
    /// These prefixes.
    These {
        /// As they were blocked.
        prefixes: Vec<Ipv6Net>,
        /// Of one origin, or of any.
        origin: Option<Origin>,
        /// Each must be there, or have been until its time was over.
        all: bool,
    },
}

/// A source prefix that is to be blocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The prefix.
    pub prefix: Ipv6Net,
    /// For how long.
    pub time: Time,
    /// Who says so.
    pub origin: Origin,
    /// Why.
    pub reason: String,
    /// When it was put on the list, in Unix seconds, where it was on one before; else now.
    pub added: Option<u32>,
    /// Where it was said.
    pub place: Place,
}

/// For how long a prefix is blocked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// For ever.
    Ever,
    /// For so many seconds from now on, at least one.
    For(u64),
    /// Until this Unix second. One that is over blocks nothing.
    Until(u64),
}

/// Where a prefix was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// By itself.
    #[default]
    Alone,
    /// In this line of a file.
    Line(usize),
    /// In this entry of a list.
    Entry(usize),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alone => Ok(()),
            Self::Line(number) => write!(f, "line {number}"),
            Self::Entry(number) => write!(f, "entry {number}"),
        }
    }
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
    /// Their deadline had passed, on the list or before they came there.
    pub expired: usize,
    /// How many there are now.
    pub blocked: usize,
}

impl Changes {
    /// Whether anything that was asked for is done: that deadlines pass is no change.
    pub const fn is_some(&self) -> bool {
        self.added + self.changed + self.removed > 0
    }
}

/// A moment: ticks since boot, how many there are a second, and the time since the begin of 1970.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Ticks since boot.
    pub ticks: u64,
    /// Ticks a second.
    pub hertz: u32,
    /// Since the begin of 1970.
    pub unix: Duration,
}

type Key = (Ipv6Net, Origin);

impl Edit {
    /// The list after it.
    ///
    /// # Errors
    /// Where a prefix that is to be taken away is not there, or the list would be too long.
    pub fn of(&self, before: Vec<Block>, now: Moment) -> Result<(Vec<Block>, Changes), Refusal> {
        let (live, over): (Vec<_>, Vec<_>) = before.into_iter().partition(|block| block.is_live(now.ticks));
        let had: BTreeMap<Key, Block> = live.into_iter().map(|block| (block.key(), block)).collect();
        let mut list = had.clone();
        self.take(&mut list, &over.iter().map(Block::key).collect())?;
        let mut expired = over.len();
        for entry in &self.add {
            let block = entry.block(now, had.get(&(entry.prefix, entry.origin)));
            if block.is_live(now.ticks) {
                list.insert(block.key(), block);
            } else {
                expired += 1;
            }
        }
        let mut changes = Changes { expired, blocked: list.len(), ..Changes::default() };
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

    /// Takes away what is to be taken away; those that are over are gone anyway.
    fn take(&self, list: &mut BTreeMap<Key, Block>, over: &BTreeSet<Key>) -> Result<(), Refusal> {
        match &self.remove {
            Remove::Nothing => {}
            Remove::All => list.clear(),
            Remove::Of(origin) => list.retain(|key, _| key.1 != *origin),
            Remove::These { prefixes, origin, all } => {
                let prefixes: BTreeSet<_> = prefixes.iter().copied().collect();
                let is_meant = |key: &Key| prefixes.contains(&key.0) && origin.is_none_or(|origin| origin == key.1);
                let known = list.keys().chain(over).filter(|key| is_meant(key));
                let known: BTreeSet<_> = known.map(|key| key.0).collect();
                let missing: Vec<_> = prefixes.difference(&known).collect();
                if let ([first, others @ ..], true) = (&missing[..], all) {
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
    Refusal { message, help: "block list shows what is blocked, as it was written; or say --missing-ok".into() }
}

impl Entry {
    /// The block that it makes of the one that is there already, if one is.
    fn block(&self, now: Moment, old: Option<&Block>) -> Block {
        let deadline = match self.time {
            Time::Ever => NEVER,
            Time::For(seconds) => now.after(Duration::from_secs(seconds)),
            Time::Until(unix) => {
                let deadline = now.after(Duration::from_secs(unix).saturating_sub(now.unix));
                // Ticks are no whole seconds: a second that was told is the one that it was told of.
                let is_same = |old: &&Block| old.deadline.abs_diff(deadline) <= now.hertz.into();
                old.filter(is_same).map_or(deadline, |old| old.deadline)
            }
        };
        let added = self.added.unwrap_or_else(|| u32::try_from(now.unix.as_secs()).unwrap_or(u32::MAX));
        Block { prefix: self.prefix.trunc(), origin: self.origin, deadline, added, reason: self.reason.clone() }
    }
}

impl Moment {
    /// The tick after so long. What would be the last one is one less: that is never.
    fn after(self, time: Duration) -> u64 {
        let ticks = time.as_nanos() * u128::from(self.hertz) / 1_000_000_000;
        u64::try_from(ticks).unwrap_or(NEVER).saturating_add(self.ticks).min(NEVER - 1)
    }
}
