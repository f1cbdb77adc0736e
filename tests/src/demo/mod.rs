//! The path of `ssa-ctl` in; a story told with real packets, and a table of what came of it, out.
//!
//! The first is that of three rules against three senders. Each use has one more, in a folder of its own.

mod account;
mod client;
mod content;
mod control;
mod flood;
mod forced;
mod lan;
mod law;
mod live;
mod load_sharing;
mod owners;
mod report;
mod scene;
mod server;
mod site;
mod tell;

use std::path::PathBuf;

use anyhow::Result;
use clap::ValueEnum;

pub use self::tell::Tell;
use self::{report::Report, scene::Scene, site::Site};
use crate::stop::Stop;

/// What is shown of one use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Use {
    /// Naive load sharing: endpoints join and leave, and no client notices
    LoadSharing,
    /// Content addressing: packets travel to the endpoint that holds the object
    Content,
    /// Forced load sharing: strangers find the service, and a botnet cannot gather on one endpoint
    Forced,
}

/// What came of a story.
#[derive(Debug)]
pub struct Ending {
    /// For people.
    pub table: String,
    /// The same and more, as one JSON object.
    pub json: String,
    /// What is not as it should be; nothing, where all is.
    pub faults: Vec<String>,
}

/// A rule of the demo.
struct RuleOfDemo {
    /// As the rule format writes it.
    text: &'static str,
    /// Whether it needs a key.
    keyed: bool,
    /// What it means, for people.
    meaning: &'static str,
}

const RULES: [RuleOfDemo; 3] = [
    RuleOfDemo {
        text: "src(16):32 any:*",
        keyed: false,
        meaning: "The first 32 bits after the prefix must be bits 16 to 47 of the client's own address. Who lies about \
                  its source must lie about the destination to match.",
    },
    RuleOfDemo {
        text: "hash(48):12 any:*",
        keyed: false,
        meaning: "The first 12 bits must be a hash of the client's /48, so each network reaches one slice of 4096, and \
                  a random pair is right once in 4096 times.",
    },
    RuleOfDemo {
        text: "any:16 mac(48,key=k1,period=1h):48",
        keyed: true,
        meaning: "The last 48 bits must be a keyed hash of the client's /48, the other bits and the hour. Without the \
                  key nobody can compute an address, and an address is no good for long.",
    },
];

/// How much there is of what a use is shown with.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    /// The botnet of [`Use::Forced`].
    pub bots: usize,
    /// The objects of [`Use::Content`].
    pub objects: u32,
}

/// Plays the demo, or that of one use. Whatever happens, nothing is left behind.
///
/// # Errors
/// Where something could not be done or asked, or the person interrupted. What is not as it should be is no error: the
/// ending says so.
pub fn run(shown: Option<Use>, sizes: Sizes, ssa_ctl: PathBuf, tell: Tell, stop: &Stop) -> Result<Ending> {
    match shown {
        None => rules(ssa_ctl, tell, stop),
        Some(Use::LoadSharing) => load_sharing::play(&ssa_ctl, tell, stop),
        Some(Use::Content) => content::play(&ssa_ctl, sizes.objects, tell, stop),
        Some(Use::Forced) => forced::play(&ssa_ctl, sizes.bots, tell, stop),
    }
}

/// Three rules, and under each three senders.
fn rules(ssa_ctl: PathBuf, tell: Tell, stop: &Stop) -> Result<Ending> {
    tell.headline("One service, three clients, one filter");
    let site = Site::build(ssa_ctl, stop)?;
    site::introduce(tell);
    let mut scene = Scene::new(&site, tell, stop)?;
    let mut report = Report::default();
    for (number, rule) in (1..).zip(&RULES) {
        tell.headline(&format!("Rule {number} of {}: {}", RULES.len(), rule.text));
        tell.sentence(rule.meaning);
        scene.play(rule, &mut report)?;
    }
    tell.headline("The end");
    scene.end(&mut report)?;
    Ok(report.ending())
}
