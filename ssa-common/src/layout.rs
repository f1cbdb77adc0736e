//! What the program and the controller must agree on besides the rows: map names, sizes, the layout version.
//!
//! Map names are pin names. A change of any row, name or size takes a new [`VERSION`].

/// Version of the rows and maps; pinned with them, and checked whenever they are opened.
pub const VERSION: u32 = 6;

/// Marks a bank that a controller has filled: an array never misses, an unset row reads as zeros.
pub const BANK_MAGIC: u32 = 0x5353_4131;

/// Tells a [`MarkRow`](crate::rows::MarkRow) from what other programs write in front of frames.
pub const MARK_MAGIC: u32 = 0x5353_4d31;

/// The [`ActiveRow`](crate::rows::ActiveRow): its banks, and which of them is in force.
pub const ACTIVE: &str = "active";
/// [`PrefixRow`](crate::rows::PrefixRow)s, two choices a key, two banks.
pub const PREFIXES: &str = "prefixes";
/// [`PreviousRow`](crate::rows::PreviousRow)s, in the places of their prefixes.
pub const PREVIOUS: &str = "previous";
/// [`ServiceRow`](crate::rows::ServiceRow)s by service number, two banks.
pub const SERVICES: &str = "services";
/// The [`ClockRow`](crate::rows::ClockRow).
pub const CLOCK: &str = "clock";
/// [`Cell`](crate::rows::Cell)s by CPU, service and verdict; one further CPU holds what was carried over.
pub const COUNTERS: &str = "counters";
/// [`OwnersRow`](crate::rows::OwnersRow)s, two banks of their own.
pub const SLICES: &str = "slices";
/// [`SliceWord`](crate::rows::SliceWord)s of the slices whose previous owner keeps its connections, in their places.
pub const HANDOVERS: &str = "handovers";
/// Frames of each slice that went on, by CPU: 64-bit numbers.
pub const SLICE_COUNTERS: &str = "slice_counters";
/// [`EndpointRow`](crate::rows::EndpointRow)s, two banks.
pub const ENDPOINTS: &str = "endpoints";
/// [`HopRow`](crate::rows::HopRow)s by endpoint of either bank and CPU: what the program has asked the kernel.
pub const HOPS: &str = "hops";
/// [`FlowRow`](crate::rows::FlowRow)s by [`FlowKey`](crate::rows::FlowKey): the flows that were heard of last.
pub const FLOWS: &str = "flows";
/// [`FlowGateRow`](crate::rows::FlowGateRow)s by CPU.
pub const FLOW_GATES: &str = "flow_gates";
/// [`ShareRow`](crate::rows::ShareRow)s by CPU.
pub const SHARES: &str = "shares";
/// The secret by which source prefixes have their places in them, [`start`](crate::siphash::start)ed.
pub const SHARE_KEY: &str = "share_key";
/// The [`MetaRow`](crate::rows::MetaRow): layout version, sizes, owner.
pub const META: &str = "meta";
/// The config in force as text, two banks of [`DOCUMENT_CHUNK`]s. No program reads it.
pub const DOCUMENT: &str = "document";
/// The sieves of both banks, in words of 64 bits.
pub const BLOCKED_SIEVE: &str = "blocked_sieve";
/// [`BlockBankRow`](crate::rows::BlockBankRow)s, the two banks of the block list.
pub const BLOCK_BANKS: &str = "block_banks";
/// [`BucketRow`](crate::rows::BucketRow)s, two choices a prefix, two banks.
pub const BLOCKED_INDEX: &str = "blocked_index";
/// [`BlockRow`](crate::rows::BlockRow)s in the order of their prefixes, two banks.
pub const BLOCKED: &str = "blocked";
/// [`BlockTextRow`](crate::rows::BlockTextRow)s, two banks. No program reads it.
pub const BLOCK_TEXTS: &str = "block_texts";
/// [`EventRow`](crate::rows::EventRow)s: a ring for each CPU.
pub const EVENTS: &str = "events";
/// [`EventGateRow`](crate::rows::EventGateRow)s, one for each CPU.
pub const EVENT_GATES: &str = "event_gates";
/// The [`EventRateRow`](crate::rows::EventRateRow).
pub const EVENT_RATE: &str = "event_rate";
/// [`SuspectsRow`](crate::rows::SuspectsRow)s by service number and CPU.
pub const SUSPECTS: &str = "suspects";
/// [`RefusedRow`](crate::rows::RefusedRow)s by CPU: what the kernel has refused to the program.
pub const REFUSED: &str = "refused";
/// The queues of frames that wait for a CPU of their own, by CPU.
pub const CPUS: &str = "cpus";

/// [`LookupRow`](crate::rows::LookupRow)s, of the endpoint host's own program.
pub const LOOKUPS: &str = "lookups";
/// The sockets that [`LOOKUPS`] hand calls to, by their place.
pub const SOCKETS: &str = "sockets";
/// The [`LookupMetaRow`](crate::rows::LookupMetaRow).
pub const LOOKUP_META: &str = "lookup_meta";
/// Version of the endpoint host's rows and maps, which have nothing to do with the filter's.
pub const LOOKUP_VERSION: u32 = 1;
/// Rows that hand calls to sockets, at most; and sockets.
pub const LOOKUP_ROWS: u32 = 64;

/// [`AnchorRow`](crate::rows::AnchorRow)s, of a client host's own programs.
pub const ANCHORS: &str = "anchors";
/// The [`ClientRow`](crate::rows::ClientRow).
pub const CLIENT: &str = "client";
/// The anchors whose place addresses were given in, by [`GivenKey`](crate::rows::GivenKey).
pub const GIVEN: &str = "given";
/// [`CalledRow`](crate::rows::CalledRow)s, in the places of their anchors. No program reads it.
pub const CALLED: &str = "called";
/// The [`ClientMetaRow`](crate::rows::ClientMetaRow).
pub const CLIENT_META: &str = "client_meta";
/// Version of a client host's rows and maps, which have nothing to do with the filter's.
pub const CLIENT_VERSION: u32 = 1;
/// Anchors of one cgroup, at most.
pub const ANCHOR_ROWS: u32 = 64;
/// Parts that may be taken out of a prefix, at most.
pub const EXCLUDED: usize = 8;
/// Addresses given to sockets that are remembered, at most; those that were asked for longest ago go first.
pub const GIVEN_ADDRESSES: u32 = 65_536;
/// Octets of the name under which a service is called, at most.
pub const CALLED_NAME: usize = 256;
/// Octets of the path of a cgroup, at most: `PATH_MAX`.
pub const CGROUP_PATH: usize = 4096;

/// Different prefix lengths in one config, at most: each costs a frame to no service another look.
pub const LENGTHS: usize = 16;
/// Keys in one ring, at most.
pub const KEYS: usize = 8;
/// Fields in one rule, at most (DESIGN §3).
pub const FIELDS: usize = 8;
/// Hashed fields in one rule, at most (DESIGN §3).
pub const HASHED: usize = 2;
/// Entries of a service's `allow` list, at most.
pub const ALLOWED: usize = 16;
/// Bits of a slice's number, at most.
pub const SLICE_BITS: u8 = 20;
/// Endpoints in one config, at most.
pub const ENDPOINT_COUNT: usize = 4095;
/// Places of source prefixes in one row of the sketch that counts them, a power of two. There are two such rows.
pub const SHARE_COLUMNS: u32 = 2048;
/// Ticks to which it is known when a flow was heard of last: the row of a flow is not written for each frame.
pub const FLOW_COARSE: u64 = 64;
/// Octets of a service's name, at most.
pub const NAME: usize = 63;
/// Shortest prefix of a service, in bits.
pub const SHORTEST_PREFIX: u8 = 16;
/// Longest prefix of a service, in bits.
pub const LONGEST_PREFIX: u8 = 120;
/// Octets of a row of the document map.
pub const DOCUMENT_CHUNK: usize = 4096;
/// Entries of the block list, at most.
pub const BLOCKS: usize = 100_000;
/// Different reasons in it, at most.
pub const BLOCK_REASONS: usize = 4096;
/// Octets of a reason, at most.
pub const BLOCK_TEXT: usize = 128;
/// Shortest prefix that can be blocked, in bits.
pub const SHORTEST_BLOCK: u8 = 16;
/// Different prefix lengths of the block list, at most: one for each that there can be.
pub const BLOCK_LENGTHS: u32 = 128 - SHORTEST_BLOCK as u32 + 1;
/// Octets of a frame that an event keeps, at most.
pub const HEAD: usize = 128;
