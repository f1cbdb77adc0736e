//! The path of `ssa-ctl` and a number of objects in; the story of a store whose clients compute where objects are, out.

mod clients;
mod report;
mod server;
mod site;
mod steps;
mod story;

use std::{path::Path, time::Duration};

use anyhow::{Result, ensure};

use self::{
    clients::Clients,
    report::Report,
    site::{NAMES, RULE, Site},
};
use super::{
    Ending, Tell,
    owners::{Owners, SLICE_BITS},
    site::PREFIX,
};
use crate::stop::Stop;

/// The endpoint that dies, by its place.
const DIES: usize = 2;
/// Blocks that are written by number.
const BLOCKS: u32 = 64;
/// The fewest objects that leave no endpoint, and not all slices, without any.
const FEWEST: u32 = 256;
/// What must come comes within this, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// The play.
struct Story<'a> {
    site: &'a Site,
    tell: Tell,
    stop: &'a Stop,
    clients: Clients,
    /// The owners in force.
    owners: Owners,
    report: Report,
}

/// Plays it. Whatever happens, nothing is left behind.
pub(super) fn play(ssa_ctl: &Path, objects: u32, tell: Tell, stop: &Stop) -> Result<Ending> {
    ensure!(objects >= FEWEST, "{objects} objects are too few to see anything: take {FEWEST} or more");
    tell.headline("A store whose clients compute where each object is");
    let site = Site::build(ssa_ctl, stop)?;
    introduce(tell, objects);
    tell.headline("Objects are written and read");
    let mut story = Story::begin(&site, objects, tell, stop)?;
    story.fill()?;
    story.look_up()?;
    tell.headline("A slice moves");
    story.hand_over()?;
    tell.headline("An endpoint dies");
    story.lose()?;
    tell.headline("The end");
    story.end()
}

fn introduce(tell: Tell, objects: u32) {
    tell.sentence(&format!(
        "The service is all of {PREFIX}/64, cut into {} slices, and the rule is `{RULE}`. The first bit is the replica that \
         is wanted, and the next 11 are the last of the object's id: together they are the slice. So {objects} objects are \
         spread over {} endpoints, each on two of them, and whoever knows a name knows where its object is. Each endpoint is \
         a host with an HTTP server and files on disk. Everything runs in network namespaces of this machine:",
        1 << SLICE_BITS,
        NAMES.len(),
    ));
    tell.print(
        "\n  client: name -> id -> address  ->  filter  ->  the slice's endpoint: a to h\n     \
            ^                                               |\n     \
            +-------------- answers go directly ------------+\n",
    );
}
