//! The frame in the kernel: octets at an offset, read and written within its bounds.

use core::{hint::black_box, mem::MaybeUninit};

use aya_ebpf::{
    bindings::xdp_md,
    helpers::generated::{bpf_xdp_get_buff_len, bpf_xdp_load_bytes, bpf_xdp_store_bytes},
    programs::XdpContext,
};
use bytemuck::{AnyBitPattern, NoUninit};
use ssa_common::{
    judge::{Above, Said, Tables, Traffic},
    parse::{Frame, HEADER_OCTETS},
};

use crate::outline;

/// Offsets the verifier lets a packet pointer have.
const MAX_OFFSET: u32 = 0x7fff;

/// A frame in the hands of the program. `FAR`: offsets come from the frame, and are not plain sums of constants.
pub struct Packet<'a, const FAR: bool = false> {
    context: &'a XdpContext,
}

impl<'a, const FAR: bool> Packet<'a, FAR> {
    /// The frame of this run.
    #[inline(always)]
    pub const fn new(context: &'a XdpContext) -> Self {
        Self { context }
    }

    /// The kernel's context.
    #[inline(always)]
    pub const fn raw(&self) -> *mut xdp_md {
        self.context.ctx
    }

    /// Octets of the frame, fragments of a multi-buffer frame included.
    ///
    /// The kernel says so by a helper, which costs as much as a rule. Where the linear part ends as the IPv6 header claims,
    /// there are no fragments: only a header that lies to the octet about a frame of several buffers makes it count less.
    #[inline(always)]
    pub fn octets(&self, network: u32, payload: u16) -> u64 {
        let linear = self.context.data_end() - self.context.data();
        if payload != 0 && (network + HEADER_OCTETS) as usize + payload as usize == linear {
            return linear as u64;
        }
        // SAFETY: the context is the one the kernel gave.
        unsafe { bpf_xdp_get_buff_len(self.context.ctx) }
    }

    /// Overwrites octets that the frame has; elsewhere does nothing.
    #[inline(always)]
    pub fn write<T: NoUninit>(&self, offset: u32, value: T) {
        match self.at::<T>(offset) {
            // SAFETY: `at` checked the bounds.
            Some(place) => unsafe { place.write_unaligned(value) },
            None => {
                let from = (&raw const value).cast_mut().cast();
                // SAFETY: `value` has as many octets. Where the frame has not, the helper refuses.
                unsafe { bpf_xdp_store_bytes(self.context.ctx, offset, from, size_of::<T>() as u32) };
            }
        }
    }

    /// A pointer to a `T`, aligned or not, in the linear part.
    #[inline(always)]
    fn at<T>(&self, offset: u32) -> Option<*mut T> {
        // The compiler may compare another number than the one it adds, such as an offset less 2, and the verifier then
        // has no bound for the sum. It cannot where it has lost sight of the number.
        let offset = if FAR { black_box(offset) } else { offset };
        if offset > MAX_OFFSET {
            return None;
        }
        // Pointers and not numbers: sums of numbers are put together anew, and then the sum that was compared with the end
        // is another than the one that is read from, which the verifier does not see through.
        let start = (self.context.data() as *mut u8).wrapping_add(offset as usize);
        let end = start.wrapping_add(size_of::<T>());
        (end <= self.context.data_end() as *mut u8).then_some(start.cast())
    }

    /// Octets that are not in the linear part: of a fragment, across its edge, or past the end.
    #[inline(never)]
    fn read_split<T: AnyBitPattern>(&self, offset: u32) -> Option<T> {
        let mut value = MaybeUninit::<T>::uninit();
        let to = value.as_mut_ptr().cast();
        // SAFETY: `value` has as many octets, and the helper fills all of them or refuses.
        let result = unsafe { bpf_xdp_load_bytes(self.context.ctx, offset, to, size_of::<T>() as u32) };
        // SAFETY: on success every octet is set, and any octets make a `T`.
        (result == 0).then(|| unsafe { value.assume_init() })
    }
}

impl<const FAR: bool> Frame for Packet<'_, FAR> {
    #[inline(always)]
    fn read<T: AnyBitPattern + NoUninit>(&self, offset: u32) -> Option<T> {
        match self.at::<T>(offset) {
            // SAFETY: `at` checked the bounds, and any octets make a `T`.
            Some(place) => Some(unsafe { place.read_unaligned() }),
            None => self.read_split(offset),
        }
    }

    #[inline(always)]
    fn read_words<const N: usize>(&self, offset: u32) -> Option<[u64; N]> {
        match self.at::<[u64; N]>(offset) {
            // Word by word: an array that may not be aligned is copied octet by octet, to the stack and back.
            Some(place) => Some(core::array::from_fn(|index| {
                // SAFETY: `at` checked the bounds of all `N`, and any octets make a word.
                u64::from_be(unsafe { place.cast::<u64>().add(index).read_unaligned() })
            })),
            None => self.read_split::<[u64; N]>(offset).map(|words| words.map(u64::from_be)),
        }
    }
}

impl<const FAR: bool> Traffic for Packet<'_, FAR> {
    #[inline(always)]
    fn upper(&self, _tables: &impl Tables, case: Above) -> Said {
        outline::upper(self, case)
    }

    #[inline(always)]
    fn far(&self) -> impl Frame {
        Packet::<true>::new(self.context)
    }
}
