//! The programs of a client host: what a program of a cgroup calls in, the address that conforms out, and back.
//!
//! Programs and maps of their own. Who calls an anchor is sent to an address that the law writes for the socket's source, and
//! is told afterwards that it is the anchor that answers. What calls something else is left alone.
#![cfg_attr(target_arch = "bpf", no_std)]
#![cfg_attr(target_arch = "bpf", no_main)]

/// On the host there is nothing to run: the crate exists for the BPF target.
#[cfg(not(target_arch = "bpf"))]
fn main() {}

#[cfg(target_arch = "bpf")]
mod image;

#[cfg(target_arch = "bpf")]
mod program {
    use aya_ebpf::{
        bindings::{BPF_F_RDONLY_PROG, bpf_sock_addr},
        btf_maps::{Array, LruHashMap},
        helpers::generated::{bpf_bind, bpf_get_prandom_u32, bpf_get_socket_cookie, bpf_ktime_get_boot_ns},
        macros::{btf_map, cgroup_sock_addr},
        programs::SockAddrContext,
    };
    use ssa_common::{
        anchor::{self, Call},
        bits::Words,
        layout::{ANCHOR_ROWS, GIVEN_ADDRESSES},
        rows::{AnchorRow, CalledRow, ClientMetaRow, ClientRow, GivenKey},
        siphash::{Sip13, tail},
    };

    const READ_ONLY: usize = BPF_F_RDONLY_PROG as usize;
    const ROWS: usize = ANCHOR_ROWS as usize;
    const ADDRESSES: usize = GIVEN_ADDRESSES as usize;
    /// The call goes on.
    const ALLOW: i32 = 1;
    /// The call fails with `EPERM`.
    const DENY: i32 = 0;
    /// `AF_INET6`.
    const IPV6: u16 = 10;
    /// `-EINVAL` of a bind: the socket has a port already.
    const BOUND: i64 = -22;
    const SECOND: u64 = 1_000_000_000;

    /// The services, by the addresses under which programs know them.
    #[btf_map(name = "anchors")]
    static ANCHORS: Array<AnchorRow, ROWS, READ_ONLY> = Array::new();
    /// The clock, and the secret of datagram sockets.
    #[btf_map(name = "client")]
    static CLIENT: Array<ClientRow, 1, READ_ONLY> = Array::new();
    /// The anchors in whose place sockets were given addresses.
    #[btf_map(name = "given")]
    static GIVEN: LruHashMap<GivenKey, Words, ADDRESSES> = LruHashMap::new();
    /// What is called; for the controller alone.
    #[btf_map(name = "called")]
    static CALLED: Array<CalledRow, ROWS, READ_ONLY> = Array::new();
    /// What the maps are; for the controller alone.
    #[btf_map(name = "client_meta")]
    static CLIENT_META: Array<ClientMetaRow, 1, READ_ONLY> = Array::new();

    /// A socket connects: to a fresh address, from the source that it is computed from.
    #[cgroup_sock_addr(connect6)]
    pub fn ssa_connect6(context: SockAddrContext) -> i32 {
        let context = context.sock_addr;
        let Some((place, row)) = called(context) else { return ALLOW };
        let mut source = bound(context);
        if source.is_zero() {
            source = row.source;
            // What has a port and no address has the one that the kernel chooses, as it did when the row was written.
            if !source.is_zero() && ![0, BOUND].contains(&bind(context, source)) {
                return DENY;
            }
        }
        send(context, (place, row), source, |_| Words { hi: random(), lo: random() })
    }

    /// A datagram is sent by a socket that is not connected: to the same address as the one before it, as long as that
    /// conforms.
    #[cgroup_sock_addr(sendmsg6)]
    pub fn ssa_sendmsg6(context: SockAddrContext) -> i32 {
        let context = context.sock_addr;
        let (Some((place, row)), Some(client)) = (called(context), CLIENT.get(0)) else { return ALLOW };
        let mut source = sender(context);
        if source.is_zero() {
            source = row.source;
            if !source.is_zero() {
                put_sender(context, source);
            }
        }
        let socket = cookie(context);
        let drawn = |number: u64, half: u64| {
            let state = Sip13::resume(client.secret).word(socket).word(row.anchor.hi).word(row.anchor.lo);
            state.word(number << 1 | half).finish(0, tail(32))
        };
        send(context, (place, row), source, |number| Words { hi: drawn(number, 0), lo: drawn(number, 1) })
    }

    /// A datagram is received: from the anchor, if it was that which was called.
    #[cgroup_sock_addr(recvmsg6)]
    pub fn ssa_recvmsg6(context: SockAddrContext) -> i32 {
        give_back(context.sock_addr)
    }

    /// A socket is asked for its peer: the anchor, if it was that which was called.
    #[cgroup_sock_addr(getpeername6)]
    pub fn ssa_peername6(context: SockAddrContext) -> i32 {
        give_back(context.sock_addr)
    }

    // The two functions that follow are global ones: the verifier reads them once, and not on every path to them.

    /// One more than the place of an anchor; 0: there is none.
    #[unsafe(no_mangle)]
    #[inline(never)]
    extern "C" fn ssa_anchor(hi: u64, lo: u64) -> u32 {
        anchor::find(Words { hi, lo }, |place| ANCHORS.get(place)).map_or(0, |place| place + 1)
    }

    /// [`anchor::step`]; 1 if the next may follow.
    #[unsafe(no_mangle)]
    #[inline(never)]
    extern "C" fn ssa_step(call: *mut Call, number: u32) -> u32 {
        // SAFETY: the verifier lets a caller pass only a whole call or null.
        let Some(call) = (unsafe { call.as_mut() }) else { return 0 };
        ANCHORS.get(call.place as u32).map_or(0, |row| u32::from(anchor::step(row, call, number, now())))
    }

    #[inline(always)]
    fn called(context: *mut bpf_sock_addr) -> Option<(u32, &'static AnchorRow)> {
        let Words { hi, lo } = address(context);
        let place = ssa_anchor(hi, lo).checked_sub(1)?;
        Some((place, ANCHORS.get(place)?))
    }

    /// Puts the address that conforms into the place of the anchor.
    #[inline(always)]
    fn send(
        context: *mut bpf_sock_addr,
        (place, row): (u32, &AnchorRow),
        source: Words,
        draw: impl Fn(u64) -> Words,
    ) -> i32 {
        let step = |call: &mut Call, number| ssa_step(call, number) != 0;
        let Some(address) = anchor::address(place, source, draw, step) else { return DENY };
        let key = GivenKey { socket: cookie(context), address };
        if GIVEN.get_ptr(&key).is_none() {
            // Who finds no room is told the address and not the anchor.
            let _ = GIVEN.insert(&key, &row.anchor, 0);
        }
        put_address(context, address);
        ALLOW
    }

    #[inline(always)]
    fn give_back(context: *mut bpf_sock_addr) -> i32 {
        let key = GivenKey { socket: cookie(context), address: address(context) };
        if let Some(anchor) = GIVEN.get_ptr(&key) {
            // SAFETY: a row that becomes another socket's meanwhile holds an anchor too, and one is written once.
            put_address(context, unsafe { *anchor });
        }
        // The kernel takes no other answer.
        ALLOW
    }

    /// Unix seconds.
    #[inline(always)]
    fn now() -> u64 {
        // SAFETY: no arguments.
        let since_boot = unsafe { bpf_ktime_get_boot_ns() };
        CLIENT.get(0).map_or(0, |client| since_boot.wrapping_add(client.offset) / SECOND)
    }

    #[inline(always)]
    fn random() -> u64 {
        // SAFETY: no arguments.
        unsafe { u64::from(bpf_get_prandom_u32()) << 32 | u64::from(bpf_get_prandom_u32()) }
    }

    #[inline(always)]
    fn cookie(context: *mut bpf_sock_addr) -> u64 {
        // SAFETY: the kernel gives a whole context.
        unsafe { bpf_get_socket_cookie(context.cast()) }
    }

    /// Binds the socket to an address and no port; what the kernel says of it.
    #[inline(always)]
    fn bind(context: *mut bpf_sock_addr, address: Words) -> i64 {
        /// `struct sockaddr_in6`, in words that fill it.
        #[repr(C)]
        struct Address {
            family: u16,
            port: u16,
            flow: u32,
            address: [u32; 4],
            scope: u32,
        }
        let mut address = Address { family: IPV6, port: 0, flow: 0, address: split(address), scope: 0 };
        // SAFETY: the kernel reads as many octets as it is told, and all of them are written.
        unsafe { bpf_bind(context, (&raw mut address).cast(), size_of::<Address>() as i32) }
    }

    /// The words of an address as the kernel has them.
    #[inline(always)]
    fn split(Words { hi, lo }: Words) -> [u32; 4] {
        [(hi >> 32) as u32, hi as u32, (lo >> 32) as u32, lo as u32].map(u32::to_be)
    }

    #[inline(always)]
    fn join(words: [u32; 4]) -> Words {
        let [a, b, c, d] = words.map(|word| u64::from(u32::from_be(word)));
        Words { hi: a << 32 | b, lo: c << 32 | d }
    }

    // The kernel takes loads and stores of four octets alone, which the compiler would join if they were not volatile.

    /// The address that is called, or that has answered.
    #[inline(always)]
    fn address(context: *const bpf_sock_addr) -> Words {
        // SAFETY: the kernel gives a whole context.
        join(unsafe {
            let words = (&raw const (*context).user_ip6).cast::<u32>();
            [0, 1, 2, 3].map(|word| words.add(word).read_volatile())
        })
    }

    #[inline(always)]
    fn put_address(context: *mut bpf_sock_addr, address: Words) {
        let [a, b, c, d] = split(address);
        // SAFETY: the kernel gives a whole context, and these words may be written.
        unsafe {
            let words = (&raw mut (*context).user_ip6).cast::<u32>();
            words.write_volatile(a);
            words.add(1).write_volatile(b);
            words.add(2).write_volatile(c);
            words.add(3).write_volatile(d);
        }
    }

    /// The address that the socket is bound to; zeros if to none.
    #[inline(always)]
    fn bound(context: *const bpf_sock_addr) -> Words {
        // SAFETY: the kernel gives a whole context, and a socket with it.
        join(unsafe {
            let socket = (&raw const (*context).__bindgen_anon_1.sk).read_volatile();
            let words = (&raw const (*socket).src_ip6).cast::<u32>();
            [0, 1, 2, 3].map(|word| words.add(word).read_volatile())
        })
    }

    /// The address that a datagram is sent from; zeros where the kernel is to choose it.
    #[inline(always)]
    fn sender(context: *const bpf_sock_addr) -> Words {
        // SAFETY: the kernel gives a whole context.
        join(unsafe {
            let words = (&raw const (*context).msg_src_ip6).cast::<u32>();
            [0, 1, 2, 3].map(|word| words.add(word).read_volatile())
        })
    }

    #[inline(always)]
    fn put_sender(context: *mut bpf_sock_addr, address: Words) {
        let [a, b, c, d] = split(address);
        // SAFETY: the kernel gives a whole context, and these words may be written.
        unsafe {
            let words = (&raw mut (*context).msg_src_ip6).cast::<u32>();
            words.write_volatile(a);
            words.add(1).write_volatile(b);
            words.add(2).write_volatile(c);
            words.add(3).write_volatile(d);
        }
    }
}
