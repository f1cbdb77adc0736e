//! Instructions, programs and frames in; loaded programs and their answers out, by the few `bpf(2)` calls this takes.

use std::{
    io,
    os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
};

use aya_obj::generated::{bpf_attach_type, bpf_attr, bpf_cmd, bpf_map_type, bpf_prog_type};

/// `linux/bpf.h`: the program takes frames of several buffers, as the filter does.
const F_XDP_HAS_FRAGS: u32 = 1 << 5;

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

fn raw(descriptor: BorrowedFd<'_>) -> u32 {
    descriptor.as_raw_fd().unsigned_abs()
}

fn length(of: usize) -> io::Result<u32> {
    u32::try_from(of).map_err(io::Error::other)
}

/// Loads an XDP program as the library loads the filter.
pub(super) fn load(instructions: &[u64]) -> io::Result<OwnedFd> {
    let mut attr = zeroed();
    // SAFETY: this field of the union is the one the command reads.
    let load = unsafe { &mut attr.__bindgen_anon_3 };
    load.prog_type = bpf_prog_type::BPF_PROG_TYPE_XDP as u32;
    load.expected_attach_type = bpf_attach_type::BPF_XDP as u32;
    load.insns = instructions.as_ptr() as u64;
    load.insn_cnt = length(instructions.len())?;
    load.license = c"Dual MIT/GPL".as_ptr() as u64;
    load.prog_flags = F_XDP_HAS_FRAGS;
    bpf(bpf_cmd::BPF_PROG_LOAD, &mut attr).map(owned)
}

/// A map for tail calls with room for one program.
pub(super) fn program_slot() -> io::Result<OwnedFd> {
    let mut attr = zeroed();
    // SAFETY: this field of the union is the one the command reads.
    let create = unsafe { &mut attr.__bindgen_anon_1 };
    create.map_type = bpf_map_type::BPF_MAP_TYPE_PROG_ARRAY as u32;
    create.key_size = 4;
    create.value_size = 4;
    create.max_entries = 1;
    bpf(bpf_cmd::BPF_MAP_CREATE, &mut attr).map(owned)
}

/// Puts a program into such a map. The kernel forgets it there when nobody holds the map.
pub(super) fn fill_slot(slot: &OwnedFd, program: BorrowedFd<'_>) -> io::Result<()> {
    let (key, value) = (0u32, raw(program));
    let mut attr = zeroed();
    // SAFETY: this field of the union is the one the command reads.
    let update = unsafe { &mut attr.__bindgen_anon_2 };
    update.map_fd = raw(slot.as_fd());
    update.key = (&raw const key) as u64;
    update.__bindgen_anon_1.value = (&raw const value) as u64;
    bpf(bpf_cmd::BPF_MAP_UPDATE_ELEM, &mut attr).map(drop)
}

/// What the kernel says of a test run.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ran {
    /// What the last run came to.
    pub(super) action: u32,
    /// The mean time of a run, cut to whole nanoseconds.
    pub(super) nanos: u32,
}

/// Runs a program so many times on one frame. It may have `linear` octets in the linear part (Linux 6.18). What one run
/// writes to the frame, the next one reads.
pub(super) fn test_run(program: &OwnedFd, frame: &[u8], linear: Option<u32>, repeat: u32) -> io::Result<Ran> {
    // `struct xdp_md`: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex.
    let context = linear.map(|linear| [0, linear, 0, 0, 0, 0]);
    let mut attr = zeroed();
    attr.test.prog_fd = raw(program.as_fd());
    attr.test.data_in = frame.as_ptr() as u64;
    attr.test.data_size_in = length(frame.len())?;
    attr.test.repeat = repeat;
    if let Some(context) = &context {
        attr.test.ctx_in = context.as_ptr() as u64;
        attr.test.ctx_size_in = length(size_of_val(context))?;
    }
    bpf(bpf_cmd::BPF_PROG_TEST_RUN, &mut attr)?;
    // SAFETY: `test` is the field that the command wrote.
    let test = unsafe { attr.test };
    Ok(Ran { action: test.retval, nanos: test.duration })
}
