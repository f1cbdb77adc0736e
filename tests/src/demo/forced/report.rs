//! What strangers, filters and proxies counted in; a table for people, or one JSON object, out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{prediction::Load, strangers::Calls};
use crate::demo::account::{Account, plain, with_numbers};

/// A proxy under the attack of bots that follow the rule.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Proxy {
    pub(super) name: &'static str,
    /// Frames that it received.
    pub(super) frames: u64,
    /// Bots whose address is in its slices, each of which sent one.
    pub(super) bots: u64,
    /// What `simulate` foresees.
    pub(super) predicted: Load,
}

/// A data centre under that attack.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Attack {
    pub(super) prefix: String,
    /// Frames that the bots sent.
    pub(super) sent: u64,
    /// Frames that each filter received.
    pub(super) filters: BTreeMap<&'static str, u64>,
    pub(super) proxies: Vec<Proxy>,
    pub(super) busiest: Busiest,
}

/// The proxy with most frames.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Busiest {
    pub(super) name: &'static str,
    pub(super) frames: u64,
    pub(super) predicted: Load,
    /// How far that is from the prediction, in standard deviations.
    pub(super) sigmas: f64,
    /// What it would be if nothing forced the bots.
    pub(super) unforced: f64,
}

/// All bots at one address of one proxy.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Gathered {
    pub(super) proxy: &'static str,
    pub(super) sent: u64,
    /// Frames that the proxy received, and those that are right by the law: from bots of that slice.
    pub(super) arrived: u64,
    pub(super) right_by_the_law: u64,
    pub(super) dropped: u64,
}

/// All that was counted.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// Whether all is as it should be.
    pub(super) right: bool,
    pub(super) rule: &'static str,
    pub(super) bots: usize,
    /// Strangers in peace, and while the bots attack.
    pub(super) in_peace: Calls,
    pub(super) under_attack: Calls,
    pub(super) attacks: Vec<Attack>,
    pub(super) gathered: Vec<Gathered>,
    /// What is not as it should be.
    pub(super) wrong: Vec<String>,
}

impl Account for Report {
    fn outcome(&mut self) -> (&mut bool, &mut Vec<String>) {
        (&mut self.right, &mut self.wrong)
    }

    fn table(&self) -> String {
        let mut table = plain();
        table.set_header(["PREFIX", "PROXY", "BOTS", "FRAMES", "PREDICTED", "SIGMA", ""]);
        for attack in &self.attacks {
            for (row, proxy) in attack.proxies.iter().enumerate() {
                let Proxy { name, frames, bots, predicted } = proxy;
                table.add_row([
                    if row == 0 { attack.prefix.clone() } else { String::new() },
                    (*name).to_owned(),
                    bots.to_string(),
                    frames.to_string(),
                    format!("{:.0}", predicted.load),
                    format!("{:.0}", predicted.sigma),
                    if *name == attack.busiest.name { "the busiest".to_owned() } else { String::new() },
                ]);
            }
        }
        with_numbers(table, 2..6)
    }
}
