//! Two ends of a wire and a tally in; UDP frames over all slices of its prefix onto the wire, as fast as they arrive, out.

use std::{error::Error, io, net::Ipv6Addr};

use anyhow::{Context as _, Result};
use aya::programs::{Xdp, XdpMode};
use etherparse::PacketBuilder;

use super::{
    instruction::{Op, R, Size, begin, leave, length, load, memory, number, skip_if_greater, store, with_number},
    live::Live,
    program::Program,
    tally::{ARRIVED, SENT, Tally},
};
use crate::net::Interface;

/// The hop limit that frames leave with.
pub const HOP_LIMIT: u8 = 64;
/// Frames that are on their way at a time: fewer than the ring of a veth holds, so that none is lost there.
pub const WINDOW: u16 = 192;
/// Frames of a batch.
const BATCH: u32 = 64;
/// `XDP_DROP` and `XDP_TX` of `linux/bpf.h`.
const DROP: i32 = 1;
const TRANSMIT: i32 = 3;
/// Where the 16 bits behind a /64 are in a frame.
const SLICE: i16 = 14 + 24 + 8;
/// What is written on the way, from the hardware addresses to the hop limit, lies within so many octets.
const WRITTEN: usize = 24;
/// Odd: the lower 16 bits of its multiples are each number once in 65,536.
const STEP: i32 = 0x9e37;

/// Makes frames, each to another slice than the one before, and all slices of up to 16 bits evenly.
pub struct Spray {
    program: Program,
    live: Live,
}

impl Spray {
    /// Frames that leave by `from` and are for `to`, from `source` to the tally's prefix.
    pub fn new(from: Interface, to: Interface, source: Ipv6Addr, tally: &Tally) -> Result<Self> {
        let (source, prefix) = (source.octets(), tally.prefix().octets());
        let builder = PacketBuilder::ethernet2(from.mac, to.mac).ipv6(source, prefix, HOP_LIMIT).udp(40_000, 443);
        let mut frame = Vec::new();
        builder.write(&mut frame, &[0x5a; 24]).context("a frame cannot be written")?;
        let program = Program::xdp(&code(&frame, tally))?;
        Ok(Self { program, live: Live::new(frame, from.index)? })
    }

    /// Makes ready what sends. In the namespace of the calling thread, loopback is given the program too: the kernel writes
    /// its dispatcher anew for a program that is on no interface, at both ends of each run, and that takes its time.
    pub fn nozzle(&mut self) -> Result<Nozzle<'_>> {
        let program = self.program.as_xdp()?;
        program.attach("lo", XdpMode::Skb).context("loopback takes no program")?;
        Ok(Nozzle { program, live: &self.live })
    }
}

/// What sends.
pub struct Nozzle<'a> {
    program: &'a Xdp,
    live: &'a Live,
}

impl Nozzle<'_> {
    /// Sends frames in the namespace of the calling thread, at most so many: none while [`WINDOW`] are on their way. A signal
    /// ends it early.
    pub fn send(&self, frames: u32) -> Result<()> {
        let interrupted = |cause: &(dyn Error + 'static)| {
            cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::Interrupted)
        };
        match self.live.send(self.program, frames, BATCH) {
            Err(error) if error.chain().any(interrupted) => Ok(()),
            sent => sent,
        }
    }
}

/// One more is sent, if not too many are on their way. Its memory may be that of one that has arrived.
fn code(frame: &[u8], tally: &Tally) -> Vec<u64> {
    const CONTEXT: R = R(1);
    const DATA: R = R(2);
    const END: R = R(3);
    const COUNT: R = R(4);
    const VALUE: R = R(5);
    const MOST: R = R(0);
    let [arrived, sent] = [ARRIVED, SENT].map(|offset| memory(COUNT, tally.descriptor(), offset));
    let words: &[[u8; 8]] = frame[..WRITTEN].as_chunks().0;
    let write = |(at, octets): (i16, &[u8; 8])| {
        let [a, b, c] = number(VALUE, u64::from_ne_bytes(*octets));
        [a, b, c, store(Size::Double, DATA, at, VALUE)]
    };
    let send = [
        &[
            with_number(Op::Add, VALUE, 1),
            store(Size::Double, COUNT, 0, VALUE),
            with_number(Op::Mul, VALUE, STEP),
            store(Size::Half, DATA, SLICE, VALUE),
        ],
        (0..).step_by(8).zip(words).flat_map(write).collect::<Vec<_>>().as_slice(),
        &leave(TRANSMIT),
    ]
    .concat();
    let within_the_window = [
        arrived.as_slice(),
        &[load(Size::Double, MOST, COUNT, 0), with_number(Op::Add, MOST, i32::from(WINDOW) - 1)],
        &sent,
        &[load(Size::Double, VALUE, COUNT, 0), skip_if_greater(VALUE, MOST, length(&send))],
        &send,
    ]
    .concat();
    let long_enough = begin(CONTEXT, 0, [DATA, END, VALUE], SLICE + 2, length(&within_the_window));
    [long_enough.as_slice(), &within_the_window, &leave(DROP)].concat()
}
