//! A rate in; frames that do not conform, in bursts at that rate while something else is done, out.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Instant,
};

use anyhow::{Context as _, Result};
use aya::maps::{Array, MapData};
use etherparse::PacketBuilder;

use super::{
    pace,
    site::{PREFIX, Site},
    talk::Seen,
};
use crate::{
    bench::{
        cores::{Urgent, hurry},
        live::Live,
        program::Program,
    },
    net::StopAtEnd,
};

/// Frames of a burst: so many does a driver take at a time, as one interrupt stands for them.
const BURST: u16 = 64;
/// Frames that are made, sent or not, before anybody looks whether to stop.
const LOOK_EVERY: u32 = 1 << 20;
/// The kernel takes its time to end a test run. Meanwhile the next one sends.
const SENDERS: usize = 2;

/// What came of a flood.
pub(super) struct Flooded {
    pub(super) seen: Seen,
    /// Frames sent, and in a second.
    pub(super) sent: u64,
    pub(super) rate: f64,
}

/// Floods the host at `rate` frames a second while `work` is done. A rate of 0 is as much work for the flooder's core,
/// but no frame leaves.
pub(super) fn during(site: &Site, rate: u32, work: impl FnOnce() -> Result<Seen>) -> Result<Flooded> {
    let mut program = Program::xdp(&pace::code(rate, BURST))?;
    let memory = program.take_state()?;
    let program = &*program.as_xdp()?;
    let live = Live::new(frame(site)?, site.at_client.index)?;
    let (stop, ready) = (AtomicBool::new(false), Barrier::new(SENDERS + 1));
    let send = || -> Result<()> {
        while !stop.load(Ordering::Relaxed) {
            live.send(program, LOOK_EVERY, BURST.into())?;
        }
        Ok(())
    };
    let sender = || {
        let hurried = hurry(None, site.cores[0], Urgent::Flood);
        // Whoever fails lets the others begin.
        ready.wait();
        hurried?;
        // The thread in there is as urgent as the one that makes it.
        site.client.enter(send)?
    };
    thread::scope(|scope| {
        let senders = [(); SENDERS].map(|()| scope.spawn(sender));
        let stopped = StopAtEnd(&stop);
        ready.wait();
        let begun = Instant::now();
        let result = work();
        let (during, taken) = (sent(&memory), begun.elapsed());
        drop(stopped);
        for sender in senders {
            sender.join().expect("a sender does not panic")?;
        }
        #[expect(clippy::cast_precision_loss, reason = "there are some hundred thousand frames")]
        let rate = during? as f64 / taken.as_secs_f64();
        Ok(Flooded { seen: result?, sent: sent(&memory)?, rate })
    })
}

fn sent(memory: &Array<MapData, [u64; 3]>) -> Result<u64> {
    let [_, _, sent] = memory.get(&0, 0).context("the flood does not count")?;
    Ok(sent)
}

/// A UDP packet to an address that the rule does not give its source, and to no socket.
fn frame(site: &Site) -> Result<Vec<u8>> {
    let source = [0x20, 1, 0xd, 0xb8, 0xf0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10];
    let mut destination = PREFIX.octets();
    destination[8..].copy_from_slice(&[0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0]);
    let builder =
        PacketBuilder::ethernet2(site.at_client.mac, site.at_host.mac).ipv6(source, destination, 64).udp(40_000, 443);
    let mut frame = Vec::new();
    builder.write(&mut frame, &[0x5a; 24]).context("a frame cannot be written")?;
    Ok(frame)
}
