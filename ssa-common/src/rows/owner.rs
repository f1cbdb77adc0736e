//! Who owns a slice, and who did.

use bytemuck::{Pod, Zeroable};

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
