//! A frame and an interface in; many of it out there, as a program lets them go (Linux 5.18).

use anyhow::{Context as _, Result};
use aya::programs::{TestRun as _, TestRunAttrs, TestRunOptions, Xdp};

/// A frame that is to leave by an interface: what the program of a test run answers with `XDP_TX`.
pub(super) struct Live {
    frame: Vec<u8>,
    context: Vec<u8>,
}

impl Live {
    /// The interface is the one of this number in the namespace that it is sent from.
    pub(super) fn new(frame: Vec<u8>, interface: u32) -> Result<Self> {
        let length = u32::try_from(frame.len()).context("a frame is short")?;
        // `struct xdp_md`: data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex.
        let context = [0, length, 0, interface, 0, 0].into_iter().flat_map(u32::to_ne_bytes).collect();
        Ok(Self { frame, context })
    }

    /// Asks the program about so many, which go in batches of up to 256; from the namespace of the calling thread.
    ///
    /// The kernel makes frames of the memory of those that have arrived, with all that was written to them on the way.
    pub(super) fn send(&self, program: &Xdp, frames: u32, batch: u32) -> Result<()> {
        let options = TestRunOptions {
            data_in: Some(&self.frame),
            ctx_in: Some(&self.context),
            repeat: frames,
            attrs: TestRunAttrs::new().xdp_live_frames(batch),
            ..TestRunOptions::new()
        };
        program.test_run(options).map(drop).context("the kernel sends no live frames")
    }
}
