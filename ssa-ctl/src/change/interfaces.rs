//! Steps on interfaces in; links attached and pinned, and others let go, out.

use std::os::fd::AsFd as _;

use anyhow::Context as _;
use aya::programs::Xdp;
use aya_obj::programs::XdpAttachType;

use super::Wanted;
use crate::{
    failure::Failure,
    kernel::{
        attach::{self, Unpinned},
        netlink::Host,
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
        let held = of(steps, Action::Detach).find(|step| step.object == *name);
        match held.and(interface.program) {
            Some((_, mode)) => again.push((interface, mode)),
            None => links.push(attach::attach(filter, interface, wanted.config.host.mode)?),
        }
    }
    // An interface has one mode at a time: what was there comes back if the other mode is refused.
    for (interface, mode) in again {
        attach::detach(pins, &interface.name)?;
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

/// Pins what was attached, and detaches from what is no longer wanted.
pub(super) fn settle(pins: &Pins, steps: &[Step], links: Vec<Unpinned>) -> anyhow::Result<()> {
    for step in of(steps, Action::Rename) {
        let from = step.detail.strip_prefix("it was ").unwrap_or(&step.detail);
        attach::rename(pins, from, &step.object)?;
    }
    for step in of(steps, Action::Detach) {
        // One that changed its mode has been detached.
        if pins.link(&step.object).exists() {
            attach::detach(pins, &step.object)?;
        }
    }
    attach::pin(pins, links)
}
