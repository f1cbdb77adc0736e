//! The whole verdict: a frame, the tables and a clock in; service, reason and treatment out (DESIGN §4).
//!
//! The common frame goes straight down: link, header, service, rule, treatment. What only some frames need stands in
//! functions of its own that are not inlined.

use crate::{
    bits::Words,
    layout::{ALLOWED, BANK_MAGIC, LENGTHS},
    parse::{self, Frame, HEADER_OCTETS, Header, Link, Upper, protocol},
    rows::{
        AllowRow, BankRow, FLAG_ALLOW, FLAG_DENY_SOURCE_IN_SERVICE, FLAG_LOW_PRIORITY, FLAG_PREVIOUS, PrefixRow,
        PreviousRow, ServiceRow,
    },
    rule::{
        self, Pair,
        epoch::{Clock, Window},
    },
    verdict::{Class, Reason, Treatment, Verdict},
};

/// The tables in force.
pub trait Tables {
    /// The bank in force.
    fn bank(&self) -> Option<&BankRow>;
    /// A slot of the prefix table.
    fn prefix(&self, slot: u32) -> Option<&PrefixRow>;
    /// The previous rule of a slot.
    fn previous(&self, slot: u32) -> Option<&PreviousRow>;
    /// A service's row.
    fn service(&self, index: u32) -> Option<&ServiceRow>;
}

/// A verdict, and where the frame's IPv6 header begins.
#[derive(Clone, Copy)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// Octets before the IPv6 header; 0 where there is none.
    pub network: u32,
}

impl Judged {
    #[inline(always)]
    const fn outside(reason: Reason, treatment: Treatment) -> Self {
        Self { verdict: Verdict { service: 0, reason, treatment, would_drop: false }, network: 0 }
    }
}

/// The prefix an address belongs to.
struct Found<'a> {
    row: &'a PrefixRow,
    slot: u32,
}

/// What the slow paths are given, in one word: a BPF function takes five at most.
struct Case<'a, F, T, C> {
    frame: &'a F,
    tables: &'a T,
    clock: &'a C,
    bank: &'a BankRow,
    header: Header,
    network: u32,
    found: Found<'a>,
}

/// Judges one frame.
#[inline(always)]
pub fn judge(frame: &impl Frame, tables: &impl Tables, clock: &impl Clock) -> Judged {
    let other = Judged::outside(Reason::Other, Treatment::Pass);
    let malformed = Judged::outside(Reason::Malformed, Treatment::Drop);
    let network = match parse::link(frame) {
        Link::Ipv6(network) => network,
        Link::Foreign => return other,
        Link::TooDeep => return malformed,
    };
    let Some(header) = Header::read(frame, network) else { return malformed };
    let Some(bank) = tables.bank() else { return other };
    let Some(found) = find(tables, bank, header.destination) else { return other };
    let case = Case { frame, tables, clock, bank, header, network, found };
    let reason = case.reason();
    Judged { verdict: treat(case.found.row, header.source, reason), network }
}

/// What a verdict makes of a frame of this service and source.
#[inline(always)]
pub fn treat(row: &PrefixRow, source: Words, reason: Reason) -> Verdict {
    let mismatch = if row.flags & FLAG_LOW_PRIORITY == 0 { Class::Reject } else { Class::Suspect };
    let (treatment, would_drop) = match reason.class(mismatch) {
        Class::Known | Class::Good => (Treatment::Pass, false),
        Class::Suspect if enforced(row, source) => (Treatment::LowPriority, false),
        Class::Suspect => (Treatment::Pass, false),
        Class::Reject if reason.in_every_mode() || enforced(row, source) => (Treatment::Drop, false),
        Class::Reject => (Treatment::Pass, true),
    };
    Verdict { service: row.service, reason, treatment, would_drop }
}

/// Whether the service's `enforce` covers this source: stable for each /48.
#[inline(always)]
fn enforced(row: &PrefixRow, source: Words) -> bool {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    ((source.hi >> 16).wrapping_mul(SPREAD) >> 32) < row.enforce
}

/// The prefix that `address` belongs to: a look for each prefix length of the config, two places each.
#[inline(always)]
fn find<'a>(tables: &'a impl Tables, bank: &BankRow, address: Words) -> Option<Found<'a>> {
    if bank.magic != BANK_MAGIC {
        return None;
    }
    for (length, mask) in bank.masks.iter().enumerate() {
        if length >= bank.lengths as usize {
            break;
        }
        let key = address.and(*mask);
        for place in places(bank, key) {
            let slot = bank.first_prefix.wrapping_add(place);
            if let Some(row) = tables.prefix(slot)
                && row.prefix == key
                && row.length as usize == length
                && row.service != 0
            {
                return Some(Found { row, slot });
            }
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

impl<F: Frame, T: Tables, C: Clock> Case<'_, F, T, C> {
    #[inline(always)]
    fn reason(&self) -> Reason {
        let flags = self.found.row.flags;
        // Global unicast, 2000::/3, holds none of the sources that cannot be.
        let doubtful = if self.header.source.hi >> 61 == 1 && flags & FLAG_DENY_SOURCE_IN_SERVICE == 0 {
            false
        } else {
            match self.source() {
                Source::Good => false,
                Source::OnlyControl => true,
                Source::Bad => return Reason::BadSource,
            }
        };
        let plain = matches!(self.header.next, protocol::TCP | protocol::UDP) && flags & FLAG_ALLOW == 0;
        if !plain && let Some(reason) = self.upper(doubtful) {
            return reason;
        }
        if doubtful {
            return Reason::BadSource;
        }
        let pair = Pair { source: self.header.source, destination: self.header.destination };
        let reason = rule::check(&self.found.row.rule, &pair, self.clock, Window::Now);
        if reason != Reason::Conform && flags & FLAG_PREVIOUS != 0 && self.conforms_to_previous(&pair, Window::Now) {
            return Reason::Conform;
        }
        reason
    }

    /// DESIGN §4 step 2.
    #[inline(never)]
    fn source(&self) -> Source {
        let Words { hi, lo } = self.header.source;
        let unspecified_or_loopback = hi == 0 && lo <= 1;
        let multicast = hi >> 56 == 0xff;
        let v4_mapped = hi == 0 && lo >> 32 == 0xffff;
        if unspecified_or_loopback || multicast || v4_mapped {
            return Source::Bad;
        }
        let link_local = hi >> 54 == 0xfe80 >> 6;
        let denied = self.found.row.flags & FLAG_DENY_SOURCE_IN_SERVICE != 0
            && find(self.tables, self.bank, self.header.source).is_some();
        if link_local || denied { Source::OnlyControl } else { Source::Good }
    }

    /// DESIGN §4 steps 3 and 5: the reason, where the upper layer settles it. Of a `doubtful` source only control
    /// traffic and valid errors are taken.
    #[inline(never)]
    fn upper(&self, doubtful: bool) -> Option<Reason> {
        let upper = parse::upper(self.frame, self.header.next, self.network + HEADER_OCTETS);
        if let Upper::Found { protocol: protocol::ICMPV6, offset, fragment: false } = upper
            && let Some([kind, code]) = self.frame.read::<2>(offset)
        {
            match kind {
                133..=137 | 141 | 142 | 148 | 149 if code == 0 && self.header.hop_limit == 255 => {
                    return Some(Reason::Control);
                }
                1..=4 if self.is_answer(kind, offset) => return Some(Reason::IcmpError),
                1..=4 if !doubtful => return Some(Reason::BadIcmpError),
                _ => {}
            }
        }
        if doubtful || self.found.row.flags & FLAG_ALLOW == 0 { None } else { self.refused(upper) }
    }

    /// Whether an ICMPv6 error is about a packet that this service may have sent to a client that conforms.
    #[inline(always)]
    fn is_answer(&self, kind: u8, offset: u32) -> bool {
        const PACKET_TOO_BIG: u8 = 2;
        const MINIMUM_MTU: u32 = 1280;
        let Some(mtu) = self.frame.read::<4>(offset + 4) else { return false };
        if kind == PACKET_TOO_BIG && u32::from_be_bytes(mtu) < MINIMUM_MTU {
            return false;
        }
        let Some(embedded) = Header::read(self.frame, offset + 8) else { return false };
        if embedded.source != self.header.destination {
            return false;
        }
        let mirror = Pair { source: embedded.destination, destination: embedded.source };
        self.conforms_ever(&mirror)
    }

    #[inline(never)]
    fn conforms_ever(&self, pair: &Pair) -> bool {
        let row = self.found.row;
        rule::check(&row.rule, pair, self.clock, Window::Past) == Reason::Conform
            || row.flags & FLAG_PREVIOUS != 0 && self.conforms_to_previous(pair, Window::Past)
    }

    #[inline(never)]
    fn conforms_to_previous(&self, pair: &Pair, window: Window) -> bool {
        self.tables.previous(self.found.slot).is_some_and(|previous| {
            self.clock.now() < previous.deadline
                && rule::check(&previous.rule, pair, self.clock, window) == Reason::Conform
        })
    }

    /// Why the service's `allow` list refuses this frame, if it does.
    #[inline(always)]
    fn refused(&self, upper: Upper) -> Option<Reason> {
        let (protocol, offset) = match upper {
            Upper::Found { protocol, offset, .. } => (protocol, offset),
            // A later fragment has no ports and is judged by address.
            Upper::Later => return None,
            Upper::Unknown => return Some(Reason::Unparsable),
        };
        let service = self.tables.service(self.bank.first_service.wrapping_add(self.found.row.service))?;
        let mut listed = false;
        for (index, AllowRow { protocol: allowed, port, any_port }) in service.allow.iter().enumerate() {
            if index >= (service.allowed as usize).min(ALLOWED) {
                break;
            }
            if *allowed != protocol {
                continue;
            }
            if *any_port != 0 {
                return None;
            }
            match self.frame.read::<2>(offset + 2) {
                Some(octets) if u16::from_be_bytes(octets) == *port => return None,
                Some(_) => {}
                None => listed = true,
            }
        }
        Some(if listed { Reason::Unparsable } else { Reason::Protocol })
    }
}

/// What a source address may be.
enum Source {
    /// Anything.
    Good,
    /// The source of control traffic and of valid errors.
    OnlyControl,
    /// Nothing.
    Bad,
}

const _: () = assert!(LENGTHS <= 16, "the verifier walks every length");
