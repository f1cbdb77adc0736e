//! A wanted config in; the host brought to it, step by step under the writers' lock, out.

mod have;
mod interfaces;
mod perform;
mod slices;

use std::net::Ipv6Addr;

use anyhow::Context as _;
use ipnet::Ipv6Net;

use crate::{
    config::{self, Config, keys::KeyRings},
    context::Context,
    failure::{Code, Failure},
    host,
    kernel::{create, instance::Instance, lock, lookup, neighbours, netlink::Host, permission, pins::Pins, ways},
    plan::{
        changes::{Change, changes},
        ground::Ground,
        numbers::Numbers,
        shape::Shape,
        slices::{Before, told, untold},
        steps::{Action, Step, Want, steps},
        tables::Tables,
        ways::{Neighbour, warnings},
    },
};

pub use self::{
    have::{link_states, ticks},
    slices::{Order, move_slices},
};

/// A config that is wanted.
pub struct Wanted<'a> {
    /// The config.
    pub config: &'a Config,
    /// Its keys.
    pub rings: &'a KeyRings,
    /// The interfaces it names, with their numbers.
    pub interfaces: Vec<(String, u32)>,
    /// The interfaces and addresses that there are.
    pub host: &'a Host,
}

/// What was done, or would be.
pub struct Done {
    /// The steps.
    pub steps: Vec<Step>,
    /// The generation that is in force now.
    pub generation: u64,
    /// What operators should know all the same.
    pub warnings: Vec<String>,
}

/// The numbers of the interfaces that a config names.
///
/// # Errors
/// The place in the config of the first that is not there, and its name.
pub fn find_interfaces(config: &Config, host: &Host) -> Result<Vec<(String, u32)>, (usize, String)> {
    let names = config.host.interfaces.iter().enumerate();
    names
        .map(|(place, name)| {
            host.interface(name).map(|found| (name.clone(), found.index)).ok_or_else(|| (place, name.clone()))
        })
        .collect()
}

/// Brings the host to the config, or with `dry_run` says what that would take.
///
/// # Errors
/// Where a step fails: the steps before it are done, and named.
pub fn bring(context: &mut Context<'_>, wanted: &Wanted<'_>, dry_run: bool) -> Result<Done, Failure> {
    permission::check()?;
    let pins = Pins::new(&context.pin_root);
    if dry_run && !pins.are_there().unwrap_or(false) {
        let (steps, planned) = plan(&pins, wanted, dry_run, context)?;
        interfaces::check_free(&pins, &steps)?;
        return Ok(Done { steps, generation: 0, warnings: planned.warnings });
    }
    let err = &mut *context.err;
    let mut waiting = || {
        // Whoever does not see it waits all the same.
        let _ = writeln!(err, "waiting for another ssa-ctl to finish");
    };
    let _lock = loop {
        pins.make_root()?;
        match lock::take(&pins, &mut waiting) {
            // A `down`, or a first `apply` that failed, has removed the root meanwhile.
            Err(failure) if failure.code == Code::NotLoaded => {}
            lock => break lock?,
        }
    };
    let (steps, mut planned) = plan(&pins, wanted, dry_run, context)?;
    let warnings = std::mem::take(&mut planned.warnings);
    if dry_run {
        interfaces::check_free(&pins, &steps)?;
    }
    if dry_run || steps.is_empty() {
        return Ok(Done { steps, generation: planned.generation, warnings });
    }
    let generation = perform::perform(context, &pins, wanted, &planned, &steps)?;
    neighbours::forget(&planned.unneeded).context("all other steps are done")?;
    Ok(Done { steps, generation, warnings })
}

/// What was found and worked out for a plan.
struct Planned {
    instance: Option<Instance>,
    tables: Tables,
    document: String,
    shape: Shape,
    numbers: Numbers,
    generation: u64,
    unneeded: Vec<Neighbour>,
    warnings: Vec<String>,
}

fn plan(
    pins: &Pins,
    wanted: &Wanted<'_>,
    dry_run: bool,
    context: &Context<'_>,
) -> Result<(Vec<Step>, Planned), Failure> {
    let document = config::to_toml(&untold(wanted.config));
    let needed = Shape::of(wanted.config, document.len());
    let there = pins.are_there().with_context(|| format!("cannot examine {}", pins.root().display()))?;
    let instance = match there.then(|| Instance::open(pins, false)).transpose() {
        // Somebody has removed pins of ours. What is left is no instance: another is put in its place.
        Err(failure) if is_missing(&failure) => None,
        instance => instance?,
    };
    let (numbers, shape) = match &instance {
        None => (Numbers::default(), needed),
        Some(instance) if instance.shape().holds(&needed) => (instance.numbers()?, instance.shape()),
        Some(instance) => (instance.numbers()?, needed),
    };
    let numbers = numbers.next(wanted.config, shape.services);
    let hertz = crate::kernel::clock::hertz()?;
    let have = instance.as_ref().map(|instance| have::have(pins, instance, shape, context.now)).transpose()?;
    let (have, generation) = have.map_or((None, 0), |(have, generation)| (Some(have), generation));
    let before = have.as_ref().and_then(|have| {
        let config = have.config.as_ref()?;
        Some(Before { config, slices: &have.tables.slices, ticks: have.ticks })
    });
    let neighbourhood = ways::find(wanted.config, wanted.host, !dry_run)?;
    let ground = Ground { before, host: Some(&neighbourhood), ..Ground::new(hertz, shape, &numbers) };
    let tables = Tables::compile_for(wanted.config, wanted.rings, &ground)?;
    let want = Want {
        config: &told(wanted.config, &tables.slices),
        tables: &tables,
        document: &document,
        interfaces: wanted.interfaces.clone(),
        host: &neighbourhood,
    };
    let steps = steps(&want, have.as_ref());
    let warnings = warnings(wanted.config, &neighbourhood);
    let unneeded = neighbourhood.unneeded;
    Ok((steps, Planned { instance, tables, document, shape, numbers, generation, unneeded, warnings }))
}

fn is_missing(failure: &Failure) -> bool {
    let io = failure.error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

/// Changes rows and text of what is in force, by itself: takes no key file and no interface.
///
/// # Errors
/// Where nothing is loaded, or `edit` refuses.
pub fn edit_in_force(
    context: &mut Context<'_>,
    edit: impl FnOnce(&Config, &mut Tables, &Numbers) -> Result<Config, Failure>,
) -> Result<Done, Failure> {
    permission::check_maps()?;
    let pins = Pins::new(&context.pin_root);
    let err = &mut *context.err;
    let _lock = lock::take(&pins, &mut || {
        let _ = writeln!(err, "waiting for another ssa-ctl to finish");
    })?;
    let instance = Instance::open(&pins, false)?;
    perform::mend_links(&pins)?;
    let running = instance.running()?;
    let config = parse_document(&running.document)?;
    let mut tables = running.tables.clone();
    let wanted = edit(&config, &mut tables, &instance.numbers()?)?;
    let document = config::to_toml(&untold(&wanted));
    if tables == running.tables && document == running.document {
        return Ok(Done { steps: Vec::new(), generation: running.generation, warnings: Vec::new() });
    }
    let generation = running.generation + 1;
    instance.put_in_force(&tables, &document, generation)?;
    let steps = changes(Some(&config), &wanted).into_iter();
    let steps = steps.map(|Change { object, detail }| Step { action: Action::Config, object, detail }).collect();
    Ok(Done { steps, generation, warnings: Vec::new() })
}

/// The config in force.
///
/// # Errors
/// [`Code::NotLoaded`] where there is none.
pub fn running_config(context: &Context<'_>) -> Result<Config, Failure> {
    let pins = Pins::new(&context.pin_root);
    let running = Instance::open(&pins, true)?.running()?;
    Ok(told(&parse_document(&running.document)?, &running.tables.slices))
}

/// The config that a stored text says.
pub fn parse_document(document: &str) -> Result<Config, Failure> {
    let source = config::Source { path: "the running config".into(), text: document.into() };
    config::parse(source)
        .map(|checked| checked.config)
        .map_err(|faults| Failure::from(faults).code(Code::Failed).hint("apply a config file anew"))
}

/// What was taken down.
#[derive(Default)]
pub struct Down {
    /// The interfaces that were attached to.
    pub interfaces: Vec<String>,
    /// The prefixes whose local routes were ours.
    pub routes: Vec<Ipv6Net>,
    /// The addresses whose neighbour entries were ours.
    pub neighbours: Vec<Ipv6Addr>,
}

/// Takes everything down below the pin root, the endpoint host's routes and our neighbour entries; says what was there.
///
/// # Errors
/// Where the folder is not one of ours, or another network namespace's filter still runs and `force` is not given.
pub fn down(context: &mut Context<'_>, force: bool) -> Result<Down, Failure> {
    let pins = Pins::new(&context.pin_root);
    permission::check()?;
    if !context.pin_root.exists() {
        return Ok(Down::default());
    }
    pins.check()?;
    let err = &mut *context.err;
    let _lock = lock::take(&pins, &mut || {
        let _ = writeln!(err, "waiting for another ssa-ctl to finish");
    })?;
    create::check_ours(&pins)?;
    if !force && let Some(interface) = create::foreign_link(&pins)? {
        let message =
            format!("{} belongs to another network namespace, and filters {interface} there", pins.root().display());
        return Err(Failure::new(Code::Failed, message).hint("enter that namespace, or say --force"));
    }
    let interfaces = pins.linked()?;
    // The routes and neighbours of another network namespace cannot be had from here.
    let (routes, neighbours) = if create::is_foreign(&pins)? {
        (Vec::new(), Vec::new())
    } else {
        (host::routes_off()?, neighbours::forget_all()?)
    };
    lookup::remove(&pins)?;
    create::clear(&pins)?;
    std::fs::remove_dir(pins.root())
        .with_context(|| format!("cannot remove {}: something of others is in it", pins.root().display()))?;
    Ok(Down { interfaces, routes, neighbours })
}
