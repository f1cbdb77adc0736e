//! Steps for suspects in; queues made and packets marked before a config is in force, and what it needs no more let go, out.

use std::os::fd::AsFd as _;

use anyhow::Context as _;

use super::Wanted;
use crate::{
    failure::Failure,
    kernel::{
        attach::{self, Unpinned},
        instance::Instance,
        marks,
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

/// Makes the queue that is wanted.
pub(super) fn queue(instance: &Instance, wanted: &Wanted) -> anyhow::Result<()> {
    low::queue(&wanted.config).map_or(Ok(()), |queue| instance.queues.make(queue))
}

/// Attaches what marks packets to the interfaces that are to have it and have not.
pub(super) fn mark(pins: &Pins, wanted: &Wanted, steps: &[Step]) -> Result<Vec<Unpinned>, Failure> {
    let mut links = Vec::new();
    if of(steps, Action::Mark).next().is_none() {
        return Ok(links);
    }
    let program = marks::program(pins)?;
    let marked = marks::all(pins)?;
    for step in of(steps, Action::Mark) {
        let name = &step.object;
        let interface = wanted.host.interface(name).with_context(|| format!("the interface {name} is gone"))?;
        // The kernel attaches a program once. The pin may have a name that the interface had before, or be another's.
        for old in marked.iter().filter(|old| old.name == *name || old.interface == interface.index) {
            attach::detach(&pins.marks(), &old.name)?;
        }
        links.push(marks::attach(program.as_fd(), interface)?);
    }
    Ok(links)
}

/// Lets go of what is needed no more, and pins what was attached.
pub(super) fn settle(
    pins: &Pins,
    instance: &Instance,
    wanted: &Wanted,
    steps: &[Step],
    links: Vec<Unpinned>,
) -> anyhow::Result<()> {
    for step in of(steps, Action::Unmark) {
        // An interface that has another name now has been marked anew.
        if pins.marks().link(&step.object).exists() {
            attach::detach(&pins.marks(), &step.object)?;
        }
    }
    if !links.is_empty() {
        attach::pin(&pins.marks(), links)?;
    }
    if !low::marks(&wanted.config) {
        marks::remove(pins)?;
    }
    if of(steps, Action::Unqueue).next().is_some() {
        // A frame on its way by the config before may still look for its queue.
        instance.settle();
        instance.queues.keep(low::queue(&wanted.config))?;
    }
    Ok(())
}
