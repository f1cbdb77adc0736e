//! The socket lookup program: a call in, and the socket that the endpoint host's rows hand it to, if any, out.
//!
//! A program and maps of its own: the filter is loaded without them. Whatever goes wrong here, the kernel looks on as if
//! there were no program.
#![cfg_attr(target_arch = "bpf", no_std)]
#![cfg_attr(target_arch = "bpf", no_main)]

/// On the host there is nothing to run: the crate exists for the BPF target.
#[cfg(not(target_arch = "bpf"))]
fn main() {}

#[cfg(target_arch = "bpf")]
mod image;

#[cfg(target_arch = "bpf")]
mod program {
    use core::ptr;

    use aya_ebpf::{
        bindings::{BPF_F_RDONLY_PROG, bpf_map_type::BPF_MAP_TYPE_SOCKMAP, bpf_sk_lookup},
        btf_maps::Array,
        helpers::generated::{bpf_map_lookup_elem, bpf_sk_assign, bpf_sk_release},
        macros::{btf_map, sk_lookup},
        programs::SkLookupContext,
    };
    use ssa_common::{
        bits::Words,
        layout::LOOKUP_ROWS,
        lookup::{self, Call},
        rows::{LookupMetaRow, LookupRow},
    };

    const READ_ONLY: usize = BPF_F_RDONLY_PROG as usize;
    const ROWS: usize = LOOKUP_ROWS as usize;
    /// `SK_PASS` of `enum sk_action`: to the socket that was chosen, or to the one the kernel finds.
    const PASS: u32 = 1;
    /// `AF_INET6`.
    const IPV6: u32 = 10;

    /// Whom calls are for.
    #[btf_map(name = "lookups")]
    static LOOKUPS: Array<LookupRow, ROWS, READ_ONLY> = Array::new();
    /// What the maps are; for the controller alone.
    #[btf_map(name = "lookup_meta")]
    static LOOKUP_META: Array<LookupMetaRow, 1, READ_ONLY> = Array::new();
    /// The sockets.
    #[btf_map(name = "sockets")]
    static SOCKETS: Sockets = Sockets {
        r#type: ptr::null(),
        key: ptr::null(),
        value: ptr::null(),
        max_entries: ptr::null(),
        map_flags: ptr::null(),
    };

    /// A map of sockets whose values have eight octets: of those the kernel tells the controller which sockets they are.
    /// The library's have four.
    #[repr(C)]
    struct Sockets {
        r#type: *const [i32; BPF_MAP_TYPE_SOCKMAP as usize],
        key: *const u32,
        value: *const u64,
        max_entries: *const [i32; ROWS],
        map_flags: *const [i32; 0],
    }

    // SAFETY: the fields are for the loader to read; nobody follows them.
    unsafe impl Sync for Sockets {}

    /// Hands a call to the socket it is for.
    #[sk_lookup]
    pub fn ssa_lookup(context: SkLookupContext) -> u32 {
        if let Some(call) = call(context.lookup)
            && let Some(place) = lookup::find(&call, |place| LOOKUPS.get(place))
        {
            hand(context.lookup, place);
        }
        PASS
    }

    #[inline(always)]
    fn call(context: *const bpf_sk_lookup) -> Option<Call> {
        // SAFETY: the kernel gives a whole context. It takes loads of four octets alone, which the compiler would join if
        // they were not volatile.
        let (family, protocol, port, address) = unsafe {
            let address = &raw const (*context).local_ip6;
            (
                (&raw const (*context).family).read_volatile(),
                (&raw const (*context).protocol).read_volatile(),
                (&raw const (*context).local_port).read_volatile(),
                [0, 1, 2, 3].map(|word| u64::from(u32::from_be((*address).as_ptr().add(word).read_volatile()))),
            )
        };
        let [a, b, c, d] = address;
        (family == IPV6).then_some(Call { address: Words { hi: a << 32 | b, lo: c << 32 | d }, protocol, port })
    }

    /// A socket that its process has closed is no longer in the map: then nothing is chosen.
    #[inline(always)]
    fn hand(context: *mut bpf_sk_lookup, place: u32) {
        // SAFETY: the map is one, and the key is as long as its keys.
        let socket = unsafe { bpf_map_lookup_elem((&raw const SOCKETS).cast_mut().cast(), (&raw const place).cast()) };
        if socket.is_null() {
            return;
        }
        // SAFETY: the map lends a socket until it is released. One that is not good for this call is refused, and the
        // kernel looks on.
        unsafe {
            bpf_sk_assign(context.cast(), socket, 0);
            bpf_sk_release(socket);
        }
    }
}
