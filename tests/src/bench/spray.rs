//! Two ends of a wire and a prefix in; UDP frames over all its slices onto the wire, as fast as they are made, out.

use std::net::Ipv6Addr;

use anyhow::{Context as _, Result, ensure};
use aya::programs::{TestRun as _, TestRunAttrs, TestRunOptions, Xdp, XdpMode};
use etherparse::PacketBuilder;

use super::{
    instruction::{Op, R, Size, leave, load, place, skip_if_greater, store, with, with_number},
    program::Program,
};
use crate::net::Interface;

/// `XDP_DROP` and `XDP_TX` of `linux/bpf.h`.
const DROP: i32 = 1;
const TRANSMIT: i32 = 3;
/// Where the 16 bits behind a /64 are in a frame.
const SLICE: i16 = 14 + 24 + 8;
/// Odd: the lower 16 bits of its multiples are each number once in 65,536.
const STEP: i32 = 0x9e37;
/// Frames that are sent at a time: the most that the kernel takes. It would make more of the same memory, with what became
/// of the first on their way.
pub const MOST: u32 = 256;

/// Makes frames, each to another slice than the one before, and all slices of up to 16 bits evenly.
pub struct Spray {
    program: Program,
    frame: Vec<u8>,
    context: Vec<u8>,
}

impl Spray {
    /// Frames that leave by `from` and are for `to`, from `source` to a /64 prefix.
    pub fn new(from: Interface, to: Interface, source: Ipv6Addr, prefix: Ipv6Addr) -> Result<Self> {
        let builder = PacketBuilder::ethernet2(from.mac, to.mac).ipv6(source.octets(), prefix.octets(), 64);
        let mut frame = Vec::new();
        builder.udp(40_000, 443).write(&mut frame, &[0x5a; 24]).context("a frame cannot be written")?;
        let length = u32::try_from(frame.len()).context("a frame is short")?;
        // `struct xdp_md`: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex.
        let context = [0, length, 0, from.index, 0, 0].into_iter().flat_map(u32::to_ne_bytes).collect();
        Ok(Self { program: Program::xdp(&code())?, frame, context })
    }

    /// Makes ready what several threads may send with. In the namespace of the calling thread, loopback is given the program
    /// too: the kernel writes its dispatcher anew for a program that is on no interface, at both ends of each run, and that
    /// takes longer than the run.
    pub fn nozzle(&mut self) -> Result<Nozzle<'_>> {
        let program = self.program.as_xdp()?;
        program.attach("lo", XdpMode::Skb).context("loopback takes no program")?;
        Ok(Nozzle { program, frame: &self.frame, context: &self.context })
    }
}

/// What sends.
pub struct Nozzle<'a> {
    program: &'a Xdp,
    frame: &'a [u8],
    context: &'a [u8],
}

impl Nozzle<'_> {
    /// Sends so many frames, up to [`MOST`], in the namespace of the calling thread (Linux 5.18).
    pub fn send(&self, frames: u32) -> Result<()> {
        ensure!(frames <= MOST, "{frames} frames at a time");
        let options = TestRunOptions {
            data_in: Some(self.frame),
            ctx_in: Some(self.context),
            repeat: frames,
            attrs: TestRunAttrs::new().xdp_live_frames(frames),
            ..TestRunOptions::new()
        };
        self.program.test_run(options).map(drop).context("the kernel sends no live frames")
    }
}

fn code() -> Vec<u64> {
    const CONTEXT: R = R(1);
    const DATA: R = R(2);
    const END: R = R(3);
    const STATE: R = R(4);
    const VALUE: R = R(5);
    const NEEDED: R = R(0);
    let [state, rest] = place(STATE);
    let count = [
        load(Size::Word, DATA, CONTEXT, 0),
        load(Size::Word, END, CONTEXT, 4),
        with(Op::Move, NEEDED, DATA),
        with_number(Op::Add, NEEDED, (SLICE + 2).into()),
        skip_if_greater(NEEDED, END, 9),
        state,
        rest,
        load(Size::Double, VALUE, STATE, 0),
        with_number(Op::Add, VALUE, 1),
        store(Size::Double, STATE, 0, VALUE),
        with_number(Op::Mul, VALUE, STEP),
        store(Size::Half, DATA, SLICE, VALUE),
    ];
    [count.as_slice(), &leave(TRANSMIT), &leave(DROP)].concat()
}
