//! The rows that cross between the controller and the program: plain bytes, fixed widths, no padding.
//!
//! Fields are read by the law in this crate and written by the rule compiler and the controller's plan. Numbers are in
//! the host's order; addresses and keys are [`Words`], the value of their network-order octets.
//!
//! Length: every row that crosses stands in one file, so that no change of what crosses is overlooked. Those of the block
//! list, which has banks of its own, and of a client host's programs stand beside it.

mod anchor;
mod block;
mod refused;

use bytemuck::{Pod, Zeroable};

pub use self::{
    anchor::{AnchorRow, CalledRow, ClientMetaRow, ClientRow, ExcludedRow, GivenKey},
    block::{BLOCK_ENTRY_BITS, BUCKET, BlockBankRow, BlockRow, BlockTextRow, BucketRow, SIEVE_BITS, SIEVED},
    refused::{Refused, RefusedRow},
};
use crate::{
    bits::Words,
    layout::{ALLOWED, FIELDS, HASHED, HEAD, KEYS, LENGTHS},
};

/// One bank of the config: how prefixes are found in it. Version and magic tell a filled bank from an unset one.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct BankRow {
    /// [`BANK_MAGIC`](crate::layout::BANK_MAGIC), or 0 in a bank nobody filled.
    pub magic: u32,
    /// How many of `masks` are in use.
    pub lengths: u32,
    /// Multipliers of the two-choice table, odd.
    pub seeds: [u64; 2],
    /// 64 minus the logarithm of the table's slots.
    pub shift: u32,
    /// First slot of this bank.
    pub first_prefix: u32,
    /// First service row of this bank.
    pub first_service: u32,
    /// First slice of this bank.
    pub first_slice: u32,
    /// First endpoint row of this bank.
    pub first_endpoint: u32,
    /// How many endpoints there are.
    pub endpoints: u32,
    /// One more than the number of the endpoint that this host is; 0: none.
    pub host: u32,
    /// The bank's own place, 0 to 3.
    pub place: u32,
    /// Hop rows of each endpoint, one for each CPU.
    pub hops: u32,
    /// 1 if one look says all: there is one prefix length, and every prefix stands in the first of its two places.
    pub once: u32,
    /// One more than the bank of the block list that is in force; 0: nothing is blocked.
    pub blocks: u32,
    /// Events a second that are kept on the whole host, at most; 0: none.
    pub events: u32,
    /// Counts up with every change.
    pub generation: u64,
    /// The masks of the prefix lengths, in the order the config has them, [`loaded`](Words::loaded).
    pub masks: [Words; LENGTHS],
}

/// What is in force. One look finds the word and the bank it names.
///
/// It is rewritten whole, twice: first with another row for a bank that is not in force, then with its number. No word that
/// a program may read changes in the first, and a single one in the second.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct ActiveRow {
    /// The bank in force, 0 to 3: its lower bit says which copy of the config, the upper one which copy of the slices.
    pub number: u64,
    /// All banks.
    pub banks: [BankRow; 4],
}

impl ActiveRow {
    /// The place of the bank in force.
    pub const fn place(&self) -> usize {
        (self.number & 3) as usize
    }

    /// The bank in force.
    pub const fn in_force(&self) -> &BankRow {
        &self.banks[self.place()]
    }
}

/// A service prefix with its rule: a slot of the two-choice table.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PrefixRow {
    /// The prefix, host bits zero, [`loaded`](Words::loaded).
    pub prefix: Words,
    /// The service's number, which is its place in the counters.
    pub service: u32,
    /// One more than the place of this prefix's mask among the bank's; 0 in an empty slot.
    pub length: u32,
    /// `FLAG_*`.
    pub flags: u32,
    /// The service's first counter cell; worked out where the row is written to its map.
    pub first_cell: u32,
    /// A source prefix is enforced if its hash, 0 to 2^32 − 1, is below this.
    pub enforce: u64,
    /// Where its slices are.
    pub slices: SliceRow,
    /// The first of the service's `allow` list: nearly always all of it.
    pub allow: [AllowRow; 4],
    /// The current rule.
    pub rule: RuleRow,
}

/// A mismatch is suspect (low priority) and not reject.
pub const FLAG_LOW_PRIORITY: u32 = 1;
/// The service has an `allow` list: look at [`ServiceRow`].
pub const FLAG_ALLOW: u32 = 1 << 1;
/// Sources inside any service prefix cannot be.
pub const FLAG_DENY_SOURCE_IN_SERVICE: u32 = 1 << 2;
/// There is a previous rule: look at [`PreviousRow`].
pub const FLAG_PREVIOUS: u32 = 1 << 3;
/// What fails the rule is dropped, whoever sent it: no low priority, no previous rule, nothing that is known, all sources
/// enforced.
pub const FLAG_STRICT: u32 = 1 << 4;

/// Frames that go on are steered or counted by their slice: look at [`SliceRow`].
pub const FLAG_SLICES: u32 = 1 << 5;
/// What fails the rule is asked for a socket of this host.
pub const FLAG_SOCKETS: u32 = 1 << 6;
/// Flows that conform are remembered: look at [`FlowRow`].
pub const FLAG_FLOWS: u32 = 1 << 7;
/// A source prefix above its share is suspect: look at [`ShareRow`].
pub const FLAG_FAIR: u32 = 1 << 8;

/// Suspects wait for a CPU of their own: look at [`LowRow`].
pub const FLAG_LOW_CPU: u32 = 1 << 9;
/// Suspects are marked for the host's queues: look at [`LowRow`].
pub const FLAG_LOW_MARK: u32 = 1 << 10;
/// More suspects than so many are dropped: look at [`LowRow`].
pub const FLAG_LOW_LIMIT: u32 = 1 << 11;
/// Suspects keep their code point.
pub const FLAG_LOW_PLAIN: u32 = 1 << 12;
/// Low priority is something else than the code point alone.
pub const LOW_OTHERWISE: u32 = FLAG_LOW_CPU | FLAG_LOW_MARK | FLAG_LOW_LIMIT | FLAG_LOW_PLAIN;

impl PrefixRow {
    /// Enforces the rule for sources whose hash, 0 to 2^32 − 1, is below `threshold`.
    pub fn enforce_below(&mut self, threshold: u64) {
        self.enforce = threshold;
        let lenient = FLAG_LOW_PRIORITY | FLAG_PREVIOUS | FLAG_SOCKETS | FLAG_FLOWS;
        let strict = self.flags & lenient == 0 && threshold > u32::MAX.into();
        self.flags = self.flags & !FLAG_STRICT | if strict { FLAG_STRICT } else { 0 };
    }
}

/// How an address of a prefix tells its slice, and what is done with it.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct SliceRow {
    /// The first slice of the service, counted from the bank's first.
    pub first: u32,
    /// The ones of a slice's number, right-aligned.
    pub mask: u32,
    /// Counters of slices on each CPU, or 0 where the service's are not counted.
    pub cells: u32,
    /// Bits by which the address's upper word is shifted left, to meet the lower word.
    pub up: u8,
    /// Bits by which its last word with a bit of the slice's number is shifted right.
    pub down: u8,
    /// 1: that is the upper word.
    pub upper: u8,
    /// How a frame goes to another endpoint: `STEER_*`.
    pub steer: u8,
}

/// By the kernel's routes.
pub const STEER_ROUTE: u8 = 0;
/// As it is, to the endpoint's hardware address.
pub const STEER_L2: u8 = 1;
/// In an IPv6 packet of its own.
pub const STEER_IP6IP6: u8 = 2;

impl SliceRow {
    /// For slices of `bits` bits, at most 31, behind a prefix of `length`; the two are at most 128.
    pub const fn behind(length: u8, bits: u8) -> Self {
        let end = length + bits;
        // What comes from the upper word meets the lower one, or falls off where all is in the lower.
        let up = if end > 64 && length < 64 { end - 64 } else { 63 };
        let (upper, down) = if end <= 64 { (1, 64 - end) } else { (0, 128 - end) };
        Self { first: 0, mask: (1 << bits) - 1, cells: 0, up, down: down & 63, upper, steer: STEER_ROUTE }
    }

    /// The number of an address's slice.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the mask leaves 20 bits")]
    pub const fn number(&self, address: Words) -> u32 {
        let Words { hi, lo } = address;
        let bits = if self.upper != 0 { hi >> (self.down & 63) } else { hi << (self.up & 63) | lo >> (self.down & 63) };
        bits as u32 & self.mask
    }
}

/// Who owns each of some slices, in few bits: a flood over all slices finds them in a quarter of the cache.
///
/// A short word says all of a slice but its handover. Where it says that there is one, the slice's [`SliceWord`] says
/// everything. So a slice moves by one store: of that word if the short one said so before, and else of the short one.
pub type OwnersRow = [ShortWord; OWNERS as usize];

/// Slices in an [`OwnersRow`]: as many as fit a row of an array, which has eight octets at least.
pub const OWNERS: u32 = 4;

/// What an [`OwnersRow`] says of one slice.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct ShortWord(pub u16);

/// Bits of an endpoint's number in the words of slices.
const ENDPOINT_BITS: u32 = 14;

impl ShortWord {
    const OWNER: u16 = (1 << ENDPOINT_BITS) - 1;
    const PINNED: u32 = ENDPOINT_BITS;
    const HANDOVER: u16 = 1 << 15;

    /// One more than the owner's number, or 0 where there is none; nothing where there is a handover.
    #[inline(always)]
    pub const fn owner(self) -> Option<u32> {
        if self.0 & Self::HANDOVER != 0 { None } else { Some((self.0 & Self::OWNER) as u32) }
    }

    /// All that is to be said of the slice; nothing where there is a handover.
    pub const fn word(self) -> Option<SliceWord> {
        match self.owner() {
            Some(owner) => Some(SliceWord(owner as u64).pin(self.0 >> Self::PINNED & 1 != 0)),
            None => None,
        }
    }
}

/// Who owns a slice, and who did.
#[repr(transparent)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct SliceWord(pub u64);

impl SliceWord {
    const ENDPOINT: u64 = (1 << ENDPOINT_BITS) - 1;
    const PREVIOUS: u32 = ENDPOINT_BITS;
    const PINNED: u64 = 1 << 28;
    const DEADLINE: u32 = 32;
    const LAST: u64 = u64::MAX >> Self::DEADLINE;

    /// What its row says of the slice.
    #[expect(clippy::cast_possible_truncation, reason = "an owner has 14 bits")]
    pub const fn short(self) -> ShortWord {
        let pinned = (self.is_pinned() as u16) << ShortWord::PINNED;
        let handover = if self.previous() == 0 { 0 } else { ShortWord::HANDOVER };
        ShortWord(self.owner() as u16 | pinned | handover)
    }

    /// Of a slice with this owner.
    pub const fn of(owner: u32) -> Self {
        Self((owner as u64 + 1) & Self::ENDPOINT)
    }

    /// The same slice, whose connections belong to `previous` until the tick `deadline`, rounded up to [`COARSE`] ticks;
    /// until the last one there is room for, if that is before.
    #[must_use]
    pub const fn after(self, previous: u32, deadline: u64) -> Self {
        let kept = self.0 & (Self::ENDPOINT | Self::PINNED);
        let deadline = deadline.div_ceil(COARSE);
        let deadline = if deadline > Self::LAST { Self::LAST } else { deadline };
        Self(kept | ((previous as u64 + 1) & Self::ENDPOINT) << Self::PREVIOUS | deadline << Self::DEADLINE)
    }

    /// The same slice, which stays where it is, or does not.
    #[must_use]
    pub const fn pin(self, pinned: bool) -> Self {
        Self(self.0 & !Self::PINNED | if pinned { Self::PINNED } else { 0 })
    }

    /// One more than the owner's number; 0: there is none.
    #[inline(always)]
    pub const fn owner(self) -> u32 {
        (self.0 & Self::ENDPOINT) as u32
    }

    /// One more than the previous owner's number; 0: there is none.
    #[inline(always)]
    pub const fn previous(self) -> u32 {
        (self.0 >> Self::PREVIOUS & Self::ENDPOINT) as u32
    }

    /// The tick up to which the previous owner keeps its connections.
    #[inline(always)]
    pub const fn deadline(self) -> u64 {
        (self.0 >> Self::DEADLINE) * COARSE
    }

    /// Whether the slice stays where it is, whatever the balance.
    pub const fn is_pinned(self) -> bool {
        self.0 & Self::PINNED != 0
    }
}

/// Ticks to which a [`SliceWord`]'s deadline is rounded: 32 bits of them last for years.
pub const COARSE: u64 = 64;

/// An endpoint, in the order of the endpoints' addresses.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct EndpointRow {
    /// Its address.
    pub address: Words,
    /// The address of this host, where it is an endpoint: the source of what is sent to this one.
    pub source: Words,
    /// The way to it as the controller found it, for where the kernel's routes may not be asked.
    pub hop: HopRow,
}

/// A way to an endpoint, and between which addresses: one cache line has all that a frame sent there needs.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct HopRow {
    /// The first 8 octets of the Ethernet header, as they are loaded.
    pub link: u64,
    /// The next 4.
    pub link_end: u32,
    /// The interface to leave by; 0: there is no way.
    pub interface: u32,
    /// The longest packet that may be sent.
    pub mtu: u32,
    /// The tick at which the last packet was refused for its length; its lower bits.
    pub refused: u32,
    /// The tick up to which this is believed.
    pub until: u64,
    /// The address of this host to wrap with, [`loaded`](Words::loaded); zeros: it has none.
    pub source: Words,
    /// The endpoint's address, [`loaded`](Words::loaded).
    pub destination: Words,
}

impl HopRow {
    /// The same way for packets no longer than by a way that was found before, if that is by the same interface: of a
    /// route's own MTU the kernel tells a program only if it is locked, and the controller sees each.
    #[must_use]
    pub const fn within(self, found: &Self) -> Self {
        let is_longer = found.interface == self.interface && found.mtu < self.mtu;
        Self { mtu: if is_longer { found.mtu } else { self.mtu }, ..self }
    }
}

impl EndpointRow {
    /// A way to this endpoint, with the addresses that frames are wrapped with for it.
    #[must_use]
    pub const fn by(&self, way: HopRow) -> HopRow {
        HopRow { source: self.source.loaded(), destination: self.address.loaded(), ..way }
    }
}

/// The previous rule of a prefix, in the same place as its [`PrefixRow`].
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct PreviousRow {
    /// Unix time in ticks up to which it is accepted.
    pub deadline: u64,
    /// The rule.
    pub rule: RuleRow,
}

/// A rule compiled for one prefix.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct RuleRow {
    /// The bits that are constants or copied from the source.
    pub checked: Words,
    /// What the constant bits must be, and what is added to copied source bits.
    pub constant: Words,
    /// How many of `bits` compare source bits; they come first.
    pub sources: u8,
    /// How many of `bits` are replica numbers; they follow.
    pub replicas: u8,
    /// 1 if `keyid` is in use.
    pub keyids: u8,
    /// How many of `hashed` are `hash`; they come first.
    pub hashes: u8,
    /// 1 if a `mac` follows them.
    pub macs: u8,
    /// How many of `hashed` are `pow`; they come last.
    pub pows: u8,
    /// Keys of the ring in use.
    pub keys: u8,
    /// What a stale clock does: `STALE_*`.
    pub stale: u8,
    /// 1 if one of `bits` reverses the source.
    pub reverses: u8,
    /// Which kinds of fields there are, for the common way: `SHAPE_*`.
    pub shape: u8,
    /// Explicit padding.
    pub reserved: [u8; 6],
    /// Ticks after which an offset that nobody refreshed is stale; 0: never.
    pub max_age: u64,
    /// Fields that compare bits.
    pub bits: [BitsRow; FIELDS],
    /// The `keyid` field: `mask` holds the ones of its width, right-aligned.
    pub keyid: BitsRow,
    /// Fields that compute a digest.
    pub hashed: [HashedRow; HASHED],
    /// The ring, newest first.
    pub ring: [KeyRow; KEYS],
}

/// The common way may judge by this rule: it has no other checks than those below. A row that nobody filled may not.
pub const SHAPE_COMMON: u8 = 1;
/// Constants, and source bits that one rotation puts in place.
pub const SHAPE_BITS: u8 = 1 << 1;
/// One `hash`.
pub const SHAPE_HASH: u8 = 1 << 2;
/// A `mac` by one key at least, without `hash` and `keyid`.
pub const SHAPE_MAC: u8 = 1 << 3;

/// Keep the last offset.
pub const STALE_LAST: u8 = 0;
/// Accept every epoch's field unseen.
pub const STALE_OPEN: u8 = 1;
/// Accept no epoch.
pub const STALE_CLOSED: u8 = 2;

/// A field that compares bits.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct BitsRow {
    /// Which bits count, after the rotation.
    pub mask: Words,
    /// `replica`: the first number that is too large.
    pub limit: u64,
    /// Bits to rotate left by.
    pub rotate: u32,
    /// 1: reverse before the rotation.
    pub reverse: u32,
}

/// A field that computes a digest.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct HashedRow {
    /// `hash`: [`start`](crate::siphash::start) of the field key. The ring has those of a `mac`.
    pub start: [u64; 4],
    /// `pow`: the field key.
    pub key: Words,
    /// The first P source bits.
    pub source_mask: Words,
    /// All bits but the field's own.
    pub others: Words,
    /// `hash`, `mac`: [`tail`](crate::siphash::tail) of the message.
    pub tail: u64,
    /// Ticks in an epoch; 0 without period.
    pub period: u64,
    /// Ticks by which neighbouring epochs are accepted.
    pub skew: u64,
    /// Bits to rotate the destination left by, so that the field comes first, and [`ONE_WORD`].
    pub rotate: u32,
    /// Octets of the source word: 7, 8 or 16.
    pub source_octets: u8,
    /// Octets of the suffix word: 8 or 16.
    pub suffix_octets: u8,
    /// 64 minus the field's width.
    pub shift: u8,
    /// `pow`: zero bits wanted.
    pub zeros: u8,
}

/// The field does not cross from one word of the destination to the other, so that the other need not be looked at.
pub const ONE_WORD: u32 = 128;

/// A key of the ring, worked out for one field of one prefix.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct KeyRow {
    /// [`start`](crate::siphash::start) of the field key.
    pub start: [u64; 4],
    /// The key's number.
    pub number: u64,
}

/// What only some frames of a service need.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct ServiceRow {
    /// UTF-8, zero-filled; empty in an unused row.
    pub name: [u8; 64],
    /// How many of `allow` are in use.
    pub allowed: u32,
    /// The service's number.
    pub number: u32,
    /// Which share of its frames a source prefix may have.
    pub fair: FairRow,
    /// Ticks for which a flow is remembered that sends nothing: of TCP, and of UDP.
    pub idle: [u64; 2],
    /// Tells its flows from those of others that had its number.
    pub tag: u64,
    /// The protocols the service takes.
    pub allow: [AllowRow; ALLOWED],
    /// What low priority is, beyond a code point.
    pub low: LowRow,
}

/// What becomes of suspects: of those of one service, in numbers that the program need not work out.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct LowRow {
    /// Room that a tick adds, on each CPU.
    pub rate: u32,
    /// Room that a frame takes.
    pub cost: u32,
    /// Room that there is at most.
    pub burst: u32,
    /// The CPU that they wait for.
    pub cpu: u32,
    /// Their mark.
    pub mark: u32,
    /// Their priority, which is a class of the host's queues; 0: they keep theirs.
    pub priority: u32,
}

impl LowRow {
    /// The limit of `rate` frames a second for a clock of `hertz` ticks a second: a tenth of a second's at once, and one
    /// frame at least.
    #[expect(clippy::cast_possible_truncation, reason = "compared with the largest before")]
    pub const fn limit(rate: u32, hertz: u32) -> Self {
        let tenth = (rate as u64 * hertz as u64) / 10;
        // A bucket that has nearly a frame takes what a tick adds, too.
        let least = hertz as u64 + rate as u64;
        let burst = if tenth > least { tenth } else { least };
        let burst = if burst > u32::MAX as u64 { u32::MAX } else { burst as u32 };
        Self { rate, cost: hertz, burst, cpu: 0, mark: 0, priority: 0 }
    }
}

/// What the program keeps of a service's suspects on one CPU. A whole cache line: no CPU waits for another.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct SuspectsRow {
    /// Room left in the bucket.
    pub room: u64,
    /// The tick of that.
    pub ticks: u64,
    /// Frames that could not be marked.
    pub unmarked: u64,
    /// Frames that went on without waiting for a CPU: there was no queue.
    pub unqueued: u64,
    /// The rest of a cache line.
    pub reserved: [u64; 4],
}

/// What the filter writes in front of a frame for the program that marks packets.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct MarkRow {
    /// [`MARK_MAGIC`](crate::layout::MARK_MAGIC).
    pub magic: u32,
    /// The mark.
    pub mark: u32,
    /// The priority; 0: the packet keeps its own.
    pub priority: u32,
}

/// One protocol a service takes; zeros are none.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct AllowRow {
    /// The destination port, if `any_port` is 0.
    pub port: u16,
    /// IP protocol number.
    pub protocol: u8,
    /// 1: whatever the port.
    pub any_port: u8,
}

/// Which share of a service's frames a source prefix may have.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct FairRow {
    /// The bits of a source's upper word that are its prefix.
    pub mask: u64,
    /// The share, of 2^16.
    pub share: u32,
    /// Frames in a window up to which nobody is above the share.
    pub above: u32,
    /// The logarithm of a window's ticks.
    pub window: u32,
    /// [`ShareRow`]s of each CPU; 0 where there are none.
    pub rows: u32,
}

/// Frames of some source prefixes of a service, or of all, on one CPU: in a window of ticks, and in the one before.
///
/// For each CPU there are [`SHARE_COLUMNS`](crate::layout::SHARE_COLUMNS) rows, twice, in which a source prefix has a place
/// each by a keyed hash; then a row of all frames, and one for each service's number, of all its frames.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct ShareRow {
    /// The window's number; its lower bits.
    pub window: u32,
    /// Frames in it.
    pub frames: u32,
    /// Frames in the window before.
    pub before: u32,
    /// Explicit padding.
    pub reserved: u32,
}

/// A flow that follows the rule, or did.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct FlowKey {
    /// The client's address.
    pub remote: Words,
    /// The address it uses.
    pub local: Words,
    /// The client's port.
    pub remote_port: u16,
    /// The port it uses.
    pub local_port: u16,
    /// IP protocol number.
    pub protocol: u8,
    /// Explicit padding.
    pub reserved: [u8; 3],
}

/// What is remembered of a flow.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct FlowRow {
    /// The tick of its last frame, to [`FLOW_COARSE`](crate::layout::FLOW_COARSE) ticks.
    pub seen: u64,
    /// Its service's [`tag`](ServiceRow::tag).
    pub tag: u64,
}

/// How often one CPU remembers another flow.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct FlowGateRow {
    /// The time, in [`TICK_PARTS`] of a tick since boot, from which on another flow may be remembered.
    pub next: u64,
    /// Time that each flow takes of those after it, in the same.
    pub interval: u64,
    /// How much of the time to come may be taken already.
    pub tolerance: u64,
    /// Packets that began no flow, as it was too soon for another.
    pub turned_away: u64,
}

/// The wall clock, as the program can know it. Written in words that each change in one store.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct ClockRow {
    /// Added to jiffies gives Unix time in ticks.
    pub offset: u64,
    /// Jiffies at which `offset` was last published.
    pub published: u64,
}

/// Packets and octets of one verdict, on one CPU.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Cell {
    /// Frames.
    pub packets: u64,
    /// Octets of the frames, Ethernet header included.
    pub bytes: u64,
}

/// What the maps are and whose: written once, before anything is attached.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct MetaRow {
    /// [`VERSION`](crate::layout::VERSION).
    pub version: u32,
    /// CPUs the counters have rows for, without the carried-over one.
    pub cpus: u32,
    /// Service numbers, the one outside all services included.
    pub services: u32,
    /// Slots of one bank of the prefix table, a power of two.
    pub prefixes: u32,
    /// Chunks of one bank of the document.
    pub chunks: u32,
    /// Slices of one bank.
    pub slices: u32,
    /// Counters of slices on each CPU.
    pub slice_cells: u32,
    /// Endpoints of one bank.
    pub endpoints: u32,
    /// Flows that are remembered.
    pub flows: u32,
    /// Rows that count frames by source prefix, on each CPU.
    pub shares: u32,
    /// Slots of one bank of the block list's table.
    pub blocks: u32,
    /// Ticks a second (the kernel's HZ).
    pub hertz: u32,
    /// Cookie of the network namespace that owns the instance.
    pub netns: u64,
    /// A digest of the object that the program was loaded from.
    pub build: u64,
}

/// Calls that go to a socket: to these addresses, by this protocol, to this port.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct LookupRow {
    /// The first address.
    pub first: Words,
    /// The last address.
    pub last: Words,
    /// The address that the socket is bound to; for the controller alone.
    pub to: Words,
    /// The socket's place among the sockets.
    pub socket: u32,
    /// The port that is called.
    pub port: u16,
    /// The port that the socket is bound to; for the controller alone.
    pub to_port: u16,
    /// IP protocol number; 0 behind the last row.
    pub protocol: u8,
    /// Explicit padding.
    pub reserved: [u8; 7],
}

/// What the endpoint host's maps are: written once, before the program is attached.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct LookupMetaRow {
    /// [`LOOKUP_VERSION`](crate::layout::LOOKUP_VERSION).
    pub version: u32,
    /// How many rows are in use.
    pub rows: u32,
    /// A digest of the object that the program was loaded from.
    pub build: u64,
}

/// A frame that was not plainly good, as it came in: a slot of a ring that each CPU has for itself, and that keeps the newest.
///
/// Who reads it copies it, and then works out the sum: what was copied while it was written has another.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
pub struct EventRow {
    /// [`EventRow::sum`].
    pub check: u64,
    /// One more than how many events the CPU had written before.
    pub ticket: u64,
    /// Nanoseconds since boot, suspended ones included.
    pub time: u64,
    /// The generation in force.
    pub generation: u64,
    /// Octets of the frame.
    pub octets: u32,
    /// How many of them `head` has.
    pub captured: u32,
    /// The interface that it came in by.
    pub interface: u32,
    /// The receive queue of that.
    pub queue: u32,
    /// The service's number; 0 outside any service.
    pub service: u32,
    /// [`Verdict::cell`](crate::verdict::Verdict::cell).
    pub cell: u32,
    /// The first octets of the frame. Behind those that were captured stands anything.
    pub head: [u8; HEAD],
}

impl EventRow {
    /// Words behind the first.
    const WORDS: usize = size_of::<Self>() / size_of::<u64>() - 1;

    /// The sum of all words but the first. On machines that order stores as they like, it is what tells whole events from
    /// those that are half of one and half of another: the program has no barrier to write a ticket behind.
    #[inline(always)]
    pub fn sum(&self) -> u64 {
        const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
        let [words]: &[[u64; Self::WORDS + 1]; 1] = bytemuck::cast_ref(self);
        let (mut sum, mut index) = (0u64, 1);
        while index <= Self::WORDS {
            sum = (sum ^ words[index]).wrapping_mul(SPREAD);
            index += 1;
        }
        sum
    }
}

/// What a CPU has written, and from when on it may write again.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct EventGateRow {
    /// The time, in [`TICK_PARTS`]s of a tick since boot, from which on another event may be written.
    pub next: u64,
    /// Events that were written.
    pub written: u64,
}

/// How often events may be written, on each CPU by itself.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct EventRateRow {
    /// Time that each event takes of those after it, in [`TICK_PARTS`]s of a tick.
    pub interval: u64,
    /// How much of the time to come may be taken already.
    pub tolerance: u64,
    /// Slots of each CPU's ring less one: its bits.
    pub mask: u64,
}

/// Into how many parts a tick is cut, so that several events fit one.
pub const TICK_PARTS: u64 = 1 << 12;
