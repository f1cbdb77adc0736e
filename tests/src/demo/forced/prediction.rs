//! A config and a number of bots in; what `ssa-ctl simulate` says that they do to each proxy out.

use std::{collections::BTreeMap, path::Path};

use anyhow::Result;
use serde::Deserialize;

use crate::demo::control::{Control, SERVICE};

/// The frames of one proxy, or of the one that gets most, when each bot sends one.
#[derive(Clone, Copy, Debug, Deserialize, serde::Serialize)]
pub(super) struct Load {
    /// On average.
    pub(super) load: f64,
    /// Standard deviation of that.
    pub(super) sigma: f64,
}

/// What is foreseen.
#[derive(Clone, Debug)]
pub(super) struct Prediction {
    /// Of the busiest proxy.
    pub(super) busiest: Load,
    /// Of the one that all bots go to, where nothing forces them.
    pub(super) naive: Load,
    /// Of each.
    pub(super) proxies: BTreeMap<String, Load>,
}

impl Prediction {
    /// Asks for it.
    pub(super) fn ask(control: &Control, config: &Path, bots: usize) -> Result<Self> {
        #[derive(Deserialize)]
        struct Answer {
            bots: Bots,
        }
        #[derive(Deserialize)]
        struct Bots {
            forced: Load,
            naive: Load,
            list: Vec<Attacked>,
        }
        #[derive(Deserialize)]
        struct Attacked {
            endpoint: String,
            #[serde(flatten)]
            load: Load,
        }
        let (config, bots) = (config.display().to_string(), bots.to_string());
        let answer: Answer = control.ask(&["simulate", SERVICE, "--config", &config, "--bots", &bots])?;
        let proxies = answer.bots.list.into_iter().map(|attacked| (attacked.endpoint, attacked.load)).collect();
        Ok(Self { busiest: answer.bots.forced, naive: answer.bots.naive, proxies })
    }
}

impl Load {
    /// How many standard deviations a count is from it.
    #[expect(clippy::cast_precision_loss, reason = "counts of frames are far below 2^52")]
    pub(super) fn off(self, frames: u64) -> f64 {
        (frames as f64 - self.load).abs() / self.sigma
    }
}
