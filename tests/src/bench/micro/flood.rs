//! A program in; one before it that gives each frame other addresses, so that a test run is a flood, out.
//!
//! A test run repeats one frame. What a program writes to it stays, and so the frame itself holds the state of a
//! generator of random numbers (xorshift64), from which each run draws its addresses.

use anyhow::Result;
use aya::{
    maps::{MapData, ProgramArray},
    programs::ProgramFd,
};

use super::ahead::{Ahead, DATA};
use crate::bench::instruction::{Op, R, Size, load, store, with, with_number};

/// Where things are in a frame without tags.
const SOURCE: i16 = 22;
const DESTINATION: i16 = 38;
/// In the octets of a datagram.
const STATE: i16 = 70;
const OCTETS: i32 = 86;

const SCRATCH: R = R(0);
const RANDOM: R = R(5);
const MORE: R = R(7);

/// What is random.
///
/// The rule is `src(16):32 any:*` on prefixes of 64 bits. Of the source all but its first 16 bits is random; of the
/// destination what follows the rule's field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flood {
    /// Of the last 16 bits of the service's prefix those that are random.
    pub(super) services: u16,
    /// Whether the destinations follow the rule, or all do not.
    pub(super) conforming: bool,
}

impl Flood {
    /// A program that draws addresses and goes on in `program`, and what must be held as long as it runs.
    pub(super) fn before(self, program: &ProgramFd) -> Result<(ProgramFd, ProgramArray<MapData>)> {
        Ahead { moved: None, octets: OCTETS, body: self.body() }.of(program)
    }

    /// Numbers are in the order that the frame has them, whatever the machine's.
    fn body(self) -> Vec<u64> {
        let services = i32::from(u16::from_ne_bytes(self.services.to_be_bytes()));
        let off = i32::from(!self.conforming);
        let mut body = vec![load(Size::Double, RANDOM, DATA, STATE)];
        for (op, bits) in [(Op::ShiftLeft, 13), (Op::ShiftRight, 7), (Op::ShiftLeft, 17)] {
            body.extend([
                with(Op::Move, SCRATCH, RANDOM),
                with_number(op, SCRATCH, bits),
                with(Op::Xor, RANDOM, SCRATCH),
            ]);
        }
        body.extend([
            store(Size::Double, DATA, STATE, RANDOM),
            with(Op::Move, MORE, RANDOM),
            with_number(Op::Mul, MORE, 0x5851_f42d),
            // The source: 32 bits that the rule looks at, 16, and its interface identifier.
            store(Size::Word, DATA, SOURCE + 2, RANDOM),
            store(Size::Half, DATA, SOURCE + 6, MORE),
            store(Size::Double, DATA, SOURCE + 8, MORE),
            // The destination: the rule's field, and what may be anything.
            with(Op::Move, SCRATCH, RANDOM),
            with_number(Op::Xor, SCRATCH, off),
            store(Size::Word, DATA, DESTINATION + 8, SCRATCH),
            with_number(Op::ShiftRight, MORE, 32),
            store(Size::Word, DATA, DESTINATION + 12, MORE),
            // The service.
            with_number(Op::ShiftRight, RANDOM, 40),
            with_number(Op::And, RANDOM, services),
            store(Size::Half, DATA, DESTINATION + 6, RANDOM),
        ]);
        body
    }
}
