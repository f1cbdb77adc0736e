//! The common frame, judged straight down: what [`whole`](super::whole) says of it, or nothing where that must be asked.
//!
//! Nearly every frame is IPv6 without a tag, carries TCP or UDP, and fits in one buffer; nearly every service drops what
//! fails its rule, and nearly every rule has one field that is checked. What a processor does for those is all here, and
//! nothing else is in its way.

use super::{GLOBAL_UNICAST, Judged, OTHER, Tables, Traffic, find::find_first, treat, treat::is_strict};
use crate::{
    bits::Words,
    parse::{self, ETHERNET, Front as _, HEADER_OCTETS, IPV6, TAG, field, protocol},
    rows::{
        FLAG_ALLOW, FLAG_DENY_SOURCE_IN_SERVICE, FLAG_PREVIOUS, PrefixRow, RuleRow, SHAPE_BITS, SHAPE_COMMON,
        SHAPE_HASH, SHAPE_MAC,
    },
    rule::{self, Pair, epoch::Clock},
    verdict::{Reason, Treatment, Verdict},
};

/// Judges a common frame; none of the others.
#[inline(always)]
pub(super) fn judge_common(frame: &impl Traffic, tables: &impl Tables, clock: &impl Clock) -> Option<Judged> {
    let mut network = ETHERNET;
    let mut front = frame.front(network)?;
    if front.ethertype() != IPV6 {
        if !parse::is_tag(front.ethertype()) {
            return Some(Judged::new(OTHER, 0));
        }
        network += TAG;
        front = frame.front(network)?;
        if front.ethertype() != IPV6 {
            return None;
        }
    }
    if front.octet(field::VERSION) >> 4 != 6 {
        return None;
    }
    let judged = |verdict| Judged::new(verdict, network + HEADER_OCTETS + u32::from(front.half(field::PAYLOAD_LENGTH)));
    let bank = tables.bank()?;
    let destination = Words { hi: front.word(field::DESTINATION), lo: front.word(field::DESTINATION + 8) };
    let Some(found) = find_first(tables, bank, destination) else {
        return (bank.lengths <= 1).then(|| judged(OTHER));
    };
    let row = found.row;
    let (next, upper) = (front.octet(field::NEXT_HEADER), network + HEADER_OCTETS);
    if front.octet(field::SOURCE) >> 5 != GLOBAL_UNICAST || !is_plain(frame, next, upper) {
        return None;
    }
    if row.flags & (FLAG_ALLOW | FLAG_DENY_SOURCE_IN_SERVICE) != 0
        && (row.flags & FLAG_DENY_SOURCE_IN_SERVICE != 0 || !is_allowed(frame, row, next, upper))
    {
        return None;
    }
    let source = Words { hi: front.word(field::SOURCE), lo: front.word(field::SOURCE + 8) };
    let plainly = |reason, treatment| Verdict { service: row.service, reason, treatment, would_drop: false };
    let verdict = match reason(&row.rule, &Pair { source, destination }, clock)? {
        Reason::Conform => plainly(Reason::Conform, Treatment::Pass),
        reason if is_strict(row) => plainly(reason, Treatment::Drop),
        _ if row.flags & FLAG_PREVIOUS != 0 => return None,
        reason => treat(row, source, reason),
    };
    Some(judged(verdict))
}

/// Whether the upper layer says nothing of its own: TCP, UDP or an echo.
#[inline(always)]
fn is_plain(frame: &impl Traffic, next: u8, offset: u32) -> bool {
    match next {
        protocol::TCP | protocol::UDP => true,
        protocol::ICMPV6 => frame.read_u16(offset).is_some_and(|head| matches!(head >> 8, 128 | 129)),
        _ => false,
    }
}

/// Whether the first entries of the service's `allow` list let a plain upper layer pass.
#[inline(always)]
fn is_allowed(frame: &impl Traffic, row: &PrefixRow, next: u8, offset: u32) -> bool {
    frame.read_u16(offset + 2).is_some_and(|port| {
        row.allow.iter().any(|entry| entry.protocol == next && (entry.any_port != 0 || entry.port == port))
    })
}

/// What a rule of a common shape says of a pair.
#[inline(always)]
fn reason(rule: &RuleRow, pair: &Pair, clock: &impl Clock) -> Option<Reason> {
    let has = |part| rule.shape & part != 0;
    if !has(SHAPE_COMMON) {
        return None;
    }
    if has(SHAPE_BITS) && !rule::source::copied(rule, pair) || has(SHAPE_HASH) && !rule::hash::first(rule, pair) {
        return Some(Reason::FieldMismatch);
    }
    if has(SHAPE_MAC) { rule::mac::first(rule, pair, clock) } else { Some(Reason::Conform) }
}
