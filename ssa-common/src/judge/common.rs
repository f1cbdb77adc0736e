//! The common frame, judged straight down: what [`judge_whole`](super::judge_whole) says of it, or nothing where that must
//! be asked.
//!
//! Nearly every frame is IPv6 with one tag at most, and carries TCP, UDP or an echo; nearly every rule has one field that is
//! checked. What a processor does for those is all here, and nothing else is in its way.

use super::{
    At, GLOBAL_UNICAST, Judged, OTHER, Part, Tables, Traffic,
    find::{Sight, glance},
    steer::{self, To},
    treat,
};
use crate::{
    bits::Words,
    parse::{self, ETHERNET, Front as _, HEADER_OCTETS, IPV4, IPV6, TAG, field, protocol},
    rows::{
        FLAG_ALLOW, FLAG_DENY_SOURCE_IN_SERVICE, FLAG_FAIR, FLAG_FLOWS, FLAG_PREVIOUS, FLAG_SOCKETS, FLAG_STRICT,
        LOW_OTHERWISE, PrefixRow, RuleRow, SHAPE_BITS, SHAPE_COMMON, SHAPE_HASH, SHAPE_MAC,
    },
    rule::{
        self, Pair,
        epoch::{Clock, Window},
    },
    verdict::{Reason, Treatment, Verdict},
};

/// Who carries out what is said of nearly every frame, where it is said.
///
/// Each place has its own copy, of which most is constant: what all places would have to hand over to a single one costs
/// more than the rule.
pub trait Carrier {
    /// What comes of it.
    type Done;

    /// Carries out what is said of a frame that stays on this host as it is or is dropped, and is not counted for a slice.
    fn carry_out(&self, judged: &Judged) -> Self::Done;

    /// Carries out what is said of any other.
    fn carry_on(&self, judged: &Judged) -> Self::Done;
}

/// What takes more than the common way does.
const ELSEWHERE: u32 = FLAG_DENY_SOURCE_IN_SERVICE | FLAG_FLOWS | FLAG_FAIR;

/// Judges a common frame, and has that carried out; none of the others.
#[inline(always)]
pub fn judge_common<C: Carrier>(
    frame: &impl Traffic,
    tables: &impl Tables,
    clock: &impl Clock,
    carrier: &C,
) -> Option<C::Done> {
    let done = |judged: &Judged| Some(carrier.carry_out(judged));
    let mut network = ETHERNET;
    let mut front = frame.front(network)?;
    if front.ethertype() != IPV6 {
        if front.ethertype() == IPV4 {
            // The frame's length is asked for only where nothing in it says so.
            let octets = ETHERNET + u32::from(front.half(field::V4_TOTAL_LENGTH));
            return done(&Judged { octets, ..Judged::without_header(OTHER) });
        }
        if !parse::is_tag(front.ethertype()) {
            return done(&Judged::without_header(OTHER));
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
    let judged = |verdict, row| Judged::new(verdict, row, network, front.half(field::PAYLOAD_LENGTH));
    let bank = tables.bank()?;
    let address = Words { hi: front.loaded(field::DESTINATION), lo: front.loaded(field::DESTINATION + 8) };
    let found = match glance(tables, bank, address) {
        Sight::Found(found) => found,
        // It may carry what another endpoint sent.
        Sight::Nothing if front.octet(field::NEXT_HEADER) == protocol::IPV6 => return None,
        Sight::Nothing => return done(&judged(OTHER, None)),
        Sight::Unknown => return None,
    };
    let row = found.row;
    let (next, upper) = (front.octet(field::NEXT_HEADER), network + HEADER_OCTETS);
    if front.octet(field::SOURCE) >> 5 != GLOBAL_UNICAST || !is_plain(frame, next, upper) {
        return None;
    }
    if row.flags & (FLAG_ALLOW | ELSEWHERE) != 0 && (row.flags & ELSEWHERE != 0 || !is_allowed(frame, row, next, upper))
    {
        return None;
    }
    let words = |first| Words { hi: front.word(first), lo: front.word(first + 8) };
    let (source, destination) = (words(field::SOURCE), words(field::DESTINATION));
    let plainly = |reason, treatment| Verdict { service: row.service, reason, treatment, would_drop: false };
    let reason = if bank.blocks != 0 && tables.is_blocked(bank.blocks, source, clock) {
        Reason::Blocked
    } else {
        reason(tables, found.slot, &row.rule, Pair { source, destination }, clock)?
    };
    let verdict = match reason {
        Reason::Conform => plainly(Reason::Conform, Treatment::Pass),
        // Now and then: who judges by the whole law makes the event.
        _ if bank.events != 0 && tables.is_event_due() => return None,
        reason if row.flags & FLAG_STRICT != 0 => plainly(reason, Treatment::Drop),
        _ if row.flags & (FLAG_PREVIOUS | FLAG_SOCKETS) != 0 => return None,
        reason => match treat(row, source, reason) {
            Verdict { treatment: Treatment::LowPriority, .. } if row.flags & LOW_OTHERWISE != 0 => return None,
            verdict => verdict,
        },
    };
    let judged = judged(verdict, Some(row));
    match steer::slice(row, destination) {
        Some(slice) if judged.treatment != Treatment::Drop => {
            // What is rare is steered elsewhere: older verifiers look at all that follows once for each way that leads here.
            if judged.treatment != Treatment::Pass || network != ETHERNET {
                return None;
            }
            let to = match tables.owner(bank.first_slice.wrapping_add(slice)) {
                Ok(owner) => steer::to_owner(bank, row.slices.steer, owner),
                Err(word) => steer::plainly(bank, row.slices.steer, word, clock)?,
            };
            match to {
                // One's own slice, which is not counted.
                To::Here if row.slices.cells == 0 => done(&judged),
                to => Some(carrier.carry_on(&steer::on_its_way(judged, (bank, row), slice, to))),
            }
        }
        _ => done(&judged),
    }
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
fn reason(tables: &impl Tables, slot: u32, rule: &RuleRow, pair: Pair, clock: &impl Clock) -> Option<Reason> {
    const BITS: u8 = SHAPE_COMMON | SHAPE_BITS;
    const HASH: u8 = SHAPE_COMMON | SHAPE_HASH;
    let fields = |conform| Some(if conform { Reason::Conform } else { Reason::FieldMismatch });
    let has = |part| rule.shape & part != 0;
    // The shapes most rules have stand first, so that one comparison leads to each.
    match rule.shape {
        BITS => fields(rule::source::copied(rule, &pair)),
        HASH => fields(rule::hash::first(rule, &pair)),
        _ if !has(SHAPE_COMMON) => None,
        _ if has(SHAPE_BITS) && !rule::source::copied(rule, &pair) => fields(false),
        _ if has(SHAPE_HASH) && !rule::hash::first(rule, &pair) => fields(false),
        _ if has(SHAPE_MAC) => Some(rule::mac::first(rule, &pair, clock).unwrap_or_else(|| {
            tables.part(Part::Macs, At { slot, previous: false, window: Window::Now }, pair, clock)
        })),
        _ => fields(true),
    }
}
