//! Time in; the moments to look at, one after the other, out, until somebody interrupts.

use std::{io, time::Duration};

use tokio::{runtime::Runtime, time::sleep};

use super::end::End;

/// How often is looked.
const INTERVAL: Duration = Duration::from_millis(100);

/// Waits for the next look. What is asked of the kernel between two of them needs the thread for itself.
pub(super) struct Pause {
    runtime: Runtime,
    end: End,
}

impl Pause {
    pub(super) fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let end = {
            let _entered = runtime.enter();
            End::new()?
        };
        Ok(Self { runtime, end })
    }

    /// Whether it is time to look; if not, somebody wants an end.
    pub(super) fn wait(&mut self) -> bool {
        let Self { runtime, end } = self;
        runtime.block_on(async {
            tokio::select! {
                biased;
                () = end.wanted() => false,
                () = sleep(INTERVAL) => true,
            }
        })
    }
}
