//! The closed words of a verdict: why (reason), how it is judged (class), what happens (treatment), where it is counted.

/// Why a frame conforms or not. A closed list: names, order and counter slots are DESIGN's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Reason {
    /// The destination follows the rule.
    Conform,
    /// It does not, but belongs to a connection that did.
    Established,
    /// Neighbour discovery and its kin.
    Control,
    /// An ICMPv6 error about a packet of this service.
    IcmpError,
    /// A `const`, `src` or `hash` field differs.
    FieldMismatch,
    /// The `mac` is valid in no accepted epoch.
    MacMismatch,
    /// The proof of work is missing.
    PowMissing,
    /// The replica number is too large.
    ReplicaRange,
    /// The key number is not in the ring.
    UnknownKey,
    /// An ICMPv6 error about a packet that this service never sent.
    BadIcmpError,
    /// A source address that cannot be.
    BadSource,
    /// A source on the block list.
    Blocked,
    /// A protocol that the service does not take.
    Protocol,
    /// The service takes some protocols only, and which this is cannot be told.
    Unparsable,
    /// The slice has no endpoint.
    NoEndpoint,
    /// Outside any service: not IPv6, or to no service.
    Other,
    /// Outside any service: neither to be judged nor to be passed.
    Malformed,
}

impl Reason {
    /// All reasons, in counter order.
    pub const ALL: [Self; 17] = [
        Self::Conform,
        Self::Established,
        Self::Control,
        Self::IcmpError,
        Self::FieldMismatch,
        Self::MacMismatch,
        Self::PowMissing,
        Self::ReplicaRange,
        Self::UnknownKey,
        Self::BadIcmpError,
        Self::BadSource,
        Self::Blocked,
        Self::Protocol,
        Self::Unparsable,
        Self::NoEndpoint,
        Self::Other,
        Self::Malformed,
    ];

    /// The reasons a service counts; the two others are outside any service.
    pub const OF_SERVICE: &'static [Self] = Self::ALL.split_at(15).0;

    /// The name in JSON, metrics and text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Conform => "conform",
            Self::Established => "established",
            Self::Control => "control",
            Self::IcmpError => "icmp-error",
            Self::FieldMismatch => "field-mismatch",
            Self::MacMismatch => "mac-mismatch",
            Self::PowMissing => "pow-missing",
            Self::ReplicaRange => "replica-range",
            Self::UnknownKey => "unknown-key",
            Self::BadIcmpError => "bad-icmp-error",
            Self::BadSource => "bad-source",
            Self::Blocked => "blocked",
            Self::Protocol => "protocol",
            Self::Unparsable => "unparsable",
            Self::NoEndpoint => "no-endpoint",
            Self::Other => "other",
            Self::Malformed => "malformed",
        }
    }

    /// How a frame with this reason is judged; `mismatch` is the service's class for a rule failure.
    #[inline(always)]
    pub const fn class(self, mismatch: Class) -> Class {
        match self {
            Self::Established => Class::Known,
            Self::Conform | Self::Control | Self::IcmpError | Self::NoEndpoint | Self::Other => Class::Good,
            Self::FieldMismatch | Self::MacMismatch | Self::PowMissing | Self::ReplicaRange | Self::UnknownKey => {
                mismatch
            }
            Self::BadIcmpError
            | Self::BadSource
            | Self::Blocked
            | Self::Protocol
            | Self::Unparsable
            | Self::Malformed => Class::Reject,
        }
    }

    /// True where no `enforce` setting lets the frame pass (DESIGN §4: "in every mode").
    #[inline(always)]
    pub const fn in_every_mode(self) -> bool {
        matches!(self, Self::BadSource | Self::Malformed)
    }
}

/// How a frame is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Part of a connection that is known.
    Known,
    /// Follows the rule.
    Good,
    /// Does not, and is let in behind the others.
    Suspect,
    /// Does not, and is not let in.
    Reject,
}

impl Class {
    /// The name in JSON and text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Good => "good",
            Self::Suspect => "suspect",
            Self::Reject => "reject",
        }
    }
}

/// What happens to a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Treatment {
    /// Goes to this host's stack.
    Pass,
    /// Goes to another endpoint.
    Forward,
    /// Goes on behind the others.
    LowPriority,
    /// Goes nowhere.
    Drop,
}

impl Treatment {
    /// All treatments, in counter order.
    pub const ALL: [Self; 4] = [Self::Pass, Self::Forward, Self::LowPriority, Self::Drop];

    /// The name in JSON, metrics and text.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Forward => "forward",
            Self::LowPriority => "lowprio",
            Self::Drop => "drop",
        }
    }
}

/// What the law says of one frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The service's number; 0 outside any service.
    pub service: u32,
    /// Why.
    pub reason: Reason,
    /// What happens.
    pub treatment: Treatment,
    /// Not enforced: it goes on, and would have been dropped.
    pub would_drop: bool,
}

impl Verdict {
    /// Cells a service has on each CPU: a frame moves one of them, so that sums over reasons and over treatments are
    /// equal at every moment.
    pub const CELLS: u32 = 17 * Self::COLUMNS;

    /// Treatments, and "would have been dropped" of what passed and of what was forwarded.
    const COLUMNS: u32 = 6;
    /// The first of the latter.
    const WOULD_DROP: u32 = 4;

    /// The cell this verdict moves, 0 to [`CELLS`](Self::CELLS) − 1.
    #[inline(always)]
    pub const fn cell(self) -> u32 {
        let column = if self.would_drop { Self::WOULD_DROP + self.treatment as u32 } else { self.treatment as u32 };
        self.reason as u32 * Self::COLUMNS + column
    }

    /// The cell of what passes, where it is forwarded instead: the next, and so is what would have been dropped.
    #[inline(always)]
    pub(crate) const fn forwarded(cell: u32) -> u32 {
        cell + (Treatment::Forward as u32 - Treatment::Pass as u32)
    }

    /// The cell of what goes on behind the others, where it is dropped instead.
    #[inline(always)]
    pub(crate) const fn dropped(cell: u32) -> u32 {
        cell + (Treatment::Drop as u32 - Treatment::LowPriority as u32)
    }

    /// The cell of what passes, by the one where it is forwarded.
    #[inline(always)]
    pub(crate) const fn passed(cell: u32) -> u32 {
        cell - (Treatment::Forward as u32 - Treatment::Pass as u32)
    }

    /// What the cell `index` of any service counts; none beyond [`CELLS`](Self::CELLS).
    pub fn of_cell(index: u32) -> Option<(Reason, Treatment, bool)> {
        let reason = *Reason::ALL.get((index / Self::COLUMNS) as usize)?;
        let column = (index % Self::COLUMNS) as usize;
        Some(match Treatment::ALL.get(column) {
            Some(&treatment) => (reason, treatment, false),
            None => (reason, Treatment::ALL[column - Self::WOULD_DROP as usize], true),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_and_verdicts_are_one_to_one() {
        for index in 0..Verdict::CELLS {
            let (reason, treatment, would_drop) = Verdict::of_cell(index).unwrap();
            assert_eq!(Verdict { service: 1, reason, treatment, would_drop }.cell(), index);
        }
        assert_eq!(Verdict::of_cell(Verdict::CELLS), None);
    }

    #[test]
    fn reasons_stand_in_the_order_of_their_slots() {
        for (slot, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, slot);
        }
        assert!(!Reason::OF_SERVICE.contains(&Reason::Other) && !Reason::OF_SERVICE.contains(&Reason::Malformed));
    }
}
