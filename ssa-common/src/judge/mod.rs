//! The whole verdict: a frame, the tables and a clock in; service, reason and treatment out (DESIGN §4).
//!
//! The common frame goes straight down: link, header, service, rule, treatment. What only some frames need is asked by
//! value, through methods with a body here: the kernel's program makes them functions that are verified once, by
//! themselves, and not once on every path that leads to them.

mod block;
mod common;
mod connection;
mod event;
mod find;
mod flow;
mod low;
mod pace;
mod share;
mod source;
mod steer;
mod tables;
mod treat;
mod tunnel;
mod upper;

use crate::{
    parse::{HEADER_OCTETS, Header, Link, protocol},
    rows::{FLAG_ALLOW, FLAG_DENY_SOURCE_IN_SERVICE, FLAG_FAIR, FLAG_FLOWS, FLAG_SOCKETS, PrefixRow},
    rule::{
        Pair,
        epoch::{Clock, Window},
    },
    verdict::{Reason, Treatment, Verdict},
};

pub use self::{
    block::{Hashed, blocked_prefix, judge_block, judge_block_among, judge_block_by, sieve_bit},
    common::{Carrier, judge_common},
    connection::{Connection, Ends, going_on, judge_connection},
    event::is_event,
    find::{find_later, places},
    flow::may_begin,
    low::take,
    pace::after,
    share::{Counted, is_above_share},
    source::{Source, judge_source},
    steer::{Origin, Wrap},
    tables::{At, Part, Tables, judge_part},
    treat::{demoted, treat},
    tunnel::{STEERED, Tunnel, judge_tunnel},
    upper::{Above, Known, Said, Traffic, judge_upper},
};
use self::{
    find::{Found, find},
    steer::Traveller,
    tables::judge_pair,
    upper::embedded,
};

/// A verdict in the words of who carries it out: each by itself, and most of them constants where they are known.
#[derive(Clone, Copy, Debug)]
pub struct Judged {
    /// The service's number; 0 outside any service.
    pub service: u32,
    /// Its first counter cell; 0 outside any service.
    pub first_cell: u32,
    /// [`Verdict::cell`].
    pub cell: u32,
    /// What happens.
    pub treatment: Treatment,
    /// Octets before the IPv6 header; 0 where there is none.
    pub network: u32,
    /// Octets of the frame, as its IPv6 or IPv4 header claims; 0 where there is none.
    pub octets: u32,
    /// Octets before `network` that an endpoint put there: they go before the frame goes on.
    pub strip: u32,
    /// One more than the place of the slice's counter on each CPU; 0: none counts this frame.
    pub slice: u32,
    /// Counters of slices on each CPU.
    pub slice_cells: u32,
    /// One more than the place of the endpoint that it goes to; 0: it stays on this host.
    pub to: u32,
    /// The first of that endpoint's ways, one for each CPU.
    pub hop: u32,
    /// How it goes there.
    pub wrap: Wrap,
    /// What its bank says of events, where this frame may be one; else 0.
    pub events: u32,
    /// What low priority is for it beyond the code point: `FLAG_LOW_*`.
    pub low: u32,
    /// The place of the bank that says more of that.
    pub bank: u32,
}

impl Judged {
    /// Of no frame.
    pub const NONE: Self = Self::without_header(OTHER);

    /// Of a frame with an IPv6 header at `network`, to the service of `row` or to none.
    #[inline(always)]
    fn new(verdict: Verdict, row: Option<&PrefixRow>, network: u32, payload: u16) -> Self {
        let octets = network + HEADER_OCTETS + u32::from(payload);
        Self { first_cell: row.map_or(0, |row| row.first_cell), network, octets, ..Self::without_header(verdict) }
    }

    /// Of a frame that has no header to be judged by.
    #[inline(always)]
    const fn without_header(verdict: Verdict) -> Self {
        let Verdict { service, treatment, .. } = verdict;
        let cell = verdict.cell();
        let (network, octets, strip) = (0, 0, 0);
        let (slice, slice_cells, to, hop, wrap, events) = (0, 0, 0, 0, Wrap::Bare, 0);
        let (low, bank) = (0, 0);
        let first_cell = 0;
        Self {
            service,
            first_cell,
            cell,
            treatment,
            network,
            octets,
            strip,
            slice,
            slice_cells,
            to,
            hop,
            wrap,
            events,
            low,
            bank,
        }
    }

    /// The verdict.
    ///
    /// # Panics
    /// Never: the cell is a verdict's.
    pub fn verdict(&self) -> Verdict {
        let (reason, treatment, would_drop) = Verdict::of_cell(self.cell).expect("a verdict's cell");
        Verdict { service: self.service, reason, treatment, would_drop }
    }
}

/// The first three bits of global unicast, `2000::/3`: it holds none of the sources that cannot be.
const GLOBAL_UNICAST: u8 = 1;
/// A frame to no service.
const OTHER: Verdict = outside(Reason::Other, Treatment::Pass);
/// A frame that cannot be judged and must not pass.
const MALFORMED: Verdict = outside(Reason::Malformed, Treatment::Drop);

const fn outside(reason: Reason, treatment: Treatment) -> Verdict {
    Verdict { service: 0, reason, treatment, would_drop: false }
}

/// Judges one frame.
#[inline(always)]
pub fn judge(frame: &impl Traffic, tables: &impl Tables, clock: &impl Clock) -> Judged {
    match judge_common(frame, tables, clock, &Teller) {
        Some(judged) => judged,
        None => judge_whole(&frame.again(), tables, clock),
    }
}

/// Carries nothing out, and says what was said.
struct Teller;

impl Carrier for Teller {
    type Done = Judged;

    fn carry_out(&self, judged: &Judged) -> Judged {
        *judged
    }

    fn carry_on(&self, judged: &Judged) -> Judged {
        *judged
    }
}

/// Judges one frame by the whole law: what [`judge`] says too, and sooner where it can.
#[inline(always)]
pub fn judge_whole(frame: &impl Traffic, tables: &impl Tables, clock: &impl Clock) -> Judged {
    judge_unlimited(frame, tables, clock).admitted(tables)
}

/// Judges one frame by the whole law, as if there were room for any suspect.
#[inline(always)]
pub fn judge_unlimited(frame: &impl Traffic, tables: &impl Tables, clock: &impl Clock) -> Judged {
    let mut network = match frame.link() {
        Link::Ipv6(network) => network,
        Link::Foreign => return Judged::without_header(OTHER),
        Link::TooDeep => return malformed(tables),
    };
    let Some(mut header) = Header::read(frame, network) else { return malformed(tables) };
    let other = Judged::new(OTHER, None, network, header.payload);
    let Some(bank) = tables.bank() else { return other };
    let (mut strip, mut origin) = (0, Origin::Sender);
    let found = match find(tables, bank, header.destination) {
        Some(found) => found,
        None if header.next == protocol::IPV6 => {
            let Some(tunnel) = frame.tunnel(tables, bank, network) else { return other };
            let Some(row) = tables.prefix(tunnel.slot) else { return other };
            (strip, origin) = (HEADER_OCTETS, tunnel.origin);
            network += HEADER_OCTETS;
            let Some(inner) = Header::read(frame, network) else { return other };
            header = inner;
            Found { bank, row, slot: tunnel.slot }
        }
        None => return other,
    };
    let row = found.row;
    let reason = reason(frame, tables, clock, &header, network, &found);
    let mut verdict = treat(row, header.source, reason);
    if reason == Reason::Conform && row.flags & FLAG_FAIR != 0 {
        let service = bank.first_service.wrapping_add(row.service);
        verdict = demoted(verdict, row, header.source, tables.is_above_share(service, header.source, clock));
    }
    let events = if is_event(reason, verdict.treatment) { bank.events } else { 0 };
    let low = low::otherwise(row, verdict);
    let judged = Judged::new(verdict, Some(row), network, header.payload);
    let judged = Judged { strip, events, low, bank: bank.place, ..judged };
    match steer::slice(row, header.destination) {
        Some(slice) if judged.treatment != Treatment::Drop && reason != Reason::Control => {
            let word = tables.slice(bank.first_slice.wrapping_add(slice));
            let to = steer::whole((bank, row), word, &Traveller { frame, network, origin }, clock);
            steer::on_its_way(judged, (bank, row), slice, to)
        }
        _ => judged,
    }
}

/// Of a frame that cannot be judged and must not pass.
#[inline(always)]
fn malformed(tables: &impl Tables) -> Judged {
    Judged { events: tables.bank().map_or(0, |bank| bank.events), ..Judged::without_header(MALFORMED) }
}

/// DESIGN §4 steps 2 to 7. What the service does not take waits until it is known that the source is not blocked.
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
    let mut doubtful = false;
    if header.source.hi >> 61 != u64::from(GLOBAL_UNICAST) || flags & FLAG_DENY_SOURCE_IN_SERVICE != 0 {
        match tables.source(found.bank, found.slot, header.source) {
            Source::Good => {}
            Source::OnlyControl => doubtful = true,
            Source::Bad => return Reason::BadSource,
        }
    }
    let at = At { slot: found.slot, previous: false, window: Window::Now };
    // DESIGN §4 step 7.
    let remembers = flags & (FLAG_SOCKETS | FLAG_FLOWS) != 0;
    let service = found.bank.first_service.wrapping_add(found.row.service);
    let known = |conforms| Known { service, network, flags, conforms };
    let plain = matches!(header.next, protocol::TCP | protocol::UDP) && flags & FLAG_ALLOW == 0;
    let mut refused = None;
    if !plain {
        let Header { next, hop_limit, .. } = *header;
        let above = Above { slot: found.slot, service, network: network as u16, next, hop_limit };
        match frame.upper(tables, above) {
            Said::Settled(Reason::Control) => return Reason::Control,
            Said::Error(offset) => {
                let valid = embedded(&frame.far(), offset, header.destination).is_some_and(|mirror| {
                    let at = At { window: Window::Past, ..at };
                    judge_pair(tables, at, found.row, mirror, clock) == Reason::Conform
                });
                // Or it is about what was sent by a rule that is over, and is known.
                let valid = valid || remembers && frame.is_known(known(false));
                return match (valid, doubtful) {
                    (true, _) => Reason::IcmpError,
                    (false, true) => Reason::BadSource,
                    (false, false) => Reason::BadIcmpError,
                };
            }
            Said::Settled(Reason::BadIcmpError) if !doubtful => return Reason::BadIcmpError,
            Said::Settled(reason) => refused = Some(reason),
            Said::Nothing => {}
        }
    }
    if doubtful {
        return Reason::BadSource;
    }
    if found.bank.blocks != 0 && tables.is_blocked(found.bank.blocks, header.source, clock) {
        return Reason::Blocked;
    }
    if let Some(reason) = refused {
        return reason;
    }
    let pair = Pair { source: header.source, destination: header.destination };
    let reason = judge_pair(tables, at, found.row, pair, clock);
    let conforms = reason == Reason::Conform;
    let asks = if conforms { flags & FLAG_FLOWS != 0 } else { remembers };
    if asks && frame.is_known(known(conforms)) && !conforms { Reason::Established } else { reason }
}
