//! The few `bpf(2)` calls that the library has not: arguments in, what the kernel answers out.
//! Length: what is unsafe stands in one file.

use std::{
    ffi::CString,
    io,
    os::{
        fd::{AsFd, AsRawFd, FromRawFd, OwnedFd},
        unix::ffi::OsStrExt,
    },
    path::Path,
    sync::atomic::AtomicU64,
};

use aya_obj::generated::{bpf_attach_type, bpf_attr, bpf_cmd, bpf_insn, bpf_link_info, bpf_map_info, bpf_prog_type};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// `BPF_F_RDONLY` of `BPF_OBJ_GET`.
const READ_ONLY: u32 = 1 << 3;
/// `BPF_F_REPLACE` of `BPF_LINK_UPDATE`.
const REPLACE: u32 = 1 << 2;

#[expect(clippy::cast_possible_truncation, reason = "an attribute has some hundred octets")]
fn bpf(command: bpf_cmd, attr: &mut bpf_attr) -> io::Result<i32> {
    // SAFETY: the attribute is whole, and what it points to outlives the call: every caller here borrows it.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attr), size_of::<bpf_attr>() as u32) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result as i32) }
}

fn zeroed() -> bpf_attr {
    // SAFETY: a union of plain numbers, for which the kernel wants zeros where nothing is said.
    unsafe { std::mem::zeroed() }
}

fn owned(descriptor: i32) -> OwnedFd {
    // SAFETY: the kernel has just made this descriptor for us.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

/// Borrowed: a descriptor that is given away is closed before the call.
fn raw(descriptor: &impl AsFd) -> u32 {
    descriptor.as_fd().as_raw_fd().unsigned_abs()
}

fn c_path(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(io::Error::other)
}

/// Opens what is pinned at `path`; a map, if asked, for reading alone.
pub(super) fn open_pin(path: &Path, read_only: bool) -> io::Result<OwnedFd> {
    let path = c_path(path)?;
    let mut attr = zeroed();
    // SAFETY: this field of the union is the one the command reads.
    let pin = unsafe { &mut attr.__bindgen_anon_4 };
    pin.pathname = path.as_ptr() as u64;
    pin.file_flags = if read_only { READ_ONLY } else { 0 };
    bpf(bpf_cmd::BPF_OBJ_GET, &mut attr).map(owned)
}

/// Pins an object at `path`.
pub(super) fn pin(object: impl AsFd, path: &Path) -> io::Result<()> {
    let path = c_path(path)?;
    let mut attr = zeroed();
    // SAFETY: this field of the union is the one the command reads.
    let pin = unsafe { &mut attr.__bindgen_anon_4 };
    pin.pathname = path.as_ptr() as u64;
    pin.bpf_fd = raw(&object);
    bpf(bpf_cmd::BPF_OBJ_PIN, &mut attr).map(drop)
}

/// Attaches an XDP program to an interface with `XDP_FLAGS_*`; the link detaches when nobody holds it.
pub(super) fn link(program: impl AsFd, interface: u32, flags: u32) -> io::Result<OwnedFd> {
    link_to(program, interface, bpf_attach_type::BPF_XDP, flags)
}

/// Attaches a socket lookup program to a network namespace, behind those that are there (Linux 5.9).
pub(super) fn link_lookup(program: impl AsFd, namespace: impl AsFd) -> io::Result<OwnedFd> {
    link_to(program, raw(&namespace), bpf_attach_type::BPF_SK_LOOKUP, 0)
}

/// Attaches a program to the packets that come in by an interface, before those that are there (Linux 6.6).
pub(super) fn link_ingress(program: impl AsFd, interface: u32) -> io::Result<OwnedFd> {
    const BEFORE: u32 = 1 << 3;
    link_to(program, interface, bpf_attach_type::BPF_TCX_INGRESS, BEFORE)
}

/// Attaches a program to the calls of the programs of a cgroup, behind those that are there (Linux 5.7).
pub(super) fn link_cgroup(program: impl AsFd, cgroup: impl AsFd, kind: bpf_attach_type) -> io::Result<OwnedFd> {
    link_to(program, raw(&cgroup), kind, 0)
}

/// Attaches a program to a target: an interface by its number, or a descriptor.
fn link_to(program: impl AsFd, target: u32, kind: bpf_attach_type, flags: u32) -> io::Result<OwnedFd> {
    let mut attr = zeroed();
    attr.link_create.__bindgen_anon_1.prog_fd = raw(&program);
    // The number of an interface has the same place.
    attr.link_create.__bindgen_anon_2.target_fd = target;
    attr.link_create.attach_type = kind as u32;
    attr.link_create.flags = flags;
    bpf(bpf_cmd::BPF_LINK_CREATE, &mut attr).map(owned)
}

/// Puts `new` in the place of `old`, if that is what the link runs.
pub(super) fn replace(link: impl AsFd, old: impl AsFd, new: impl AsFd) -> io::Result<()> {
    let mut attr = zeroed();
    attr.link_update.link_fd = raw(&link);
    attr.link_update.__bindgen_anon_1.new_prog_fd = raw(&new);
    attr.link_update.__bindgen_anon_2.old_prog_fd = raw(&old);
    attr.link_update.flags = REPLACE;
    bpf(bpf_cmd::BPF_LINK_UPDATE, &mut attr).map(drop)
}

/// Detaches a link at once; it lives on and runs nothing (Linux 5.9).
pub(super) fn detach(link: impl AsFd) -> io::Result<()> {
    let mut attr = zeroed();
    attr.link_detach.link_fd = raw(&link);
    bpf(bpf_cmd::BPF_LINK_DETACH, &mut attr).map(drop)
}

/// Loads an XDP program that takes frames of several buffers.
pub(super) fn load_xdp(instructions: &[bpf_insn]) -> io::Result<OwnedFd> {
    const FRAGMENTS: u32 = 1 << 5;
    let mut attr = zeroed();
    // SAFETY: this field of the union is the one the command reads.
    let load = unsafe { &mut attr.__bindgen_anon_3 };
    load.prog_type = bpf_prog_type::BPF_PROG_TYPE_XDP as u32;
    load.expected_attach_type = bpf_attach_type::BPF_XDP as u32;
    load.prog_flags = FRAGMENTS;
    load.insns = instructions.as_ptr() as u64;
    load.insn_cnt = u32::try_from(instructions.len()).map_err(io::Error::other)?;
    load.license = c"Dual MIT/GPL".as_ptr() as u64;
    bpf(bpf_cmd::BPF_PROG_LOAD, &mut attr).map(owned)
}

/// Runs an XDP program on a frame as often as is said; `linear` octets of it in the linear part (Linux 6.18). The action of
/// the last run, and the mean nanoseconds of a run as the kernel cuts them.
pub(super) fn run(program: impl AsFd, frame: &[u8], linear: Option<u32>, times: u32) -> io::Result<(u32, u32)> {
    // `struct xdp_md`: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex.
    let context = linear.map(|linear| [0, linear, 0, 0, 0, 0]);
    let mut attr = zeroed();
    attr.test.prog_fd = raw(&program);
    attr.test.data_in = frame.as_ptr() as u64;
    attr.test.data_size_in = u32::try_from(frame.len()).map_err(io::Error::other)?;
    attr.test.repeat = times;
    if let Some(context) = &context {
        attr.test.ctx_in = context.as_ptr() as u64;
        attr.test.ctx_size_in = u32::try_from(size_of_val(context)).map_err(io::Error::other)?;
    }
    bpf(bpf_cmd::BPF_PROG_TEST_RUN, &mut attr)?;
    // SAFETY: `test` is the field that the command wrote.
    let test = unsafe { attr.test };
    Ok((test.retval, test.duration))
}

/// Writes consecutive elements of an array map.
pub(super) fn write_batch(map: impl AsFd, keys: &[u32], values: &[u8]) -> io::Result<()> {
    let mut attr = zeroed();
    attr.batch.keys = keys.as_ptr() as u64;
    attr.batch.values = values.as_ptr() as u64;
    attr.batch.count = u32::try_from(keys.len()).map_err(io::Error::other)?;
    attr.batch.map_fd = raw(&map);
    bpf(bpf_cmd::BPF_MAP_UPDATE_BATCH, &mut attr).map(drop)
}

/// Reads elements of an array map from `first` on, as many as `keys` has room for.
pub(super) fn read_batch(map: impl AsFd, first: u32, keys: &mut [u32], values: &mut [u8]) -> io::Result<()> {
    let before = first.wrapping_sub(1);
    let mut next = 0u32;
    let mut attr = zeroed();
    attr.batch.in_batch = if first == 0 { 0 } else { (&raw const before) as u64 };
    attr.batch.out_batch = (&raw mut next) as u64;
    attr.batch.keys = keys.as_mut_ptr() as u64;
    attr.batch.values = values.as_mut_ptr() as u64;
    attr.batch.count = u32::try_from(keys.len()).map_err(io::Error::other)?;
    attr.batch.map_fd = raw(&map);
    let result = bpf(bpf_cmd::BPF_MAP_LOOKUP_BATCH, &mut attr);
    // SAFETY: `batch` is the field that the command wrote.
    let count = unsafe { attr.batch.count } as usize;
    match result {
        // The end of the map, reached with all that was asked for.
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) && count == keys.len() => Ok(()),
        result => result.map(drop),
    }
}

/// Puts a socket into a map of sockets.
pub(super) fn put_socket(map: impl AsFd, place: u32, socket: impl AsFd) -> io::Result<()> {
    let value = u64::from(raw(&socket));
    element(map, place, (&raw const value) as u64, bpf_cmd::BPF_MAP_UPDATE_ELEM)
}

/// The cookie of the socket at a place of a map of sockets, if there is one (Linux 5.7).
pub(super) fn socket_at(map: impl AsFd, place: u32) -> io::Result<Option<u64>> {
    let mut cookie = 0u64;
    Ok(is_there(map, place, (&raw mut cookie) as u64)?.then_some(cookie))
}

/// Puts the length of a queue into a map of queues. Such a value goes on with the descriptor of a program, which is none;
/// older kernels do not read that far.
pub(super) fn put_length(map: impl AsFd, cpu: u32, length: u32) -> io::Result<()> {
    let value = [length, 0];
    element(map, cpu, (&raw const value) as u64, bpf_cmd::BPF_MAP_UPDATE_ELEM)
}

/// The length of the queue of a CPU, if there is one. As above, there may be more than the length.
pub(super) fn length_at(map: impl AsFd, cpu: u32) -> io::Result<Option<u32>> {
    let mut value = [0u32; 2];
    Ok(is_there(map, cpu, (&raw mut value) as u64)?.then_some(value[0]))
}

/// Removes what is at a key of a map.
pub(super) fn remove(map: impl AsFd, key: u32) -> io::Result<()> {
    element(map, key, 0, bpf_cmd::BPF_MAP_DELETE_ELEM)
}

/// Whether there is something at a key of a map. It is written to `value`, where there must be room for it.
fn is_there(map: impl AsFd, key: u32, value: u64) -> io::Result<bool> {
    match element(map, key, value, bpf_cmd::BPF_MAP_LOOKUP_ELEM) {
        Err(error) if error.raw_os_error() == Some(libc::ENOENT) => Ok(false),
        result => result.map(|()| true),
    }
}

fn element(map: impl AsFd, key: u32, value: u64, command: bpf_cmd) -> io::Result<()> {
    let mut attr = zeroed();
    // SAFETY: this field of the union is the one the command reads.
    let element = unsafe { &mut attr.__bindgen_anon_2 };
    element.map_fd = raw(&map);
    element.key = (&raw const key) as u64;
    element.__bindgen_anon_1.value = value;
    bpf(command, &mut attr).map(drop)
}

/// The memory of an array map. The kernel may read and write it meanwhile, a word at a time; whoever stores to what was
/// mapped for reading alone is killed by the kernel.
pub(super) struct Memory(&'static [AtomicU64]);

impl Memory {
    /// Maps so many octets of it, for reading alone or for writing too.
    pub(super) fn of(map: impl AsFd, octets: usize, read_only: bool) -> io::Result<Self> {
        let access = if read_only { ProtFlags::READ } else { ProtFlags::READ | ProtFlags::WRITE };
        // SAFETY: the kernel chooses a place that nothing else has.
        let start = unsafe { mmap(std::ptr::null_mut(), octets, access, MapFlags::SHARED, map, 0)? };
        // SAFETY: the mapping begins with a page and is so long. It stays until this is dropped, and nobody else is given
        // it for longer than that.
        Ok(Self(unsafe { std::slice::from_raw_parts(start.cast(), octets / size_of::<u64>()) }))
    }

    /// Its words.
    pub(super) const fn words(&self) -> &[AtomicU64] {
        self.0
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: this is the mapping that was made, and its words were lent for no longer than `self`.
        let unmapped = unsafe { munmap(self.0.as_ptr().cast_mut().cast(), size_of_val(self.0)) };
        debug_assert!(unmapped.is_ok(), "what was mapped can be unmapped");
    }
}

macro_rules! info {
    ($(#[$doc:meta])* $name:ident, $info:ty) => {
        $(#[$doc])*
        #[expect(clippy::cast_possible_truncation, reason = "an info has some hundred octets")]
        pub(super) fn $name(object: impl AsFd) -> io::Result<$info> {
            // SAFETY: plain numbers, which the kernel wants as zeros and fills in.
            let mut info: $info = unsafe { std::mem::zeroed() };
            let mut attr = zeroed();
            attr.info.bpf_fd = raw(&object);
            attr.info.info = (&raw mut info) as u64;
            attr.info.info_len = size_of::<$info>() as u32;
            bpf(bpf_cmd::BPF_OBJ_GET_INFO_BY_FD, &mut attr).map(|_| info)
        }
    };
}

info!(
    /// What the kernel says of a map.
    map_info,
    bpf_map_info
);
info!(
    /// What the kernel says of a link.
    link_info,
    bpf_link_info
);

/// What a link is attached to: for XDP the number of an interface, for a socket lookup that of a network namespace, in the
/// same place. 0 where that is gone.
pub(super) const fn interface_of(link: &bpf_link_info) -> u32 {
    // SAFETY: plain numbers; every bit pattern is one.
    unsafe { link.__bindgen_anon_1.xdp.ifindex }
}

/// The number of the cgroup that a link is attached to; 0 where that is gone.
pub(super) const fn cgroup_of(link: &bpf_link_info) -> u64 {
    // SAFETY: plain numbers; every bit pattern is one.
    unsafe { link.__bindgen_anon_1.cgroup.cgroup_id }
}

/// Waits until no program that began before this call still runs.
///
/// `membarrier` waits for an RCU grace period, and XDP programs run inside one.
pub(super) fn wait_for_readers() {
    const GLOBAL: libc::c_int = 1;
    // SAFETY: three numbers.
    if unsafe { libc::syscall(libc::SYS_membarrier, GLOBAL, 0, 0) } != 0 {
        // Refused where CPUs run without ticks. A program runs for microseconds.
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// The cookie of this network namespace, which no other ever has (Linux 5.14).
pub(super) fn netns_cookie() -> io::Result<u64> {
    const SO_NETNS_COOKIE: libc::c_int = 71;
    let socket = std::net::UdpSocket::bind("[::]:0").or_else(|_| std::net::UdpSocket::bind("0.0.0.0:0"))?;
    let mut cookie = 0u64;
    let mut length: libc::socklen_t = 8;
    // SAFETY: `cookie` has as many octets as `length` says.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut length,
        )
    };
    if result == 0 { Ok(cookie) } else { Err(io::Error::last_os_error()) }
}

/// Whether an interface takes VLAN tags off received frames before a program sees them (`ETHTOOL_GFLAGS`).
pub(super) fn strips_vlan_tags(interface: &str) -> io::Result<bool> {
    const GET_FLAGS: u32 = 0x25;
    const RX_VLAN: u32 = 1 << 8;
    let socket = std::net::UdpSocket::bind("[::]:0").or_else(|_| std::net::UdpSocket::bind("0.0.0.0:0"))?;
    // `struct ethtool_value`: the command, and where its answer goes.
    let mut value = [GET_FLAGS, 0];
    // SAFETY: plain numbers and a pointer, for which zeros are values.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    let name = CString::new(interface)?;
    for (to, from) in request.ifr_name.iter_mut().take(libc::IFNAMSIZ - 1).zip(name.as_bytes()) {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_data = value.as_mut_ptr().cast();
    // SAFETY: the request and the two words it points to live through the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCETHTOOL as _, &raw mut request) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(value[1] & RX_VLAN != 0) }
}
