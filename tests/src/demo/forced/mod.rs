//! The path of `ssa-ctl` and a number of bots in; the story of strangers who are let in and of a botnet that cannot gather
//! out.

mod botnet;
mod centre;
mod prediction;
mod report;
mod site;
mod story;
mod strangers;

use std::path::Path;

use anyhow::Result;

use self::{site::Site, story::Story};
use super::{Ending, Tell, owners::SLICE_BITS};
use crate::stop::Stop;

/// The rule: the slice is a hash of the client's own /48.
const RULE: &str = "hash(48):12 any:*";

/// Plays it. Whatever happens, nothing is left behind.
pub(super) fn play(ssa_ctl: &Path, bots: usize, tell: Tell, stop: &Stop) -> Result<Ending> {
    tell.headline("Two data centres, strangers, and a botnet");
    introduce(tell);
    let progress = tell.progress("hosts are made", 0);
    let mut site = Site::build(ssa_ctl, stop)?;
    progress.finish_and_clear();
    let mut story = Story::begin(&site, bots, tell, stop)?;
    tell.headline("Strangers call");
    story.call_in_peace();
    tell.headline("A botnet follows the rule");
    story.attack()?;
    tell.headline("The botnet aims at one proxy");
    story.gather()?;
    tell.headline("Strangers call meanwhile");
    story.call_under_attack()?;
    tell.headline("The end");
    let report = story.end()?;
    story::take_down(&mut site, report, tell)
}

fn introduce(tell: Tell) {
    tell.sentence(&format!(
        "A service has a prefix in each of two data centres, cut into {} slices, and in each four proxies that the slices \
         belong to. The rule is `{RULE}`: the slice is a hash of the client's own /48. Anybody can compute it, and \
         nobody can choose it. In front of the proxies two filters compare each packet with the rule. A router spreads \
         packets over them by their addresses, and neither knows of any connection. Everything runs in network namespaces \
         of this machine, with real packets, real TCP and a real name server:",
        1 << SLICE_BITS,
    ));
    tell.print(
        "\n  strangers  \\             /  filter, filter  ->  the slice's proxy: a1, b1, c1, d1\n              \
               >  router  <\n  botnet     /             \\  filter, filter  ->  the slice's proxy: a2, b2, c2, d2\n\n",
    );
}
