//! What a rule says of a pair, part by part, and the digests that take long.

use core::hint::black_box;

use ssa_common::{
    bits::Words,
    judge::{At, Part, judge_part},
    rule::{Pair, epoch::Window, mac::Message},
    sha256::{self, Block},
    verdict::Reason,
};

use crate::{clock::Jiffies, maps::Kernel};

/// [`judge_part`].
#[inline(always)]
pub fn part(part: Part, at: At, pair: Pair) -> Reason {
    let case = u64::from(at.slot) | u64::from(at.previous) << 32 | u64::from(at.window == Window::Past) << 33;
    let Pair { source, destination } = pair;
    let part = match part {
        Part::Fields => ssa_fields,
        Part::Macs => ssa_macs,
        Part::Pows => ssa_pows,
    };
    reason(part(case, source.hi, source.lo, destination.hi, destination.lo))
}

macro_rules! part {
    ($name:ident, $part:expr) => {
        #[unsafe(no_mangle)]
        #[inline(never)]
        extern "C" fn $name(case: u64, source_hi: u64, source_lo: u64, to_hi: u64, to_lo: u64) -> u32 {
            let at = At {
                slot: case as u32,
                previous: case >> 32 & 1 != 0,
                window: if case >> 33 & 1 != 0 { Window::Past } else { Window::Now },
            };
            // Seen as used: the compiler leaves an argument that nobody uses unset, and the verifier refuses the call.
            let source = Words { hi: source_hi, lo: black_box(source_lo) };
            let pair = Pair { source, destination: Words { hi: to_hi, lo: to_lo } };
            judge_part(&Kernel, $part, at, pair, &Jiffies) as u32
        }
    };
}

part!(ssa_fields, Part::Fields);
part!(ssa_macs, Part::Macs);
part!(ssa_pows, Part::Pows);

/// [`Message::holds`].
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ssa_mac(message: *const Message) -> u32 {
    // SAFETY: the verifier lets a caller pass only a whole message or null.
    u32::from(unsafe { message.as_ref() }.is_some_and(Message::holds))
}

/// [`sha256::first_bits`].
#[unsafe(no_mangle)]
#[inline(never)]
pub extern "C" fn ssa_sha256(block: *mut Block) -> u64 {
    // SAFETY: the verifier lets a caller pass only a whole block or null.
    unsafe { block.as_mut() }.map_or(u64::MAX, sha256::first_bits)
}

/// A reason that came back as its number.
#[inline(always)]
pub(super) fn reason(number: u32) -> Reason {
    // A row of comparisons and no table: the verifier knows nothing of the number's range.
    let mut index = 0;
    while index < Reason::ALL.len() - 1 {
        if number == Reason::ALL[index] as u32 {
            return Reason::ALL[index];
        }
        index += 1;
    }
    Reason::Malformed
}
