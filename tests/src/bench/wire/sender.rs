//! A frame in; many of it onto a wire out, as fast as its receiver takes them.

use std::fs;

use anyhow::{Context as _, Result};

use crate::{
    bench::{cores::hold, live::Live, program::Program},
    net::Namespace,
};

/// `XDP_TX` of `linux/bpf.h`: in a test run, out of the interface that the frame is said to have come in by.
const XDP_TX: i32 = 3;
/// Frames of a batch: the most that the kernel takes, and what the ring of a veth holds.
pub(super) const BATCH: u32 = 256;

/// Sends live frames of a test run (Linux 5.18).
pub(super) struct Sender {
    program: Program,
    pub(super) namespace: Namespace,
    pub(super) core: usize,
}

impl Sender {
    /// A namespace to send from. It says nothing of its own accord: IPv6 is off there.
    pub(super) fn new(core: usize) -> Result<Self> {
        let namespace = Namespace::new("sender")?;
        let silence = || fs::write("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1");
        namespace.enter(silence)?.context("IPv6 cannot be switched off")?;
        Ok(Self { program: Program::answering(XDP_TX)?, namespace, core })
    }

    /// Sends batches of a frame out of an interface. The receiver interrupts after each, and none is lost.
    pub(super) fn send(&mut self, interface: u32, frame: &[u8], batches: u32) -> Result<()> {
        let live = Live::new(frame.to_vec(), interface)?;
        let (program, core) = (&*self.program.as_xdp()?, self.core);
        self.namespace.enter(|| {
            hold(None, core)?;
            live.send(program, batches * BATCH, BATCH)
        })?
    }
}
