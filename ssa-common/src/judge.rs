//! The whole verdict: a frame, the tables and a clock in; service, reason and treatment out (DESIGN §4).
//!
//! The common frame goes straight down: link, header, service, rule, treatment. What only some frames need is asked by
//! value, through methods with a body here: the kernel's program makes them functions that are verified once, by
//! themselves, and not once on every path that leads to them.

use crate::{
    bits::Words,
    layout::ALLOWED,
    parse::{self, Frame, HEADER_OCTETS, Header, Link, Upper, protocol},
    rows::{
        AllowRow, BankRow, FLAG_ALLOW, FLAG_DENY_SOURCE_IN_SERVICE, FLAG_LOW_PRIORITY, FLAG_PREVIOUS, PrefixRow,
        PreviousRow, RuleRow, ServiceRow,
    },
    rule::{
        self, Pair,
        epoch::{Clock, Window},
        mac::Message,
    },
    sha256::{self, Block},
    verdict::{Class, Reason, Treatment, Verdict},
};

/// The tables in force.
pub trait Tables {
    /// The bank in force. Asked once a frame: what is read after that must be of the same bank.
    fn bank(&self) -> Option<&BankRow>;
    /// A slot of the prefix table.
    fn prefix(&self, slot: u32) -> Option<&PrefixRow>;
    /// The previous rule of a slot.
    fn previous(&self, slot: u32) -> Option<&PreviousRow>;
    /// A service's row.
    fn service(&self, index: u32) -> Option<&ServiceRow>;

    /// DESIGN §4 step 2, for a frame of the prefix in `slot`.
    #[inline(always)]
    fn source(&self, bank: &BankRow, slot: u32, source: Words) -> Source {
        judge_source(self, bank, slot, source)
    }

    /// The slot of the prefix that an address belongs to, by all prefix lengths of the config but the first.
    #[inline(always)]
    fn find_later(&self, bank: &BankRow, address: Words) -> Option<u32> {
        find_later(self, bank, address)
    }

    /// What the fields of one kind of a rule say of a pair.
    #[inline(always)]
    fn part(&self, part: Part, at: At, pair: Pair, clock: &impl Clock) -> Reason {
        judge_part(self, part, at, pair, clock)
    }

    /// SipHash-2-4 of a `mac`'s message.
    #[inline(always)]
    fn tag(&self, message: &Message) -> u64 {
        message.tag()
    }

    /// The first 64 bits of SHA-256 of one padded block.
    #[inline(always)]
    fn sha256(&self, block: &mut Block) -> u64 {
        sha256::first_bits(block)
    }
}

/// Which rule is looked at, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    /// The prefix.
    pub slot: u32,
    /// Its previous rule and not the current one.
    pub previous: bool,
    /// Which epochs are accepted.
    pub window: Window,
}

/// A part of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// [`rule::fields`], and whether there is such a rule.
    Fields,
    /// [`rule::macs`].
    Macs,
    /// [`rule::pows`].
    Pows,
}

/// A frame whose upper layer can be judged.
pub trait Traffic: Frame {
    /// DESIGN §4 steps 3 and 5: what the upper layer says.
    #[inline(always)]
    fn upper(&self, tables: &impl Tables, case: Above) -> Said {
        judge_upper(self, tables, case)
    }

    /// The same frame, read at offsets that the frame itself gives.
    fn far(&self) -> impl Frame;
}

impl Traffic for &[u8] {
    fn far(&self) -> impl Frame {
        *self
    }
}

/// What the upper layer says of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Nothing: it is judged by its addresses.
    Nothing,
    /// Its reason.
    Settled(Reason),
    /// It is an error about a packet whose IPv6 header begins at this offset.
    Error(u32),
}

/// What the upper layer is judged with.
#[derive(Clone, Copy, Debug)]
pub struct Above {
    /// The prefix the frame is for.
    pub slot: u32,
    /// The row of its service.
    pub service: u32,
    /// Where its IPv6 header begins.
    pub network: u16,
    /// That header's next header.
    pub next: u8,
    /// That header's hop limit.
    pub hop_limit: u8,
}

/// What a source address may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// Anything.
    Good,
    /// The source of control traffic and of valid errors.
    OnlyControl,
    /// Nothing.
    Bad,
}

/// A verdict, and what of the frame's shape the caller may want.
#[derive(Clone, Copy)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// Octets before the IPv6 header; 0 where there is none.
    pub network: u32,
    /// Octets behind it, as it claims; 0 where there is none.
    pub payload: u16,
}

/// A frame to no service.
const OTHER: Verdict = outside(Reason::Other, Treatment::Pass);
/// A frame that cannot be judged and must not pass.
const MALFORMED: Verdict = outside(Reason::Malformed, Treatment::Drop);

const fn outside(reason: Reason, treatment: Treatment) -> Verdict {
    Verdict { service: 0, reason, treatment, would_drop: false }
}

/// The prefix an address belongs to.
struct Found<'a> {
    bank: &'a BankRow,
    row: &'a PrefixRow,
    slot: u32,
}

/// Judges one frame.
#[inline(always)]
pub fn judge(frame: &impl Traffic, tables: &impl Tables, clock: &impl Clock) -> Judged {
    let network = match parse::link(frame) {
        Link::Ipv6(network) => network,
        Link::Foreign => return Judged { verdict: OTHER, network: 0, payload: 0 },
        Link::TooDeep => return Judged { verdict: MALFORMED, network: 0, payload: 0 },
    };
    let Some(header) = Header::read(frame, network) else {
        return Judged { verdict: MALFORMED, network, payload: 0 };
    };
    let found = tables.bank().and_then(|bank| find(tables, bank, header.destination));
    let verdict = match found {
        None => OTHER,
        Some(found) => {
            let reason = reason(frame, tables, clock, &header, network, &found);
            treat(found.row, header.source, reason)
        }
    };
    Judged { verdict, network, payload: header.payload }
}

/// DESIGN §4 steps 2 to 6.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a link header has at most 30 octets")]
fn reason(
    frame: &impl Traffic,
    tables: &impl Tables,
    clock: &impl Clock,
    header: &Header,
    network: u32,
    found: &Found<'_>,
) -> Reason {
    let flags = found.row.flags;
    // Global unicast, 2000::/3, holds none of the sources that cannot be.
    let mut doubtful = false;
    if header.source.hi >> 61 != 1 || flags & FLAG_DENY_SOURCE_IN_SERVICE != 0 {
        match tables.source(found.bank, found.slot, header.source) {
            Source::Good => {}
            Source::OnlyControl => doubtful = true,
            Source::Bad => return Reason::BadSource,
        }
    }
    let at = At { slot: found.slot, previous: false, window: Window::Now };
    let plain = matches!(header.next, protocol::TCP | protocol::UDP) && flags & FLAG_ALLOW == 0;
    if !plain {
        let Header { next, hop_limit, .. } = *header;
        let service = found.bank.first_service.wrapping_add(found.row.service);
        let above = Above { slot: found.slot, service, network: network as u16, next, hop_limit };
        match frame.upper(tables, above) {
            Said::Settled(Reason::Control) => return Reason::Control,
            Said::Error(offset) => {
                let valid = embedded(&frame.far(), offset, header.destination).is_some_and(|mirror| {
                    let at = At { window: Window::Past, ..at };
                    judge_pair(tables, at, flags, mirror, clock) == Reason::Conform
                });
                return match (valid, doubtful) {
                    (true, _) => Reason::IcmpError,
                    (false, true) => Reason::BadSource,
                    (false, false) => Reason::BadIcmpError,
                };
            }
            Said::Settled(reason) if !doubtful => return reason,
            _ => {}
        }
    }
    if doubtful {
        return Reason::BadSource;
    }
    let pair = Pair { source: header.source, destination: header.destination };
    let reason = first_look(tables, &found.row.rule, at, pair, clock);
    if reason != Reason::Conform
        && flags & FLAG_PREVIOUS != 0
        && judge_rule(tables, At { previous: true, ..at }, pair, clock) == Reason::Conform
    {
        return Reason::Conform;
    }
    reason
}

/// What the current rule says of a pair, its loops and its rare kinds left to [`Tables::part`].
#[inline(always)]
fn first_look(tables: &impl Tables, rule: &RuleRow, at: At, pair: Pair, clock: &impl Clock) -> Reason {
    if rule.more == 0 {
        return rule::copies(rule, &pair);
    }
    let mut reason = match rule.reverses {
        0 => rule::fields::<false>(rule, &pair),
        _ => tables.part(Part::Fields, at, pair, clock),
    };
    if reason == Reason::Conform && rule.macs != 0 {
        reason = match rule::first_mac(rule, &pair, clock) {
            Some(reason) => reason,
            None => tables.part(Part::Macs, at, pair, clock),
        };
    }
    if reason == Reason::Conform && rule.pows != 0 {
        reason = tables.part(Part::Pows, at, pair, clock);
    }
    reason
}

/// What a verdict makes of a frame of this service and source.
#[inline(always)]
pub fn treat(row: &PrefixRow, source: Words, reason: Reason) -> Verdict {
    let verdict = |treatment, would_drop| Verdict { service: row.service, reason, treatment, would_drop };
    // Sets and not the match they are made from: a test of one bit where that is a row of comparisons.
    let is_in = |set: u32| set >> reason as u32 & 1 != 0;
    if is_in(PASSING) {
        return verdict(Treatment::Pass, false);
    }
    let suspect = row.flags & FLAG_LOW_PRIORITY != 0 && is_in(MISMATCHES);
    let in_force = enforced(row, source) || reason.in_every_mode();
    match (suspect, in_force) {
        (true, true) => verdict(Treatment::LowPriority, false),
        (true, false) => verdict(Treatment::Pass, false),
        (false, true) => verdict(Treatment::Drop, false),
        (false, false) => verdict(Treatment::Pass, true),
    }
}

/// The reasons whose class is known or good.
const PASSING: u32 = passing(Class::Reject);
/// The reasons whose class the service decides.
const MISMATCHES: u32 = passing(Class::Good) & !PASSING;

/// The reasons that pass where a rule failure has the class `mismatch`.
const fn passing(mismatch: Class) -> u32 {
    let mut set = 0;
    let mut index = 0;
    while index < Reason::ALL.len() {
        if matches!(Reason::ALL[index].class(mismatch), Class::Known | Class::Good) {
            set |= 1 << index;
        }
        index += 1;
    }
    set
}

/// Whether the service's `enforce` covers this source: stable for each /48.
#[inline(always)]
fn enforced(row: &PrefixRow, source: Words) -> bool {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    ((source.hi >> 16).wrapping_mul(SPREAD) >> 32) < row.enforce
}

/// The prefix that `address` belongs to: a look for each prefix length of the config, two places each.
///
/// Nearly every config has one prefix length: the others are looked for elsewhere.
#[inline(always)]
fn find<'a>(tables: &'a (impl Tables + ?Sized), bank: &'a BankRow, address: Words) -> Option<Found<'a>> {
    if bank.lengths == 0 {
        return None;
    }
    match look(tables, bank, address, 0, bank.masks[0]) {
        None if bank.lengths > 1 => {
            let slot = tables.find_later(bank, address)?;
            Some(Found { bank, row: tables.prefix(slot)?, slot })
        }
        found => found,
    }
}

/// A look at the two places of `address` under one mask.
#[inline(always)]
fn look<'a>(
    tables: &'a (impl Tables + ?Sized),
    bank: &'a BankRow,
    address: Words,
    length: u32,
    mask: Words,
) -> Option<Found<'a>> {
    let key = address.and(mask);
    for place in places(bank, key) {
        let slot = bank.first_prefix.wrapping_add(place);
        if let Some(row) = tables.prefix(slot)
            && row.prefix == key
            && row.length == length
            && row.service != 0
        {
            return Some(Found { bank, row, slot });
        }
    }
    None
}

/// What [`Tables::find_later`] says, wherever it runs.
#[inline(always)]
pub fn find_later(tables: &(impl Tables + ?Sized), bank: &BankRow, address: Words) -> Option<u32> {
    for (length, mask) in (0..).zip(&bank.masks).skip(1) {
        if length >= bank.lengths {
            break;
        }
        if let Some(found) = look(tables, bank, address, length, *mask) {
            return Some(found.slot);
        }
    }
    None
}

/// The two places of a key in a bank's prefix table.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the table has fewer than 2^32 slots")]
pub fn places(bank: &BankRow, key: Words) -> [u32; 2] {
    let [first, second] = bank.seeds;
    let mixed = key.hi.wrapping_mul(first) ^ key.lo.wrapping_mul(second);
    [(mixed >> bank.shift) as u32, (mixed.wrapping_mul(second) >> bank.shift) as u32]
}

/// What [`Tables::source`] says, wherever it runs.
#[inline(always)]
pub fn judge_source(tables: &(impl Tables + ?Sized), bank: &BankRow, slot: u32, source: Words) -> Source {
    let Words { hi, lo } = source;
    let unspecified_or_loopback = hi == 0 && lo <= 1;
    let multicast = hi >> 56 == 0xff;
    let v4_mapped = hi == 0 && lo >> 32 == 0xffff;
    if unspecified_or_loopback || multicast || v4_mapped {
        return Source::Bad;
    }
    let link_local = hi >> 54 == 0xfe80 >> 6;
    let denies = tables.prefix(slot).is_some_and(|row| row.flags & FLAG_DENY_SOURCE_IN_SERVICE != 0);
    if link_local || denies && find(tables, bank, source).is_some() { Source::OnlyControl } else { Source::Good }
}

/// What the current rule, or the previous one while it lasts, says of a pair.
#[inline(always)]
fn judge_pair(tables: &impl Tables, at: At, flags: u32, pair: Pair, clock: &impl Clock) -> Reason {
    let reason = judge_rule(tables, at, pair, clock);
    if reason != Reason::Conform && flags & FLAG_PREVIOUS != 0 {
        return judge_rule(tables, At { previous: true, ..at }, pair, clock);
    }
    reason
}

/// What one rule says of a pair, part by part.
#[inline(always)]
fn judge_rule(tables: &impl Tables, at: At, pair: Pair, clock: &impl Clock) -> Reason {
    for part in [Part::Fields, Part::Macs, Part::Pows] {
        let reason = tables.part(part, at, pair, clock);
        if reason != Reason::Conform {
            return reason;
        }
    }
    Reason::Conform
}

/// What [`Tables::part`] says, wherever it runs.
#[inline(always)]
pub fn judge_part(
    tables: &(impl Tables + ?Sized),
    part: Part,
    at: At,
    pair: Pair,
    clock: &impl Clock,
) -> Reason {
    let row = if at.previous {
        match tables.previous(at.slot) {
            Some(previous) if clock.now() < previous.deadline => &previous.rule,
            _ => return Reason::FieldMismatch,
        }
    } else {
        match tables.prefix(at.slot) {
            Some(row) => &row.rule,
            None => return Reason::FieldMismatch,
        }
    };
    match part {
        Part::Fields => rule::fields::<true>(row, &pair),
        Part::Macs => rule::macs(row, &pair, clock, at.window, &|message| tables.tag(message)),
        Part::Pows => rule::pows(row, &pair, clock, at.window, &|block| tables.sha256(block)),
    }
}

/// What [`Traffic::upper`] says, wherever it runs.
#[inline(always)]
pub fn judge_upper(frame: &(impl Frame + ?Sized), tables: &impl Tables, case: Above) -> Said {
    const PACKET_TOO_BIG: u16 = 2;
    const MINIMUM_MTU: u32 = 1280;
    let upper = parse::upper(frame, case.next, u32::from(case.network) + HEADER_OCTETS);
    if let Upper::Found { protocol: protocol::ICMPV6, offset, fragment: false } = upper
        && let Some(head) = frame.read_u16(offset)
    {
        let (kind, code) = (head >> 8, head & 0xff);
        match kind {
            133..=137 | 141 | 142 | 148 | 149 if code == 0 && case.hop_limit == 255 => {
                return Said::Settled(Reason::Control);
            }
            PACKET_TOO_BIG if frame.read_u32(offset + 4).is_none_or(|mtu| mtu < MINIMUM_MTU) => {
                return Said::Settled(Reason::BadIcmpError);
            }
            1..=4 => return Said::Error(offset + 8),
            _ => {}
        }
    }
    match tables.prefix(case.slot) {
        Some(row) if row.flags & FLAG_ALLOW != 0 => refused(frame, tables, case.service, upper),
        _ => Said::Nothing,
    }
}

/// The mirror of the packet at `offset` that an ICMPv6 error carries, if `destination` may have sent that packet.
#[inline(always)]
fn embedded(frame: &impl Frame, offset: u32, destination: Words) -> Option<Pair> {
    let embedded = Header::read(frame, offset)?;
    let mirror = Pair { source: embedded.destination, destination: embedded.source };
    (mirror.destination == destination).then_some(mirror)
}

/// Why the service's `allow` list refuses this frame, if it does.
#[inline(always)]
fn refused(frame: &(impl Frame + ?Sized), tables: &impl Tables, service: u32, upper: Upper) -> Said {
    let (protocol, offset) = match upper {
        Upper::Found { protocol, offset, .. } => (protocol, offset),
        // A later fragment has no ports and is judged by address.
        Upper::Later => return Said::Nothing,
        Upper::Unknown => return Said::Settled(Reason::Unparsable),
    };
    let Some(service) = tables.service(service) else { return Said::Settled(Reason::Protocol) };
    // The same place in TCP, UDP, SCTP and DCCP.
    let destination = frame.read_u16(offset + 2);
    let mut unknown = false;
    for (index, AllowRow { protocol: allowed, port, any_port }) in service.allow.iter().enumerate() {
        if index >= (service.allowed as usize).min(ALLOWED) {
            break;
        }
        if *allowed == protocol {
            if *any_port != 0 || destination == Some(*port) {
                return Said::Nothing;
            }
            unknown |= destination.is_none();
        }
    }
    Said::Settled(if unknown { Reason::Unparsable } else { Reason::Protocol })
}
