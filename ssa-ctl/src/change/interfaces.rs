//! Steps on interfaces in; links attached and pinned, and others let go, out.

use std::os::fd::AsFd as _;

use anyhow::Context as _;
use aya::programs::Xdp;
use aya_obj::programs::XdpAttachType;

use super::Wanted;
use crate::{
    config::Mode,
    failure::Failure,
    kernel::{
        attach::{self, Link, Unpinned},
        netlink::{Host, Interface},
        pins::Pins,
    },
    plan::{
        low,
        steps::{Action, Step},
    },
};

fn of(steps: &[Step], action: Action) -> impl Iterator<Item = &Step> {
    steps.iter().filter(move |step| step.action == action)
}

/// Attaches to every interface that is wanted and has no link yet, or to none.
pub(super) fn attach(pins: &Pins, wanted: &Wanted, steps: &[Step]) -> Result<Vec<Unpinned>, Failure> {
    let mut links = Vec::new();
    if of(steps, Action::Attach).next().is_none() {
        return Ok(links);
    }
    let host = Host::ask()?;
    let filter = filter(pins)?;
    for step in of(steps, Action::Attach) {
        let interface = find(&host, &step.object)?;
        if switched(pins, steps, interface)?.is_none() {
            let link = attach::attach(filter.fd()?.as_fd(), interface, wanted.config.host.mode);
            links.push(link.map_err(|failure| for_marks(wanted, failure))?);
        }
    }
    Ok(links)
}

/// What would be right where a config that marks packets asks for a mode that a driver has not: marks have no other.
fn for_marks(wanted: &Wanted, failure: Failure) -> Failure {
    if low::marks(&wanted.config) && failure.hint.as_deref() == Some(attach::NO_NATIVE) {
        return failure
            .hint("take \"mark\" out of low_priority and set mode = \"generic\" under [host], or use another driver");
    }
    failure
}

/// Refuses, as `attach` would, where another program holds an interface that is wanted.
pub(super) fn check_free(pins: &Pins, steps: &[Step]) -> Result<(), Failure> {
    if of(steps, Action::Attach).next().is_none() {
        return Ok(());
    }
    let host = Host::ask()?;
    for step in of(steps, Action::Attach) {
        let interface = find(&host, &step.object)?;
        if interface.program.is_some() && switched(pins, steps, interface)?.is_none() {
            return Err(attach::held(&interface.name));
        }
    }
    Ok(())
}

/// The filter that is pinned.
pub(super) fn filter(pins: &Pins) -> anyhow::Result<Xdp> {
    let path = pins.filter();
    Xdp::from_pin(&path, XdpAttachType::Interface).with_context(|| format!("cannot open the pin {}", path.display()))
}

fn find<'a>(host: &'a Host, name: &str) -> anyhow::Result<&'a Interface> {
    host.interface(name).with_context(|| format!("the interface {name} is gone"))
}

/// The pin and the mode of the link that is on an interface and is to go: the interface changes its mode.
fn switched<'a>(pins: &Pins, steps: &'a [Step], interface: &Interface) -> anyhow::Result<Option<(&'a str, Mode)>> {
    let Some((_, mode)) = interface.program else { return Ok(None) };
    for step in of(steps, Action::Detach) {
        // Its name may be one that the interface had before.
        if Link::open(pins, &step.object)?.is_some_and(|link| link.interface == interface.index) {
            return Ok(Some((&step.object, mode)));
        }
    }
    Ok(None)
}

/// Pins what was attached, detaches from what is no longer wanted, and changes modes.
///
/// Detaches first, as a name may be another interface's now. Modes come last, one interface after the other: the kernel
/// has no way to change a mode but to let go, and what comes between must be short.
pub(super) fn settle(pins: &Pins, wanted: &Wanted, steps: &[Step], links: Vec<Unpinned>) -> Result<(), Failure> {
    let host = Host::ask()?;
    let mut switches = Vec::new();
    for step in of(steps, Action::Attach) {
        let interface = find(&host, &step.object)?;
        if let Some((pin, mode)) = switched(pins, steps, interface)? {
            switches.push((pin, interface, mode));
        }
    }
    for step in of(steps, Action::Detach) {
        if switches.iter().all(|(pin, ..)| *pin != step.object) {
            attach::detach(pins, &step.object)?;
        }
    }
    let from = |step: &'_ Step| step.detail.strip_prefix("it was ").map(str::to_owned);
    let renamed: Vec<_> = of(steps, Action::Rename).filter_map(|step| Some((from(step)?, &*step.object))).collect();
    attach::rename(pins, &renamed.iter().map(|(from, to)| (from.as_str(), *to)).collect::<Vec<_>>())?;
    attach::pin(pins, links)?;
    if switches.is_empty() {
        return Ok(());
    }
    let filter = filter(pins)?;
    let filter = filter.fd()?.as_fd();
    for (pin, interface, mode) in switches {
        attach::detach(pins, pin)?;
        match attach::attach(filter, interface, wanted.config.host.mode) {
            Ok(link) => attach::pin(pins, vec![link])?,
            Err(failure) => {
                // What was there comes back if the other mode is refused.
                attach::pin(pins, vec![attach::attach(filter, interface, mode)?])?;
                return Err(for_marks(wanted, failure));
            }
        }
    }
    Ok(())
}
