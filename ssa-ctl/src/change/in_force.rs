//! A pin root in; what is in force below it, for reading or under the writers' lock, out; and rows and text of it changed.

use std::path::Path;

use super::{Done, perform, ticks};
use crate::{
    config::{self, Config},
    context::Context,
    failure::{Code, Failure},
    kernel::{
        instance::{Instance, Running},
        lock::{self, Lock},
        permission,
        pins::Pins,
    },
    plan::{
        changes::{Change, changes},
        numbers::Numbers,
        ranked::Ranked,
        slices::{told, untold},
        steps::{Action, Step},
        tables::Tables,
    },
};

/// What is in force.
pub struct InForce {
    /// Where it is pinned.
    pub pins: Pins,
    /// Its maps.
    pub instance: Instance,
    /// Its rows and its text.
    pub running: Running,
    /// What the text says.
    pub config: Config,
}

impl InForce {
    /// Reads it. Waits for nobody.
    ///
    /// # Errors
    /// [`Code::NotLoaded`] where there is nothing.
    pub fn read(context: &Context<'_>) -> Result<Self, Failure> {
        Self::at(&context.pin_root)
    }

    /// Reads what is in force below a pin root. Waits for nobody.
    ///
    /// # Errors
    /// [`Code::NotLoaded`] where there is nothing.
    pub fn at(pin_root: &Path) -> Result<Self, Failure> {
        let pins = Pins::new(pin_root);
        let instance = Instance::open(&pins, true)?;
        Self::of(pins, instance)
    }

    /// What `read` makes of what is in force, all of one moment. Takes no lock and waits for nobody: where a writer came
    /// between, all is read again, so many times, and then taken as it was read last.
    ///
    /// # Errors
    /// [`Code::NotLoaded`] where there is nothing, and what `read` says.
    pub fn steadily<T>(
        pin_root: &Path,
        mut tries: u32,
        read: impl Fn(&Self) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let once = || {
            let in_force = Self::at(pin_root)?;
            let found = read(&in_force)?;
            Ok((found, in_force.is_still()?))
        };
        loop {
            tries -= 1;
            match once() {
                Ok((found, is_still)) if is_still || tries == 0 => return Ok(found),
                // Of maps that were opened while they were replaced, some may be missing.
                Err(failure) if tries == 0 || !Failure::is_passing(&failure) => return Err(failure),
                _ => {}
            }
        }
    }

    /// Reads it to change it, and keeps other writers out for as long as the lock lives. Links that a killed writer has
    /// left to another program are mended, unless nothing is to be changed.
    pub(super) fn lock(context: &mut Context<'_>, dry_run: bool) -> Result<(Lock, Self), Failure> {
        permission::check_maps()?;
        let pins = Pins::new(&context.pin_root);
        let lock = lock::take(&pins, context.err)?;
        let instance = Instance::open(&pins, false)?;
        if !dry_run {
            perform::mend_links(&pins)?;
        }
        Ok((lock, Self::of(pins, instance)?))
    }

    fn of(pins: Pins, instance: Instance) -> Result<Self, Failure> {
        let running = instance.running()?;
        let config = parse_document(&running.document)?;
        Ok(Self { pins, instance, running, config })
    }

    /// Whether nothing was changed since it was read.
    fn is_still(&self) -> anyhow::Result<bool> {
        Ok(self.instance.is_pinned(&self.pins) && self.instance.generation()? == self.running.generation)
    }

    /// The config with what its slices say.
    pub fn told(&self) -> Config {
        told(&self.config, &self.running.tables.slices)
    }

    /// The name of the endpoint that this host is.
    pub fn host(&self) -> Option<&str> {
        Ranked::of(&self.config).host(&self.running.tables.bank)
    }

    /// Ticks now.
    pub fn now(&self) -> anyhow::Result<u64> {
        Ok(ticks(&self.pins)?.now())
    }
}

/// Changes rows and text of what is in force, by itself: takes no key file and no interface.
///
/// # Errors
/// Where nothing is loaded, or `edit` refuses.
pub fn edit_in_force(
    context: &mut Context<'_>,
    edit: impl FnOnce(&Config, &mut Tables, &Numbers) -> Result<Config, Failure>,
) -> Result<Done, Failure> {
    let (_lock, InForce { instance, running, config, .. }) = InForce::lock(context, false)?;
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

/// The config in force, with what its slices say.
///
/// # Errors
/// [`Code::NotLoaded`] where there is none.
pub fn running_config(context: &Context<'_>) -> Result<Config, Failure> {
    Ok(InForce::read(context)?.told())
}

/// The config that a stored text says.
pub(super) fn parse_document(document: &str) -> Result<Config, Failure> {
    let source = config::Source { path: "the running config".into(), text: document.into() };
    config::parse(source)
        .map(|checked| checked.config)
        .map_err(|faults| Failure::from(faults).code(Code::Failed).hint("apply a config file anew"))
}
