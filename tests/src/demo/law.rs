//! A config file in; what the host's own law says of a frame out: the same functions that the program is made of.

use std::path::Path;

use anyhow::{Result, anyhow};
use ssa_common::{judge, rule::epoch::Fixed, verdict::Reason};
use ssa_ctl::{config, failure::Failure, plan::tables::Tables};

/// The law of one config.
pub(super) struct Law(Tables);

impl Law {
    pub(super) fn read(config: &Path) -> Result<Self> {
        let load = || -> Result<Tables, Failure> {
            let checked = config::read(config)?;
            let rings = checked.load_keys()?;
            // One tick a second: the time is asked in seconds.
            Ok(Tables::compile(&checked.config, &rings, 1)?)
        };
        load().map(Self).map_err(|failure| failure.error.context(anyhow!("{} is no config", config.display())))
    }

    /// What becomes of a frame that comes in at `time`, in Unix seconds.
    pub(super) fn reason(&self, frame: &[u8], time: u64) -> Reason {
        judge::judge(&frame, &self.0, &Fixed(time)).verdict().reason
    }
}
