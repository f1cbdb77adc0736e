//! The path of `ssa-ctl` in; the story of an endpoint that joins and one that leaves, which no client notices, out.

mod clients;
mod report;
mod server;
mod site;
mod steps;
mod story;

use std::{path::Path, time::Duration};

use anyhow::Result;

use self::{
    clients::Clients,
    report::Report,
    site::{CLIENTS, Site},
};
use super::{
    Ending, Tell,
    owners::{Owners, SLICE_BITS},
    site::PREFIX,
};
use crate::stop::Stop;

/// The endpoint that joins, and the one that leaves, by their places.
const JOINS: usize = 3;
const LEAVES: usize = 1;
/// Something changes in every second one.
const STAGES: [&str; 7] =
    ["three endpoints", "d joins", "four endpoints", "b is drained", "b has no slices", "b leaves", "b is gone"];
/// How long nothing changes; in the end, half as long.
const STAGE: Duration = Duration::from_secs(2);
/// Addresses that clients call, enough for the whole demo.
const ADDRESSES: usize = 8192;
/// What must come comes within this, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(10);

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
pub(super) fn play(ssa_ctl: &Path, tell: Tell, stop: &Stop) -> Result<Ending> {
    tell.headline("One prefix, three endpoints, many clients");
    let site = Site::build(ssa_ctl, stop)?;
    introduce(tell);
    tell.headline("Three endpoints share the load");
    let mut story = Story::begin(&site, tell, stop)?;
    story.share()?;
    tell.headline("A fourth endpoint joins");
    story.join()?;
    tell.headline("An endpoint is drained");
    story.drain()?;
    tell.headline("The drained endpoint leaves");
    story.leave()?;
    tell.headline("The end");
    story.end()
}

fn introduce(tell: Tell) {
    tell.sentence(&format!(
        "The service is all of {PREFIX}/64, cut into {} slices. Each slice belongs to an endpoint, a host with a TCP \
         server. The rule is `any:*`: clients inside a network take any address they like, and by that spread over the \
         endpoints. A filter sends each frame to the endpoint of its slice and keeps no list of connections. Everything \
         runs in network namespaces of this machine, with real packets and real TCP:",
        1 << SLICE_BITS,
    ));
    tell.print(&format!(
        "\n  clients  {CLIENTS}/64  ->  filter  ->  the slice's endpoint: a, b, c, and later d\n     \
               ^                                            |\n     \
               +------------- answers go directly ----------+\n"
    ));
}
