//! The common frame, judged straight down: what [`whole`](super::whole) says of it, or nothing where that must be asked.
//!
//! Nearly every frame is IPv6 without a tag, carries TCP or UDP, and fits in one buffer; nearly every service drops what
//! fails its rule, and nearly every rule has one field that is checked. What a processor does for those is all here, and
//! nothing else is in its way.

use super::{GLOBAL_UNICAST, Judged, OTHER, Tables, Traffic, find::find_first, treat};
use crate::{
    bits::Words,
    parse::{self, ETHERNET, Front as _, HEADER_OCTETS, IPV6, TAG, field, protocol},
    rows::{FLAG_ALLOW, FLAG_DENY_SOURCE_IN_SERVICE, FLAG_PREVIOUS, RuleRow, SHAPE_ANY, SHAPE_COPIES, SHAPE_HASH},
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
    let octets = network + HEADER_OCTETS + u32::from(front.half(field::PAYLOAD_LENGTH));
    let bank = tables.bank()?;
    let destination = Words { hi: front.word(field::DESTINATION), lo: front.word(field::DESTINATION + 8) };
    let Some(found) = find_first(tables, bank, destination) else {
        return (bank.lengths <= 1).then_some(Judged::new(OTHER, octets));
    };
    let row = found.row;
    if row.flags & (FLAG_ALLOW | FLAG_DENY_SOURCE_IN_SERVICE) != 0
        || front.octet(field::SOURCE) >> 5 != GLOBAL_UNICAST
        || !is_plain(frame, front.octet(field::NEXT_HEADER), network + HEADER_OCTETS)
    {
        return None;
    }
    let source = Words { hi: front.word(field::SOURCE), lo: front.word(field::SOURCE + 8) };
    let verdict = match reason(&row.rule, &Pair { source, destination }, clock)? {
        reason @ Reason::Conform => {
            Verdict { service: row.service, reason, treatment: Treatment::Pass, would_drop: false }
        }
        _ if row.flags & FLAG_PREVIOUS != 0 => return None,
        reason => treat(row, source, reason),
    };
    Some(Judged::new(verdict, octets))
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

/// What a rule of a common shape says of a pair.
#[inline(always)]
fn reason(rule: &RuleRow, pair: &Pair, clock: &impl Clock) -> Option<Reason> {
    if rule.shape == SHAPE_ANY {
        return None;
    }
    if !rule::source::copied(rule, pair) {
        return Some(Reason::FieldMismatch);
    }
    match rule.shape {
        SHAPE_COPIES => Some(Reason::Conform),
        SHAPE_HASH if rule::hash::first(rule, pair) => Some(Reason::Conform),
        SHAPE_HASH => Some(Reason::FieldMismatch),
        _ => rule::mac::first(rule, pair, clock),
    }
}
