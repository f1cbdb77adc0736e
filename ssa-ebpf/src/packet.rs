//! The frame in the kernel: octets at an offset, read and written within its bounds.
//!
//! Length: packet memory is read and written in one file.

use core::{ffi::c_void, hint::black_box, mem::MaybeUninit};

use aya_ebpf::{
    bindings::xdp_md,
    helpers::generated::{
        bpf_csum_diff, bpf_redirect, bpf_redirect_map, bpf_tcp_check_syncookie, bpf_xdp_adjust_head,
        bpf_xdp_adjust_meta, bpf_xdp_adjust_tail, bpf_xdp_get_buff_len, bpf_xdp_load_bytes, bpf_xdp_store_bytes,
    },
    programs::XdpContext,
};
use bytemuck::{AnyBitPattern, NoUninit};
use ssa_common::{
    judge::Judged,
    parse::{Frame, Front, HEADER_OCTETS},
    rows::MarkRow,
};

use crate::maps::CPUS;

/// Offsets the verifier lets a packet pointer have.
const MAX_OFFSET: u32 = 0x7fff;

/// A frame in the hands of the program. `FAR`: offsets come from the frame, and are not plain sums of constants.
pub struct Packet<const FAR: bool = false> {
    context: *mut xdp_md,
}

impl<const FAR: bool> Packet<FAR> {
    /// The frame of this run.
    #[inline(always)]
    pub const fn new(context: &XdpContext) -> Self {
        Self { context: context.ctx }
    }

    /// The same frame, as if nothing had been read of it yet.
    #[inline(always)]
    pub fn anew(&self) -> Self {
        Self { context: black_box(self.context) }
    }

    /// The same frame, read at offsets that the frame itself gives.
    #[inline(always)]
    pub const fn looking_far(&self) -> Packet<true> {
        Packet { context: self.context }
    }

    /// The kernel's context.
    #[inline(always)]
    pub const fn raw(&self) -> *mut xdp_md {
        self.context
    }

    /// Octets of the frame, fragments of a multi-buffer frame included.
    ///
    /// The kernel says so by a helper, which costs as much as a rule. Where the linear part ends as the frame's header claims,
    /// there are no fragments: only a header that lies to the octet about a frame of several buffers makes it count less.
    #[inline(always)]
    pub fn octets(&self, judged: &Judged) -> u64 {
        let linear = self.end() as u64 - self.start() as u64;
        if u64::from(judged.octets) == linear {
            return linear;
        }
        self.length()
    }

    /// The same, as the kernel says.
    #[inline(always)]
    pub fn length(&self) -> u64 {
        // SAFETY: the context is the one the kernel gave.
        unsafe { bpf_xdp_get_buff_len(self.context) }
    }

    /// Where the linear part begins.
    #[inline(always)]
    fn start(&self) -> *mut u8 {
        // SAFETY: the context is the one the kernel gave.
        unsafe { (*self.context).data as usize as *mut u8 }
    }

    /// Where it ends.
    #[inline(always)]
    fn end(&self) -> *mut u8 {
        // SAFETY: as above.
        unsafe { (*self.context).data_end as usize as *mut u8 }
    }

    /// Lets the frame leave by another interface: the action that says so, or that it cannot.
    #[inline(always)]
    pub fn leave_by(&self, interface: u32) -> u32 {
        // SAFETY: numbers alone.
        unsafe { bpf_redirect(interface, 0) as u32 }
    }

    /// Lets the frame wait in the queue of a CPU: the action that says so, or `otherwise` where there is no such queue.
    #[inline(always)]
    pub fn wait_for(&self, cpu: u32, otherwise: u32) -> u32 {
        // SAFETY: the map is one of queues.
        unsafe { bpf_redirect_map((&raw const CPUS).cast_mut().cast(), cpu.into(), otherwise.into()) as u32 }
    }

    /// Writes in front of the frame what packets made of it are to be marked with. False: the driver leaves no room there.
    #[inline(always)]
    pub fn describe(&self, row: &MarkRow) -> bool {
        const OCTETS: usize = size_of::<MarkRow>();
        // SAFETY: the context is the one the kernel gave.
        if unsafe { bpf_xdp_adjust_meta(self.context, -(OCTETS as i32)) } != 0 {
            return false;
        }
        // SAFETY: as above.
        let to = unsafe { (*self.context).data_meta as usize as *mut u8 };
        if to.wrapping_add(OCTETS) > self.start() {
            return false;
        }
        // SAFETY: there is room between the two.
        unsafe { to.cast::<MarkRow>().write_unaligned(*row) };
        true
    }

    /// The interface that it came in by.
    #[inline(always)]
    pub fn interface(&self) -> u32 {
        // SAFETY: the context is the one the kernel gave.
        unsafe { (*self.context).ingress_ifindex }
    }

    /// The receive queue that it came in by.
    #[inline(always)]
    pub fn queue(&self) -> u32 {
        // SAFETY: as above.
        unsafe { (*self.context).rx_queue_index }
    }

    /// Copies the frame's first octets, 1 to `N`, wherever they lie. False: it has not as many.
    #[inline(always)]
    pub fn copy<const N: usize>(&self, octets: u32, to: *mut [u8; N]) -> bool {
        const { assert!(N.is_power_of_two()) };
        // A number from 1 on, as the verifier sees too: two comparisons the compiler would make one that says less.
        let octets = (black_box(octets.wrapping_sub(1)) & (N as u32 - 1)) + 1;
        // SAFETY: the context is the one the kernel gave, and `to` has room for `N` octets.
        unsafe { bpf_xdp_load_bytes(self.context, 0, to.cast(), octets) == 0 }
    }

    /// Lets the frame begin this many octets later, or earlier with octets that are not set yet. False: nothing was done.
    #[inline(always)]
    pub fn begin_at(&self, by: i32) -> bool {
        // SAFETY: the context is the one the kernel gave.
        by == 0 || unsafe { bpf_xdp_adjust_head(self.context, by) } == 0
    }

    /// Lets the frame end after this many octets. False: nothing was done.
    #[inline(always)]
    pub fn end_after(&self, octets: u32) -> bool {
        // SAFETY: the context is the one the kernel gave.
        unsafe { bpf_xdp_adjust_tail(self.context, octets as i32 - bpf_xdp_get_buff_len(self.context) as i32) == 0 }
    }

    /// Room for `N` octets of the linear part, from `offset` on.
    #[inline(always)]
    pub fn room<const N: usize>(&self, offset: u32) -> Option<Room<N>> {
        Some(Room(self.at::<[u8; N]>(offset)?.cast()))
    }

    /// Whether the segment whose TCP header is at `segment` brings back a cookie of a listening socket (RFC 4987 §3.6).
    #[inline(always)]
    pub fn brings_cookie(&self, listener: *mut c_void, network: u32, segment: u32) -> bool {
        const HEADER: usize = HEADER_OCTETS as usize;
        const TCP_OCTETS: usize = 20;
        let (Some(header), Some(tcp)) = (self.at::<[u8; HEADER]>(network), self.at::<[u8; TCP_OCTETS]>(segment)) else {
            return false;
        };
        // SAFETY: `at` checked the bounds, and the kernel lent the socket.
        unsafe { bpf_tcp_check_syncookie(listener, header.cast(), HEADER as u32, tcp.cast(), TCP_OCTETS as u32) == 0 }
    }

    /// Writes the lower-effort code point (RFC 8622 §4); ECN and flow label stay.
    #[inline(never)]
    pub fn mark(&self, network: u32) {
        /// The six DSCP bits in the first 16 bits of an IPv6 header.
        const DSCP: u16 = 0x0fc0;
        const LOWER_EFFORT: u16 = 0x0040;
        if let Some(first) = self.read_u16(network) {
            self.write(network, (first & !DSCP | LOWER_EFFORT).to_be());
        }
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
                unsafe { bpf_xdp_store_bytes(self.context, offset, from, size_of::<T>() as u32) };
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
        let start = self.start().wrapping_add(offset as usize);
        let end = start.wrapping_add(size_of::<T>());
        (end <= self.end()).then_some(start.cast())
    }

    /// Octets that are not in the linear part: of a fragment, across its edge, or past the end.
    ///
    /// Inlined, as to return from a function of its own would cost as much as the helper does.
    #[inline(always)]
    fn read_split<T: AnyBitPattern>(&self, offset: u32) -> Option<T> {
        let mut value = MaybeUninit::<T>::uninit();
        let to = value.as_mut_ptr().cast();
        // SAFETY: `value` has as many octets, and the helper fills all of them or refuses.
        let result = unsafe { bpf_xdp_load_bytes(self.context, offset, to, size_of::<T>() as u32) };
        // SAFETY: on success every octet is set, and any octets make a `T`.
        (result == 0).then(|| unsafe { value.assume_init() })
    }
}

/// `N` octets of a frame, to be read and written.
pub struct Room<const N: usize>(*mut u8);

impl<const N: usize> Room<N> {
    /// Reads a `T`, which lies in the room.
    #[inline(always)]
    pub fn get<const AT: usize, T: AnyBitPattern>(&self) -> T {
        const { assert!(AT + size_of::<T>() <= N) };
        // SAFETY: `room` checked the bounds, and any octets make a `T`.
        unsafe { self.0.add(AT).cast::<T>().read_unaligned() }
    }

    /// Overwrites octets with a `T`, which has room.
    #[inline(always)]
    pub fn put<const AT: usize, T: NoUninit>(&self, value: T) {
        const { assert!(AT + size_of::<T>() <= N) };
        // SAFETY: `room` checked the bounds.
        unsafe { self.0.add(AT).cast::<T>().write_unaligned(value) };
    }

    /// The Internet checksum of the whole room, not folded, added to `seed` (RFC 1071). `N` is a multiple of 4.
    #[inline(always)]
    pub fn sum(&self, seed: u32) -> u32 {
        const { assert!(N <= 512 && N.is_multiple_of(4)) };
        // SAFETY: `room` checked the bounds, and the helper reads `N` octets.
        unsafe { bpf_csum_diff(core::ptr::null_mut(), 0, self.0.cast(), N as u32, seed) as u32 }
    }
}

/// What [`Frame::front`] found room for: where it begins.
struct Start(*const u8);

impl Start {
    #[inline(always)]
    fn read<T: AnyBitPattern>(&self, offset: isize) -> T {
        // SAFETY: `front` checked the bounds of all that is read here, and any octets make a `T`.
        unsafe { self.0.offset(offset).cast::<T>().read_unaligned() }
    }
}

impl Front for Start {
    #[inline(always)]
    fn ethertype(&self) -> u16 {
        u16::from_be(self.read(-2))
    }

    #[inline(always)]
    fn octet(&self, index: usize) -> u8 {
        self.read(index as isize)
    }

    #[inline(always)]
    fn half(&self, index: usize) -> u16 {
        u16::from_be(self.read(index as isize))
    }

    #[inline(always)]
    fn word(&self, index: usize) -> u64 {
        u64::from_be(self.loaded(index))
    }

    #[inline(always)]
    fn loaded(&self, index: usize) -> u64 {
        self.read(index as isize)
    }
}

impl<const FAR: bool> Frame for Packet<FAR> {
    #[inline(always)]
    fn front(&self, offset: u32) -> Option<impl Front> {
        Some(Start(self.at::<[u64; 5]>(offset)?.cast()))
    }

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
