//! A frame that goes on, and its slice, in; where it goes out (DESIGN §4 steps 9 and 10).

use super::{Judged, Traffic, connection::Connection};
use crate::{
    bits::Words,
    rows::{BankRow, FLAG_SLICES, PrefixRow, STEER_L2, STEER_ROUTE, SliceWord},
    rule::epoch::Clock,
    verdict::{Reason, Treatment, Verdict},
};

/// How often a frame was sent from one endpoint to another before it came here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was not: it is as its sender made it.
    Sender,
    /// A host that does not own its slice sent it to the owner. It may go once more, to the slice's previous owner.
    Steered,
    /// It goes no further.
    Last,
}

/// How a frame goes to another endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrap {
    /// As it is.
    Bare,
    /// As it is, if it would fit in a packet of its own too: the owner may have to send it on to the previous one so, and
    /// what it could answer to its sender may not find the way back from there.
    Tight,
    /// In a packet of its own, as one that may go once more.
    Steered,
    /// In a packet of its own, as one that goes no further.
    Last,
}

impl Wrap {
    /// Whether it goes in a packet of its own.
    #[inline(always)]
    pub const fn is_wrapped(self) -> bool {
        matches!(self, Self::Steered | Self::Last)
    }
}

/// Where a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// To this host's stack.
    Here,
    /// Its slice has no endpoint.
    Nowhere,
    /// To the endpoint with this place among all endpoint rows.
    Endpoint(u32, Wrap),
}

/// A frame on its way: where its IPv6 header begins, and how it came here.
pub(super) struct Traveller<'a, F> {
    pub(super) frame: &'a F,
    pub(super) network: u32,
    pub(super) origin: Origin,
}

/// Where a slice's frame goes, or nothing where its connections decide.
#[inline(always)]
pub(super) fn plainly(bank: &BankRow, steer: u8, word: SliceWord, clock: &impl Clock) -> Option<To> {
    let (owner, host) = (word.owner(), bank.host);
    let to = to_owner(bank, steer, owner);
    if word.previous() == 0 || clock.ticks() >= word.deadline() {
        return Some(to);
    }
    if host != 0 && (owner == host || word.previous() == host) {
        return None;
    }
    Some(match to {
        To::Endpoint(place, Wrap::Bare) => To::Endpoint(place, Wrap::Tight),
        other => other,
    })
}

/// Where the frame of a slice goes that has this owner, and no other.
#[inline(always)]
pub(super) const fn to_owner(bank: &BankRow, steer: u8, owner: u32) -> To {
    if owner == 0 {
        To::Nowhere
    } else if owner == bank.host || steer == STEER_ROUTE {
        To::Here
    } else {
        let wrap = if steer == STEER_L2 { Wrap::Bare } else { Wrap::Steered };
        To::Endpoint(place(bank, owner), wrap)
    }
}

/// The place of an endpoint among all rows; `endpoint` is one more than its number.
#[inline(always)]
const fn place(bank: &BankRow, endpoint: u32) -> u32 {
    bank.first_endpoint.wrapping_add(endpoint).wrapping_sub(1)
}

/// Where a slice's frame goes, whatever that takes.
#[inline(always)]
pub(super) fn whole(
    (bank, row): (&BankRow, &PrefixRow),
    word: SliceWord,
    traveller: &Traveller<'_, impl Traffic>,
    clock: &impl Clock,
) -> To {
    let (owner, host) = (word.owner(), bank.host);
    let plain = plainly(bank, row.slices.steer, word, clock);
    match traveller.origin {
        // Two hosts that disagree for a moment send nothing in a circle: whoever gets a frame from the other keeps it.
        Origin::Last => return if owner == 0 { To::Nowhere } else { To::Here },
        // Who sent it, or this host, has not been told yet of a move: what begins may begin here, and a connection is with
        // the owner if it is not here.
        Origin::Steered if owner != host => {
            return if owner == 0 {
                To::Nowhere
            } else if matches!(traveller.frame.connection(traveller.network), Connection::Elsewhere) {
                To::Endpoint(place(bank, owner), Wrap::Last)
            } else {
                To::Here
            };
        }
        Origin::Sender | Origin::Steered => {}
    }
    if let Some(to) = plain {
        return to;
    }
    let connection = traveller.frame.connection(traveller.network);
    if owner == host {
        // The new owner: what it has not begun itself belongs to the previous one.
        match connection {
            Connection::Elsewhere => To::Endpoint(place(bank, word.previous()), Wrap::Last),
            Connection::None | Connection::Here => To::Here,
        }
    } else {
        // The previous owner, which has not been told yet, or is still reached by old routes.
        match connection {
            Connection::Here => To::Here,
            // Routes that brought it here would bring it here again.
            Connection::Elsewhere if row.slices.steer == STEER_ROUTE && owner != 0 => {
                To::Endpoint(place(bank, owner), Wrap::Last)
            }
            Connection::None | Connection::Elsewhere => to_owner(bank, row.slices.steer, owner),
        }
    }
}

/// The number of the slice of an address among the bank's, where frames of its service are steered or counted.
#[inline(always)]
pub(super) const fn slice(row: &PrefixRow, destination: Words) -> Option<u32> {
    if row.flags & FLAG_SLICES == 0 {
        return None;
    }
    Some(row.slices.first.wrapping_add(row.slices.number(destination)))
}

/// The judgement with the way that the frame takes.
#[inline(always)]
pub(super) const fn on_its_way(judged: Judged, (bank, row): (&BankRow, &PrefixRow), slice: u32, to: To) -> Judged {
    let counted = if row.slices.cells == 0 { 0 } else { slice.wrapping_add(1) };
    let judged = Judged { slice: counted, slice_cells: row.slices.cells, ..judged };
    match to {
        To::Here => judged,
        To::Nowhere => Judged { events: bank.events, ..judged.nowhere() },
        To::Endpoint(place, wrap) => Judged { hop: place.wrapping_mul(bank.hops), ..judged.forwarded(place, wrap) },
    }
}

impl Judged {
    /// The same frame, which is good and goes nowhere.
    #[inline(always)]
    #[must_use]
    pub const fn nowhere(self) -> Self {
        let verdict = Verdict {
            service: self.service,
            reason: Reason::NoEndpoint,
            treatment: Treatment::Drop,
            would_drop: false,
        };
        Self { cell: verdict.cell(), treatment: Treatment::Drop, to: 0, slice: 0, ..self }
    }

    /// The same frame, which was to be sent on and stays on this host.
    #[inline(always)]
    #[must_use]
    pub const fn kept(self) -> Self {
        match self.treatment {
            Treatment::Forward => Self { cell: Verdict::passed(self.cell), treatment: Treatment::Pass, to: 0, ..self },
            Treatment::Pass | Treatment::LowPriority | Treatment::Drop => Self { to: 0, ..self },
        }
    }

    /// The same frame, sent on to an endpoint.
    #[inline(always)]
    const fn forwarded(self, place: u32, wrap: Wrap) -> Self {
        let judged = Self { to: place.wrapping_add(1), wrap, ..self };
        match self.treatment {
            Treatment::Pass => Self { cell: Verdict::forwarded(self.cell), treatment: Treatment::Forward, ..judged },
            Treatment::Forward | Treatment::LowPriority | Treatment::Drop => judged,
        }
    }
}
