//! One file a command: its arguments in, its outcome out. A command reads or changes, never both.

pub mod address;
pub mod apply;
pub mod bench;
pub mod check;
pub mod doctor;
pub mod down;
pub mod endpoint;
pub mod endpoints;
pub mod enforce;
pub mod explain;
pub mod export;
pub mod key;
mod progress;
mod report;
pub mod schema;
pub mod services;
pub mod simulate;
pub mod slice;
pub mod slices;
pub mod stats;
pub mod status;

use std::path::Path;

use clap::builder::TypedValueParser;

use crate::{
    change,
    config::{self, Config, Service, edit::EditError, keys::KeyRings},
    context::Context,
    failure::{Code, Failure, Outcome},
    kernel::netlink::Host,
};

/// Unix seconds up to the end of the year 9999.
fn unix_time() -> impl TypedValueParser<Value = u64> {
    clap::value_parser!(u64).range(0..=253_402_300_799)
}

/// The config in this file; without one, the config that is running.
fn config_of(context: &Context<'_>, file: Option<&Path>) -> Result<Config, Failure> {
    match file {
        Some(path) => Ok(config::read(path)?.config),
        None => change::running_config(context),
    }
}

/// Changes the running config, or says what that would take: what `key add`, `slice split` and `endpoint drain` do.
pub(crate) fn change(
    context: &mut Context<'_>,
    dry_run: bool,
    edit: impl FnOnce(&Config) -> Result<Config, EditError>,
) -> Outcome {
    let mut config = config_of(context, None)?;
    // The slices in force are what the new assignment begins with.
    config.services.iter_mut().for_each(|service| service.owners.clear());
    let wanted = edit(&config).map_err(refused)?;
    let rings = load_keys(&wanted)?;
    let host = Host::ask()?;
    let interfaces = change::find_interfaces(&wanted, &host).map_err(|(_, name)| {
        Failure::new(Code::Failed, format!("the interface {name} of the running config is gone"))
            .hint("apply a config without it")
    })?;
    let wanted = change::Wanted { config: &wanted, rings: &rings, interfaces, host: &host };
    let done = change::bring(context, &wanted, dry_run)?;
    report::steps(context, &done, dry_run)
}

fn refused(EditError { message, help }: EditError) -> Failure {
    Failure::new(Code::Invalid, message).hint(help)
}

/// The service of this name, and its place in the config.
fn service<'a>(config: &'a Config, name: &str) -> Result<(usize, &'a Service), Failure> {
    config.service(name).ok_or_else(|| {
        let names: Vec<_> = config.services.iter().map(|service| service.name.as_str()).collect();
        Failure::new(Code::Invalid, format!("there is no service named {name}"))
            .hint(format!("the services are {}", names.join(", ")))
    })
}

/// A config as [`config_of`] has it, with its keys.
fn config_and_keys(context: &Context<'_>, file: Option<&Path>) -> Result<(Config, KeyRings), Failure> {
    if let Some(path) = file {
        let checked = config::read(path)?;
        let rings = checked.load_keys()?;
        return Ok((checked.config, rings));
    }
    let config = config_of(context, None)?;
    let rings = load_keys(&config)?;
    Ok((config, rings))
}

fn load_keys(config: &Config) -> Result<KeyRings, Failure> {
    config::keys::load(config).map_err(|mut problems| {
        let problem = problems.swap_remove(0);
        let hint = problem.help.clone();
        Failure::from(problem).hint(hint)
    })
}
