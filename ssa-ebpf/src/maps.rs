//! All maps, once: names are pin names, sizes are set at load, rows are `ssa_common::rows`.

use core::{
    hint::{black_box, cold_path},
    ptr,
};

use aya_ebpf::{
    bindings::{BPF_F_MMAPABLE, BPF_F_RDONLY_PROG, bpf_map_type::BPF_MAP_TYPE_CPUMAP},
    btf_maps::{Array, LruHashMap},
    macros::btf_map,
};
use ssa_common::{
    bits::Words,
    judge::{At, Part, Source, Tables},
    rows::{
        ActiveRow, BankRow, BlockBankRow, BlockRow, BlockTextRow, BucketRow, Cell, ClockRow, EndpointRow, EventGateRow,
        EventRateRow, EventRow, FlowGateRow, FlowKey, FlowRow, HopRow, MetaRow, OWNERS, OwnersRow, PrefixRow,
        PreviousRow, RefusedRow, ServiceRow, ShareRow, ShortWord, SliceWord, SuspectsRow,
    },
    rule::{Pair, epoch::Clock, mac::Message},
    sha256::Block,
    verdict::Reason,
};

use crate::{events, outline, suspects::Suspects};

const READ_ONLY: usize = BPF_F_RDONLY_PROG as usize;
const MAPPED: usize = BPF_F_MMAPABLE as usize;

/// All banks, and which of them is in force.
#[btf_map(name = "active")]
pub static ACTIVE: Array<ActiveRow, 1, READ_ONLY> = Array::new();
/// The prefix tables of both banks.
#[btf_map(name = "prefixes")]
pub static PREFIXES: Array<PrefixRow, 2, READ_ONLY> = Array::new();
/// Previous rules, in the places of their prefixes.
#[btf_map(name = "previous")]
pub static PREVIOUS: Array<PreviousRow, 2, READ_ONLY> = Array::new();
/// Services of both banks.
#[btf_map(name = "services")]
pub static SERVICES: Array<ServiceRow, 2, READ_ONLY> = Array::new();
/// The clock's offset.
#[btf_map(name = "clock")]
pub static CLOCK: Array<ClockRow, 1, READ_ONLY> = Array::new();
/// Counters by service, CPU and verdict.
#[btf_map(name = "counters")]
pub static COUNTERS: Array<Cell, 2, MAPPED> = Array::new();
/// Who owns each slice, in two banks of their own. The controller stores to it, which the kernel lets nobody do where the
/// program may only read.
#[btf_map(name = "slices")]
pub static SLICES: Array<OwnersRow, 1, MAPPED> = Array::new();
/// Slices in handover, in the same places.
#[btf_map(name = "handovers")]
pub static HANDOVERS: Array<SliceWord, 2, MAPPED> = Array::new();
/// Frames that went on, by CPU and slice.
#[btf_map(name = "slice_counters")]
pub static SLICE_COUNTERS: Array<u64, 1, MAPPED> = Array::new();
/// Endpoints of both banks.
#[btf_map(name = "endpoints")]
pub static ENDPOINTS: Array<EndpointRow, 2, READ_ONLY> = Array::new();
/// The ways to them, by endpoint of either bank and CPU, as the kernel said.
#[btf_map(name = "hops")]
pub static HOPS: Array<HopRow, 2> = Array::new();
/// The flows that were heard of last, of services that remember them.
#[btf_map(name = "flows")]
pub static FLOWS: LruHashMap<FlowKey, FlowRow, 1> = LruHashMap::new();
/// How many flows each CPU remembers anew.
#[btf_map(name = "flow_gates")]
pub static FLOW_GATES: Array<FlowGateRow, 1> = Array::new();
/// Frames by source prefix, of services that share fairly.
#[btf_map(name = "shares")]
pub static SHARES: Array<ShareRow, 1> = Array::new();
/// The secret by which source prefixes have their places there.
#[btf_map(name = "share_key")]
pub static SHARE_KEY: Array<[u64; 4], 1, READ_ONLY> = Array::new();
/// What the maps are; for the controller alone.
#[btf_map(name = "meta")]
pub static META: Array<MetaRow, 1, READ_ONLY> = Array::new();
/// The config in force; for the controller alone.
#[btf_map(name = "document")]
pub static DOCUMENT: Array<[u8; ssa_common::layout::DOCUMENT_CHUNK], 2, READ_ONLY> = Array::new();
/// The banks of the block list.
#[btf_map(name = "block_banks")]
pub static BLOCK_BANKS: Array<BlockBankRow, 2, READ_ONLY> = Array::new();
/// A bit for the first bits of each blocked prefix, in both banks.
#[btf_map(name = "blocked_sieve")]
pub static BLOCKED_SIEVE: Array<u64, 2, READ_ONLY> = Array::new();
/// Where a blocked prefix may be, in both banks.
#[btf_map(name = "blocked_index")]
pub static BLOCKED_INDEX: Array<BucketRow, 2, READ_ONLY> = Array::new();
/// Blocked prefixes, of both banks.
#[btf_map(name = "blocked")]
pub static BLOCKED: Array<BlockRow, 2, READ_ONLY> = Array::new();
/// Why they are blocked; for the controller alone.
#[btf_map(name = "block_texts")]
pub static BLOCK_TEXTS: Array<BlockTextRow, 2, READ_ONLY> = Array::new();

/// The rings of events, one for each CPU.
#[btf_map(name = "events")]
pub static EVENTS: Array<EventRow, 1, MAPPED> = Array::new();
/// What each CPU has written to its ring, and when it may again. The controller stores to it where the rate is another.
#[btf_map(name = "event_gates")]
pub static EVENT_GATES: Array<EventGateRow, 1, MAPPED> = Array::new();
/// How often events may be written.
#[btf_map(name = "event_rate")]
pub static EVENT_RATE: Array<EventRateRow, 1, READ_ONLY> = Array::new();
/// What is kept of suspects, by service and CPU.
#[btf_map(name = "suspects")]
pub static SUSPECTS: Array<SuspectsRow, 2> = Array::new();
/// What the kernel has refused, by CPU.
#[btf_map(name = "refused")]
pub static REFUSED: Array<RefusedRow, 1> = Array::new();
/// The queues of frames that wait for a CPU.
#[btf_map(name = "cpus")]
pub static CPUS: Queues = Queues {
    r#type: ptr::null(),
    key: ptr::null(),
    value: ptr::null(),
    max_entries: ptr::null(),
    map_flags: ptr::null(),
};

/// A map of queues by CPU, whose values are their lengths. The library has none of this kind that tells its types.
#[repr(C)]
pub struct Queues {
    r#type: *const [i32; BPF_MAP_TYPE_CPUMAP as usize],
    key: *const u32,
    value: *const u32,
    max_entries: *const [i32; 1],
    map_flags: *const [i32; 0],
}

// SAFETY: the fields are for the loader to read; nobody follows them.
unsafe impl Sync for Queues {}

/// The maps as the law's tables.
pub struct Kernel;

impl Kernel {
    /// A bank by its place, 0 to 3, whichever is in force.
    #[inline(always)]
    pub fn bank_of(place: u64) -> Option<&'static BankRow> {
        // SAFETY: the map owns the row, and the controller does not change a bank while frames are judged by it.
        Some(unsafe { &(*ACTIVE.get_ptr(0)?).banks[(place & 3) as usize] })
    }
}

/// What its row says of a slice.
#[inline(always)]
fn short(place: u32) -> Option<ShortWord> {
    let row = SLICES.get_ptr(place / OWNERS)?;
    // SAFETY: the map owns the row, and the place is in it. The controller may store to it meanwhile, so the load is volatile.
    Some(unsafe { row.cast::<ShortWord>().add((place % OWNERS) as usize).read_volatile() })
}

/// The word of a slice of which the row says that there is one.
#[inline(always)]
fn handover(place: u32, short: ShortWord) -> SliceWord {
    // The place hangs on what was loaded, of which nothing is left: so no processor loads the word before.
    let place = place.wrapping_add(black_box(u32::from(short.0)) >> u16::BITS);
    // SAFETY: the map owns the word. The controller may store to it meanwhile, so the load is volatile.
    HANDOVERS.get_ptr(place).map_or(SliceWord(0), |word| unsafe { word.read_volatile() })
}

impl Tables for Kernel {
    #[inline(always)]
    fn bank(&self) -> Option<&BankRow> {
        // One look for both: the compiler cannot know that a second would find the same.
        let row = ACTIVE.get_ptr(0)?;
        // SAFETY: the map owns the row. One volatile load decides for this way through the law, and the controller does not
        // change a bank while frames are judged by it.
        Some(unsafe {
            let number = (&raw const (*row).number).read_volatile();
            &(*row).banks[(number & 3) as usize]
        })
    }

    #[inline(always)]
    fn prefix(&self, slot: u32) -> Option<&PrefixRow> {
        PREFIXES.get(slot)
    }

    #[inline(always)]
    fn previous(&self, slot: u32) -> Option<&PreviousRow> {
        PREVIOUS.get(slot)
    }

    #[inline(always)]
    fn service(&self, index: u32) -> Option<&ServiceRow> {
        SERVICES.get(index)
    }

    #[inline(always)]
    fn slice(&self, place: u32) -> SliceWord {
        let Some(short) = short(place) else { return SliceWord(0) };
        match short.owner() {
            Some(owner) => SliceWord(owner.into()),
            None => handover(place, short),
        }
    }

    #[inline(always)]
    fn owner(&self, place: u32) -> Result<u32, SliceWord> {
        let short = short(place).ok_or(SliceWord(0))?;
        short.owner().ok_or_else(|| handover(place, short))
    }

    #[inline(always)]
    fn endpoint(&self, place: u32) -> Option<&EndpointRow> {
        ENDPOINTS.get(place)
    }

    #[inline(always)]
    fn block_bank(&self, bank: u32) -> Option<&BlockBankRow> {
        BLOCK_BANKS.get(bank)
    }

    #[inline(always)]
    fn sieve(&self, place: u32) -> Option<u64> {
        BLOCKED_SIEVE.get(place).copied()
    }

    #[inline(always)]
    fn bucket(&self, place: u32) -> Option<&BucketRow> {
        BLOCKED_INDEX.get(place)
    }

    #[inline(always)]
    fn block(&self, place: u32) -> Option<&BlockRow> {
        BLOCKED.get(place)
    }

    #[inline(always)]
    fn is_blocked(&self, bank: u32, source: Words, _clock: &impl Clock) -> bool {
        outline::ssa_blocked(bank, source.hi, source.lo) != 0
    }

    #[inline(always)]
    fn is_blocked_among(&self, bank: u32, [from, to]: [u32; 2], source: Words, _clock: &impl Clock) -> bool {
        outline::ssa_blocked_among(bank, u64::from(from) << 32 | u64::from(to), source.hi, source.lo) != 0
    }

    #[inline(always)]
    fn is_blocked_by(&self, bank: u32, length: u8, source: Words, _clock: &impl Clock) -> bool {
        outline::ssa_blocked_by(bank, length.into(), source.hi, source.lo) != 0
    }

    #[inline(always)]
    fn source(&self, bank: &BankRow, slot: u32, source: Words) -> Source {
        outline::source(bank, slot, source)
    }

    #[inline(always)]
    fn find_later(&self, bank: &BankRow, address: Words) -> Option<u32> {
        outline::find_later(bank, address)
    }

    #[inline(always)]
    fn is_above_share(&self, service: u32, source: Words, _clock: &impl Clock) -> bool {
        outline::is_above_share(service, source)
    }

    #[inline(always)]
    fn is_event_due(&self) -> bool {
        cold_path();
        events::is_due()
    }

    #[inline(always)]
    fn part(&self, part: Part, at: At, pair: Pair, _clock: &impl Clock) -> Reason {
        outline::part(part, at, pair)
    }

    #[inline(always)]
    fn holds(&self, message: &Message) -> bool {
        outline::ssa_mac(message) != 0
    }

    #[inline(always)]
    fn has_room(&self, bank: u32, service: u32) -> bool {
        Suspects::of(bank, service).is_none_or(|suspects| suspects.take())
    }

    #[inline(always)]
    fn sha256(&self, block: &mut Block) -> u64 {
        outline::ssa_sha256(block)
    }
}
