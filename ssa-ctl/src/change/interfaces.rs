//! Steps on interfaces in; links attached and pinned, and others let go, out.

use std::os::fd::AsFd as _;

use anyhow::Context as _;
use aya::programs::Xdp;
use aya_obj::programs::XdpAttachType;

use super::Wanted;
use crate::{
    failure::Failure,
    kernel::{
        attach::{self, Link, Unpinned},
        netlink::{Host, Interface},
        pins::Pins,
    },
    plan::steps::{Action, Step},
};

fn of(steps: &[Step], action: Action) -> impl Iterator<Item = &Step> {
    steps.iter().filter(move |step| step.action == action)
}

/// Attaches to every interface that is wanted, or to none.
pub(super) fn attach(pins: &Pins, wanted: &Wanted<'_>, steps: &[Step]) -> Result<Vec<Unpinned>, Failure> {
    if of(steps, Action::Attach).next().is_none() {
        return Ok(Vec::new());
    }
    let host = Host::ask()?;
    let path = pins.filter();
    let filter = Xdp::from_pin(&path, XdpAttachType::Interface)
        .with_context(|| format!("cannot open the pin {}", path.display()))?;
    let filter = filter.fd()?.as_fd();
    let mut links = Vec::new();
    let mut again = Vec::new();
    for step in of(steps, Action::Attach) {
        let name = &step.object;
        let interface = host.interface(name).with_context(|| format!("the interface {name} is gone"))?;
        match (held(pins, steps, interface)?, interface.program) {
            (Some(pin), Some((_, mode))) => again.push((pin, interface, mode)),
            _ => links.push(attach::attach(filter, interface, wanted.config.host.mode)?),
        }
    }
    // An interface has one mode at a time: what was there comes back if the other mode is refused.
    for (pin, interface, mode) in again {
        attach::detach(pins, pin)?;
        match attach::attach(filter, interface, wanted.config.host.mode) {
            Ok(link) => links.push(link),
            Err(failure) => {
                let back = attach::attach(filter, interface, mode)?;
                attach::pin(pins, vec![back])?;
                return Err(failure);
            }
        }
    }
    Ok(links)
}

/// The pin of the link that is on an interface and is to go.
fn held<'a>(pins: &Pins, steps: &'a [Step], interface: &Interface) -> anyhow::Result<Option<&'a str>> {
    for step in of(steps, Action::Detach) {
        // Its name may be one that the interface had before.
        if Link::open(pins, &step.object)?.is_some_and(|link| link.interface == interface.index) {
            return Ok(Some(&step.object));
        }
    }
    Ok(None)
}

/// Pins what was attached, and detaches from what is no longer wanted: that first, as its name may be another's now.
pub(super) fn settle(pins: &Pins, steps: &[Step], links: Vec<Unpinned>) -> anyhow::Result<()> {
    for step in of(steps, Action::Detach) {
        // One that changed its mode has been detached.
        if pins.link(&step.object).exists() {
            attach::detach(pins, &step.object)?;
        }
    }
    let from = |step: &'_ Step| step.detail.strip_prefix("it was ").map(str::to_owned);
    let renamed: Vec<_> = of(steps, Action::Rename).filter_map(|step| Some((from(step)?, &*step.object))).collect();
    attach::rename(pins, &renamed.iter().map(|(from, to)| (from.as_str(), *to)).collect::<Vec<_>>())?;
    attach::pin(pins, links)
}
