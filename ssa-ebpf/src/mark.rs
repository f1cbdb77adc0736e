//! The program that marks packets: a packet with what the filter wrote in front of its frame in, its mark and its priority out.
//!
//! A program of its own, without maps: it stands where packets of an interface come in, and the filter is loaded without it.
//! Whatever it finds, the programs behind it are asked as if it were not there.
#![cfg_attr(target_arch = "bpf", no_std)]
#![cfg_attr(target_arch = "bpf", no_main)]

/// On the host there is nothing to run: the crate exists for the BPF target.
#[cfg(not(target_arch = "bpf"))]
fn main() {}

#[cfg(target_arch = "bpf")]
mod image;

#[cfg(target_arch = "bpf")]
mod program {
    use aya_ebpf::{bindings::__sk_buff, macros::classifier, programs::TcContext};
    use ssa_common::{layout::MARK_MAGIC, rows::MarkRow};

    /// `TCX_NEXT` of `enum tcx_action_base`: the next program is asked.
    const NEXT: i32 = -1;

    /// Marks a packet, if the filter said so.
    #[classifier]
    pub fn ssa_mark(context: TcContext) -> i32 {
        mark(context.skb.skb);
        NEXT
    }

    #[inline(always)]
    fn mark(packet: *mut __sk_buff) {
        // SAFETY: the kernel gives a whole context, and the bounds are compared before anything is read.
        unsafe {
            let found: *const MarkRow = (*packet).data_meta as usize as *const MarkRow;
            if found.wrapping_add(1) as usize > (*packet).data as usize {
                return;
            }
            let MarkRow { magic, mark, priority } = found.read_unaligned();
            if magic == MARK_MAGIC {
                (*packet).mark = mark;
                if priority != 0 {
                    (*packet).priority = priority;
                }
            }
        }
    }
}
