//! An endpoint in; the way there, as the kernel's routes and neighbours say, out.

use core::mem;

use aya_ebpf::{
    bindings::{BPF_FIB_LKUP_RET_FWD_DISABLED, BPF_FIB_LKUP_RET_NO_NEIGH, BPF_FIB_LKUP_RET_SUCCESS, bpf_fib_lookup},
    helpers::generated::{bpf_fib_lookup as fib_lookup, bpf_get_smp_processor_id, bpf_jiffies64},
};
use bytemuck::Zeroable as _;
use ssa_common::{
    bits::Words,
    rows::{HopRow, Refused},
};

use crate::{
    link::Link,
    maps::{ENDPOINTS, HOPS},
    packet::Packet,
    refused,
    sockets::quarters,
};

/// Ticks for which an answer is believed: a fraction of a second, so that a route or a neighbour that changes is soon
/// followed, and the kernel is not asked for each frame.
const BELIEVED: u64 = 64;
/// `AF_INET6`.
const FAMILY: u8 = 10;

/// The way to an endpoint, as it is known on this CPU.
#[derive(Clone, Copy)]
pub struct Hop(*mut HopRow);

impl Hop {
    /// What this CPU knows of the way to an endpoint, of whose ways this is the first.
    #[inline(always)]
    pub fn of(first: u32) -> Option<Self> {
        // SAFETY: no arguments; newer verifiers inline it.
        let cpu = unsafe { bpf_get_smp_processor_id() };
        HOPS.get_ptr_mut(first.wrapping_add(cpu)).map(Self)
    }

    /// The row. Volatile, as another function may have written it since it was last read.
    #[inline(always)]
    fn read<T>(self, field: impl FnOnce(*mut HopRow) -> *const T) -> T {
        // SAFETY: the map owns the row, this CPU alone uses it, and the field is one of it.
        unsafe { field(self.0).read_volatile() }
    }

    /// Whether it is believed no more.
    #[inline(always)]
    pub fn is_old(self) -> bool {
        // SAFETY: a place in the row.
        self.read(|row| unsafe { &raw const (*row).until }) <= now()
    }

    /// The interface to leave by; 0: there is no way.
    #[inline(always)]
    pub fn interface(self) -> u32 {
        // SAFETY: as above.
        self.read(|row| unsafe { &raw const (*row).interface })
    }

    /// The longest packet that may be sent.
    #[inline(always)]
    pub fn mtu(self) -> u32 {
        // SAFETY: as above.
        self.read(|row| unsafe { &raw const (*row).mtu })
    }

    /// The Ethernet header that leads there.
    #[inline(always)]
    pub fn link(self) -> Link {
        // SAFETY: as above.
        let (start, end) =
            unsafe { (self.read(|row| &raw const (*row).link), self.read(|row| &raw const (*row).link_end)) };
        Link { start, end }
    }

    /// The addresses to wrap with, as they are loaded: this host's, and the endpoint's.
    #[inline(always)]
    pub fn addresses(self) -> (Words, Words) {
        // SAFETY: as above. Word by word: whole, they would be copied by way of the stack.
        unsafe {
            let hi = self.read(|row| &raw const (*row).source.hi);
            let lo = self.read(|row| &raw const (*row).source.lo);
            let source = Words { hi, lo };
            let hi = self.read(|row| &raw const (*row).destination.hi);
            let lo = self.read(|row| &raw const (*row).destination.lo);
            (source, Words { hi, lo })
        }
    }

    /// True for the first packet of this tick that is refused for its length.
    #[inline(always)]
    pub fn may_refuse(self) -> bool {
        let tick = now() as u32;
        // SAFETY: the map owns the row, and this CPU alone uses it.
        let last = unsafe { mem::replace(&mut (*self.0).refused, tick) };
        last != tick
    }

    fn keep(self, row: HopRow) {
        // SAFETY: as above.
        unsafe { *self.0 = HopRow { until: now() + BELIEVED, refused: (*self.0).refused, ..row } };
    }
}

/// Ticks since boot.
#[inline(always)]
fn now() -> u64 {
    // SAFETY: no arguments; the verifier inlines it to a load.
    unsafe { bpf_jiffies64() }
}

/// Asks for the way to the endpoint at `place`, and keeps the answer for this CPU; that there is none, too. The first of
/// its ways is at `first`.
#[inline(always)]
pub fn resolve<const FAR: bool>(packet: &Packet<FAR>, place: u32, first: u32) -> Option<()> {
    let endpoint = ENDPOINTS.get(place)?;
    let known = Hop::of(first)?;
    // SAFETY: zeros are a valid question.
    let mut question: bpf_fib_lookup = unsafe { mem::zeroed() };
    question.family = FAMILY;
    question.ifindex = packet.interface();
    // With a length, however small, the kernel says what the link takes.
    question.__bindgen_anon_1.tot_len = 1;
    question.__bindgen_anon_3.ipv6_src = quarters(endpoint.source);
    question.__bindgen_anon_4.ipv6_dst = quarters(endpoint.address);
    let octets = size_of::<bpf_fib_lookup>() as i32;
    // SAFETY: the context is the one the kernel gave, and the question has as many octets.
    let answer = unsafe { fib_lookup(packet.raw().cast(), &raw mut question, octets, 0) };
    known.keep(endpoint.by(match answer as u32 {
        BPF_FIB_LKUP_RET_SUCCESS => {
            let [a, b, c] = pairs(&question.dmac);
            let [d, e, f] = pairs(&question.smac);
            HopRow {
                link: (a | b << 16 | c << 32 | d << 48).to_le(),
                link_end: ((e | f << 16) as u32).to_le(),
                interface: question.ifindex,
                // SAFETY: the kernel has written it over the length.
                mtu: unsafe { question.__bindgen_anon_1.mtu_result }.into(),
                ..HopRow::zeroed()
            }
            .within(&endpoint.hop)
        }
        // The kernel says nothing of hosts that are no routers, nor for a neighbour that it does not know right now.
        BPF_FIB_LKUP_RET_FWD_DISABLED | BPF_FIB_LKUP_RET_NO_NEIGH => endpoint.hop,
        _ => {
            refused::count(Refused::Way);
            HopRow::zeroed()
        }
    }));
    Some(())
}

/// A hardware address in pairs of octets, in the order of their bits in a little-endian word.
///
/// One load each: on the stack, the verifier takes no wider ones that are not aligned.
#[inline(always)]
fn pairs(station: &[u8; 6]) -> [u64; 3] {
    let first: *const u16 = station.as_ptr().cast();
    // SAFETY: three pairs, at even places of a structure that begins at a word.
    let pair = |index| unsafe { u64::from(u16::from_le(first.add(index).read_volatile())) };
    [pair(0), pair(1), pair(2)]
}
