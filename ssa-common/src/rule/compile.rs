//! A placed rule, its secrets and its times in; the row that the filter and the client work with out.

use alloc::vec::Vec;
use core::fmt;

use bytemuck::Zeroable;

use super::{
    epoch::{Clock, Fixed, Window},
    model::Kind,
    place::{Placed, PlacedField},
    replica,
    secret::{Secrets, field_key},
    source,
};
use crate::{
    bits::{Words, mask},
    layout::KEYS,
    rows::{
        BitsRow, HashedRow, KeyRow, ONE_WORD, RuleRow, SHAPE_BITS, SHAPE_COMMON, SHAPE_HASH, SHAPE_MAC, STALE_LAST,
    },
    siphash,
    verdict::Reason,
};

/// The times of a service. Multiplied by the ticks a second of the clock that will judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// Ticks a second: 1 for Unix seconds, HZ for the kernel.
    pub hertz: u32,
    /// Seconds by which neighbouring epochs are accepted.
    pub skew: u32,
    /// Seconds after which a clock that nobody refreshed is stale.
    pub max_age: u32,
    /// `STALE_*` of [`rows`](crate::rows).
    pub stale: u8,
}

impl Timing {
    /// Unix seconds, with a clock that is never stale.
    pub const fn seconds(skew: u32) -> Self {
        Self { hertz: 1, skew, max_age: 0, stale: STALE_LAST }
    }

    fn ticks(self, seconds: u64) -> u64 {
        seconds * u64::from(self.hertz)
    }
}

/// A rule ready for use: on the host, by Unix seconds.
#[derive(Clone)]
pub struct Compiled {
    pub(super) placed: Placed,
    pub(super) row: RuleRow,
}

/// Shows the rule and its place: the row holds field keys, and a field key forges as well as the secret does.
impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compiled").field("placed", &self.placed).finish_non_exhaustive()
    }
}

impl Placed {
    /// Works out the row for a filter: field keys, masks and shifts. Of the ring the newest eight keys are taken.
    pub fn row(&self, secrets: &Secrets<'_>, timing: Timing) -> RuleRow {
        let mut row =
            RuleRow { stale: timing.stale, max_age: timing.ticks(timing.max_age.into()), ..RuleRow::zeroed() };
        let mut ring = secrets.ring.to_vec();
        ring.sort_by_key(|key| core::cmp::Reverse(key.number));
        ring.truncate(KEYS);
        row.keys = count(ring.len());
        let used = || self.fields.iter().filter(|field| field.width > 0);

        let sources = sources(used(), &mut row);
        row.sources = count(sources.len());
        row.reverses = u8::from(sources.iter().any(|field| field.reverse != 0));
        let replicas: Vec<_> = used()
            .filter_map(|field| match field.kind {
                Kind::Replica { count } => Some(replica::compile(field.first, field.width, count.into())),
                _ => None,
            })
            .collect();
        row.replicas = count(replicas.len());
        for (to, from) in row.bits.iter_mut().zip(sources.into_iter().chain(replicas)) {
            *to = from;
        }
        if let Some(field) = used().find(|field| field.kind == Kind::KeyId) {
            row.keyids = 1;
            row.keyid = replica::compile(field.first, field.width, 0);
        }

        let of_letter = |letter| used().filter(move |field| field.kind.letter() == Some(letter));
        row.hashes = count(of_letter(b'h').count());
        row.macs = count(of_letter(b'm').count());
        row.pows = count(of_letter(b'p').count());
        row.shape = shape(&row);
        let in_order = of_letter(b'h').chain(of_letter(b'm')).chain(of_letter(b'p'));
        for (to, field) in row.hashed.iter_mut().zip(in_order) {
            *to = self.hashed(field, secrets.salt, timing);
            if field.kind.letter() == Some(b'm') {
                for (to, key) in row.ring.iter_mut().zip(&ring) {
                    let start = siphash::start(field_key(self, field, key.secret));
                    *to = KeyRow { start, number: key.number.into() };
                }
            }
        }
        row
    }

    /// Compiles the rule for use by Unix seconds.
    pub fn compile(&self, secrets: &Secrets<'_>, skew: u32) -> Compiled {
        Compiled { placed: self.clone(), row: self.row(secrets, Timing::seconds(skew)) }
    }

    fn hashed(&self, field: &PlacedField, salt: [u8; 16], timing: Timing) -> HashedRow {
        let source_bits = field.kind.source_bits().unwrap_or(0);
        let key = match field.kind.letter() {
            Some(b'm') | None => Words::default(),
            Some(_) => field_key(self, field, salt),
        };
        let source_octets = match source_bits {
            0..=56 => 7,
            57..=64 => 8,
            _ => 16,
        };
        let suffix_octets = if self.length >= 64 { 8 } else { 16 };
        let before = match field.kind.period() {
            _ if field.kind.letter() != Some(b'm') => 0,
            None => suffix_octets,
            Some(_) => suffix_octets + 8,
        };
        let crosses = field.first < 64 && field.first + field.width > 64;
        HashedRow {
            start: siphash::start(key),
            key,
            source_mask: Words::from_u128(mask(0, source_bits)),
            others: Words::from_u128(!mask(field.first, field.width)),
            tail: siphash::tail((before + source_octets).into()),
            period: field.kind.period().map_or(0, |period| timing.ticks(period.seconds())),
            skew: timing.ticks(timing.skew.into()),
            rotate: u32::from(field.first) | if crosses { 0 } else { ONE_WORD },
            source_octets,
            suffix_octets,
            shift: 64 - field.width,
            zeros: match field.kind {
                Kind::Pow { zeros, .. } => zeros,
                _ => 0,
            },
        }
    }
}

impl Compiled {
    /// The rule over its prefix.
    pub const fn placed(&self) -> &Placed {
        &self.placed
    }

    /// What the filter says of this pair at `unix` seconds.
    pub fn conforms(&self, source: u128, destination: u128, unix: u64) -> Reason {
        let pair = super::Pair { source: Words::from_u128(source), destination: Words::from_u128(destination) };
        super::check(&self.row, &pair, &Fixed(unix), Window::Now)
    }

    /// The current epoch of the rule's `mac` or `pow` at `unix` seconds, if it has epochs.
    pub fn epoch(&self, unix: u64) -> Option<u64> {
        let field = self.row.hashed.iter().find(|field| field.period != 0)?;
        Some(Fixed(unix).now() / field.period)
    }
}

/// Collects constants and `inv` into the row, and `src` fields that need the same rotation into one comparison.
fn sources<'a>(fields: impl Iterator<Item = &'a PlacedField>, row: &mut RuleRow) -> Vec<BitsRow> {
    let mut merged: Vec<BitsRow> = Vec::new();
    let (mut checked, mut constant) = (0, 0);
    for field in fields {
        let bits = mask(field.first, field.width);
        match field.kind {
            Kind::Const(value) => {
                checked |= bits;
                constant |= value << (128 - u32::from(field.first) - u32::from(field.width));
            }
            Kind::Src(copied) => {
                checked |= bits;
                if copied.invert {
                    constant |= bits;
                }
                let new = source::compile(field.first, field.width, copied.offset, copied.reverse);
                let same = |old: &&mut BitsRow| (old.rotate, old.reverse) == (new.rotate, new.reverse);
                match merged.iter_mut().find(same) {
                    Some(old) => old.mask = Words { hi: old.mask.hi | new.mask.hi, lo: old.mask.lo | new.mask.lo },
                    None => merged.push(new),
                }
            }
            _ => {}
        }
    }
    row.checked = Words::from_u128(checked);
    row.constant = Words::from_u128(constant);
    merged
}

/// The shape of a row that is complete but for it.
fn shape(row: &RuleRow) -> u8 {
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let bits = flag(!row.checked.is_zero(), SHAPE_BITS);
    let [sources, others @ ..] = [row.sources, row.reverses, row.replicas, row.keyids, row.pows];
    match (row.hashes, row.macs) {
        _ if sources > 1 || others != [0; 4] => 0,
        (0, 0) => SHAPE_COMMON | bits,
        (1, 0) => SHAPE_COMMON | bits | SHAPE_HASH,
        (0, 1) if row.keys > 0 => SHAPE_COMMON | bits | SHAPE_MAC,
        _ => 0,
    }
}

fn count(of: usize) -> u8 {
    u8::try_from(of).unwrap_or(u8::MAX)
}
