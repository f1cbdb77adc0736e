//! Steps in; each of them done, in their order, or which were and which was not.

use std::os::fd::{AsFd as _, OwnedFd};

use anyhow::Context as _;
use aya::programs::{ProgramInfo, Xdp};

use super::{Planned, Wanted, have, interfaces, low};
use crate::{
    context::Context,
    failure::Failure,
    kernel::{
        attach::Link,
        clock::{Ticks, now},
        create::{self, Made},
        instance::Instance,
        marks, neighbours, object,
        pins::Pins,
    },
    plan::{
        numbers::Numbers,
        steps::{Action, Step},
    },
};

/// Does the steps; the generation then in force.
///
/// Links are made before a config is put in force, and pinned after: where an interface cannot be had, nothing is done.
pub(super) fn perform(
    context: &Context<'_>,
    pins: &Pins,
    wanted: &Wanted,
    planned: &Planned,
    steps: &[Step],
) -> Result<u64, Failure> {
    let has = |action: Action| steps.iter().any(|step| step.action == action);
    let mut done = Done { steps, said: Vec::new() };
    if has(Action::Load) {
        create::check_ours(pins)?;
        return first(context, pins, wanted, planned, steps).inspect_err(|_| {
            // Nothing of ours was there before. What cannot be taken away is named by the next `apply`.
            let _ = create::clear(pins).and_then(|()| Ok(std::fs::remove_dir(pins.root())?));
            if create::beside(pins).is_ok_and(|others| others.is_empty()) {
                let _ = neighbours::forget_all();
            }
        });
    }
    let instance = planned.instance.as_ref().context("there is no instance to change")?;
    let mut generation = planned.generation;
    if has(Action::Replace) {
        done.note(Action::Replace, replace(pins, planned, instance))?;
    }
    if has(Action::Grow) {
        // Before anything is attached: what is attached runs the program that is pinned then. And before links are made
        // that nobody sees until they are pinned.
        generation = planned.generation + 1;
        let renewed = renew_marks(pins).map_err(Failure::from);
        let marks = done.note(Action::Mark, renewed.and_then(|()| low::mark(pins, wanted, steps)))?;
        done.note(Action::Grow, grow(context, pins, wanted, planned, instance))?;
        let links = done.note(Action::Attach, interfaces::attach(pins, wanted, steps))?;
        done.note(Action::Detach, interfaces::settle(pins, wanted, steps, links))?;
        done.note(Action::Unmark, low::settle(pins, instance, wanted, steps, marks))?;
        return Ok(generation);
    }
    let links = done.note(Action::Attach, interfaces::attach(pins, wanted, steps))?;
    if has(Action::Queue) {
        done.note(Action::Queue, low::queue(instance, wanted))?;
    }
    let marks = done.note(Action::Mark, low::mark(pins, wanted, steps))?;
    // The clock before the config: a new rule with epochs is judged by it.
    if has(Action::Clock) {
        done.note(Action::Clock, publish(context, pins, instance))?;
    }
    if has(Action::Config) || has(Action::Way) {
        generation = planned.generation + 1;
        done.note(Action::Config, instance.put_in_force(&planned.tables, &planned.document, generation))?;
        done.note(Action::Way, Ok::<_, Failure>(()))?;
    }
    done.note(Action::Detach, interfaces::settle(pins, wanted, steps, links))?;
    done.note(Action::Unmark, low::settle(pins, instance, wanted, steps, marks))?;
    Ok(generation)
}

/// The first `apply`: all of it, or nothing.
fn first(
    context: &Context<'_>,
    pins: &Pins,
    wanted: &Wanted,
    planned: &Planned,
    steps: &[Step],
) -> Result<u64, Failure> {
    let instance = load(context, pins, wanted, planned)?;
    let marks = low::mark(pins, wanted, steps)?;
    let links = interfaces::attach(pins, wanted, steps)?;
    interfaces::settle(pins, wanted, steps, links)?;
    low::settle(pins, &instance, wanted, steps, marks)?;
    Ok(1)
}

/// The steps that are done, for the error of one that fails.
struct Done<'a> {
    steps: &'a [Step],
    said: Vec<String>,
}

impl Done<'_> {
    fn note<T>(&mut self, action: Action, result: Result<T, impl Into<Failure>>) -> Result<T, Failure> {
        match result {
            Ok(value) => {
                let of = self.steps.iter().filter(|step| step.action == action);
                self.said.extend(of.map(|step| format!("{} {}", step.action.name(), step.object)));
                Ok(value)
            }
            Err(failure) if self.said.is_empty() => Err(failure.into()),
            Err(failure) => {
                let failure = failure.into();
                let error = failure.error.context(format!("done: {}; then a step failed", self.said.join(", ")));
                Err(Failure { error, ..failure })
            }
        }
    }
}

fn load(context: &Context<'_>, pins: &Pins, wanted: &Wanted, planned: &Planned) -> anyhow::Result<Instance> {
    let mut made = create::make(planned.shape)?;
    publish_by(context, &mut made)?;
    low::queue(&made.instance, wanted)?;
    create::create(pins, &mut made, &planned.tables, &planned.document)?;
    Ok(made.instance)
}

fn publish_by(context: &Context<'_>, made: &mut Made) -> anyhow::Result<()> {
    let ticks = Ticks::read(made.object.probe()?)?;
    made.instance.publish(ticks.row(now(context.now)))
}

fn publish(context: &Context<'_>, pins: &Pins, instance: &Instance) -> anyhow::Result<()> {
    // What the clock says now, and not when this command began, is published.
    instance.publish(have::ticks(pins)?.row(now(context.now)))
}

/// Loads this binary's program over the maps in force, and puts it in the place of the old one on every link.
fn replace(pins: &Pins, planned: &Planned, instance: &Instance) -> anyhow::Result<()> {
    let outgoing = interfaces::filter(pins)?;
    let mut object = object::load_over(planned.shape, instance.meta.cpus, pins)?;
    create::replace_programs(pins, &mut object)?;
    relink(pins, &outgoing)?;
    renew_marks(pins)?;
    instance.set_build()
}

/// Puts this binary's program that marks in the place of the one that is pinned, if one is.
fn renew_marks(pins: &Pins) -> anyhow::Result<()> {
    if pins.marks().root().exists() { marks::renew(pins).map(drop) } else { Ok(()) }
}

/// A descriptor of a loaded program.
fn program(id: u32) -> anyhow::Result<OwnedFd> {
    for info in aya::programs::loaded_programs() {
        let info: ProgramInfo = info?;
        if info.id() == id {
            return Ok(info.fd()?.as_fd().try_clone_to_owned()?);
        }
    }
    anyhow::bail!("the program {id} is gone")
}

/// Puts an instance with larger maps in the place of the one in force. What that had counted is carried over.
///
/// The pins change before the links: whoever is killed between leaves links that run another program than the pinned
/// one, and that is seen and mended by every writer.
fn grow(context: &Context<'_>, pins: &Pins, wanted: &Wanted, planned: &Planned, old: &Instance) -> anyhow::Result<()> {
    let mut made = create::make(planned.shape)?;
    publish_by(context, &mut made)?;
    low::queue(&made.instance, wanted)?;
    made.instance.put_in_force(&planned.tables, &planned.document, planned.generation + 1)?;
    made.instance.put_blocks(&old.blocks()?)?;
    take_over(pins, &mut made, old, (&old.numbers()?, &planned.numbers))
}

/// Puts an instance in the place of the one in force, with what that had counted; `numbers` are those of its services
/// before and after.
pub(super) fn take_over(
    pins: &Pins,
    made: &mut Made,
    old: &Instance,
    numbers: (&Numbers, &Numbers),
) -> anyhow::Result<()> {
    carry(&made.instance, old, numbers)?;
    made.instance.carry_flows(old)?;
    let outgoing = interfaces::filter(pins)?;
    create::exchange(pins, made)?;
    relink(pins, &outgoing)?;
    // Once more, with what was counted until the last frame.
    old.settle();
    carry(&made.instance, old, numbers)
}

fn carry(to: &Instance, from: &Instance, (before, after): (&Numbers, &Numbers)) -> anyhow::Result<()> {
    to.carry(0, &from.cells(0)?)?;
    for (service, number) in after.iter() {
        if let Some(old) = before.get(service) {
            to.carry(number, &from.cells(old)?)?;
        }
    }
    Ok(())
}

/// Puts the pinned filter on every link that runs another program of ours; `outgoing` is the one that most of them run.
fn relink(pins: &Pins, outgoing: &Xdp) -> anyhow::Result<()> {
    let pinned = interfaces::filter(pins)?;
    let (id, old) = (pinned.info()?.id(), outgoing.info()?.id());
    for name in pins.linked()? {
        let Some(link) = Link::open(pins, &name)? else { continue };
        // A link whose interface is gone runs nothing.
        if link.interface == 0 || link.program == id {
            continue;
        }
        // To find a program by its number takes CAP_SYS_ADMIN, which we do not ask for.
        let descriptor =
            if link.program == old { outgoing.fd()?.as_fd().try_clone_to_owned()? } else { program(link.program)? };
        link.replace(descriptor, pinned.fd()?.as_fd()).with_context(|| format!("on {name}"))?;
    }
    Ok(())
}

/// Puts the pinned filter on every link: a killed `apply` may have left another there.
pub(super) fn mend_links(pins: &Pins) -> anyhow::Result<()> {
    relink(pins, &interfaces::filter(pins)?)
}
