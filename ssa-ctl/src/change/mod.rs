//! A wanted config in; the host brought to it, step by step under the writers' lock, out.

mod blocks;
mod down;
mod have;
mod in_force;
mod interfaces;
mod low;
mod perform;
mod slices;

use anyhow::Context as _;

use crate::{
    config::{self, Config, keys::KeyRings},
    context::Context,
    failure::{Code, Failure},
    kernel::{instance::Instance, lock, neighbours, netlink::Host, permission, pins::Pins, ways},
    plan::{
        blocks::slots,
        ground::Ground,
        numbers::Numbers,
        shape::Shape,
        slices::{Before, told, untold},
        steps::{Step, Want, steps},
        tables::Tables,
        ways::{Neighbour, warnings},
    },
};

pub use self::{
    blocks::{Manner, edit_blocks},
    down::{Down, down},
    have::{link_states, ticks},
    in_force::{InForce, edit_in_force, running_config},
    slices::{Order, move_slices},
};

/// A config that is wanted.
pub struct Wanted {
    /// The config.
    pub config: Config,
    /// Its keys.
    pub rings: KeyRings,
    /// The interfaces it names, with their numbers.
    pub interfaces: Vec<(String, u32)>,
    /// The interfaces and addresses that there are.
    pub host: Host,
    /// A service whose slices are to be shared out anew, whatever else changes.
    pub rebalance: Option<String>,
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
pub fn bring(context: &mut Context<'_>, wanted: &Wanted, dry_run: bool) -> Result<Done, Failure> {
    permission::check()?;
    let pins = Pins::new(&context.pin_root);
    if dry_run && !pins.are_there().unwrap_or(false) {
        let (steps, planned) = plan(&pins, wanted, dry_run, context)?;
        interfaces::check_free(&pins, &steps)?;
        return Ok(Done { steps, generation: 0, warnings: planned.warnings });
    }
    let _lock = loop {
        pins.make_root()?;
        match lock::take(&pins, context.err) {
            // A `down`, or a first `apply` that failed, has removed the root meanwhile.
            Err(failure) if failure.code == Code::NotLoaded => {}
            lock => break lock?,
        }
    };
    bring_locked(context, &pins, wanted, dry_run)
}

/// Changes the config in force, and brings the host to what becomes of it. Others change nothing in between: `want` is
/// asked under the lock.
///
/// # Errors
/// Where nothing is loaded, `want` refuses, or a step fails: the steps before it are done, and named.
pub fn change(
    context: &mut Context<'_>,
    dry_run: bool,
    want: impl FnOnce(Config) -> Result<Wanted, Failure>,
) -> Result<Done, Failure> {
    permission::check()?;
    let pins = Pins::new(&context.pin_root);
    let _lock = lock::take(&pins, context.err)?;
    // The slices in force, and no list, are what the new assignment begins with.
    let wanted = want(InForce::read(context)?.told().without_owners())?;
    bring_locked(context, &pins, &wanted, dry_run)
}

fn bring_locked(context: &Context<'_>, pins: &Pins, wanted: &Wanted, dry_run: bool) -> Result<Done, Failure> {
    let (steps, mut planned) = plan(pins, wanted, dry_run, context)?;
    let warnings = std::mem::take(&mut planned.warnings);
    if dry_run {
        interfaces::check_free(pins, &steps)?;
    }
    if dry_run || steps.is_empty() {
        return Ok(Done { steps, generation: planned.generation, warnings });
    }
    let generation = perform::perform(context, pins, wanted, &planned, &steps)?;
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

fn plan(pins: &Pins, wanted: &Wanted, dry_run: bool, context: &Context<'_>) -> Result<(Vec<Step>, Planned), Failure> {
    let document = config::to_toml(&untold(&wanted.config));
    let needed = Shape::of(&wanted.config, document.len());
    let there = pins.are_there().with_context(|| format!("cannot examine {}", pins.root().display()))?;
    let instance = match there.then(|| Instance::open(pins, false)).transpose() {
        // Somebody has removed pins of ours. What is left is no instance: another is put in its place.
        Err(failure) if is_missing(&failure) => None,
        instance => instance?,
    };
    let (numbers, shape) = match &instance {
        None => (Numbers::default(), needed),
        Some(instance) if instance.shape().holds(&needed) => (instance.numbers()?, instance.shape()),
        // The block list comes with it.
        Some(instance) => (instance.numbers()?, Shape { blocks: slots(&instance.blocks()?), ..needed }),
    };
    let numbers = numbers.next(&wanted.config, shape.services);
    let hertz = crate::kernel::clock::hertz()?;
    let have = instance.as_ref().map(|instance| have::have(pins, instance, shape, context.now)).transpose()?;
    let (have, generation) = have.map_or((None, 0), |(have, generation)| (Some(have), generation));
    let before = have.as_ref().and_then(|have| {
        let config = have.config.as_ref()?;
        let rebalance = wanted.rebalance.as_deref();
        Some(Before { config, slices: &have.tables.slices, ticks: have.ticks, rebalance })
    });
    let neighbourhood = ways::find(&wanted.config, &wanted.host, !dry_run)?;
    let ground = Ground { before, host: Some(&neighbourhood), ..Ground::new(hertz, shape, &numbers) };
    let tables = Tables::compile_for(&wanted.config, &wanted.rings, &ground)?;
    let want = Want {
        config: &told(&wanted.config, &tables.slices),
        tables: &tables,
        document: &document,
        interfaces: wanted.interfaces.clone(),
        host: &neighbourhood,
    };
    let steps = steps(&want, have.as_ref());
    let warnings = warnings(&wanted.config, &neighbourhood);
    let unneeded = neighbourhood.unneeded;
    Ok((steps, Planned { instance, tables, document, shape, numbers, generation, unneeded, warnings }))
}

fn is_missing(failure: &Failure) -> bool {
    let io = failure.error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}
