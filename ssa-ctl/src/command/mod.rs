//! One file a command: its arguments in, its outcome out. A command reads or changes, never both.

pub mod address;
pub mod check;
pub mod explain;
pub mod key;
pub mod schema;

use std::path::Path;

use crate::{
    config::{self, Config, edit::EditError, keys::KeyRings},
    context::Context,
    failure::{Code, Failure, Outcome},
};

/// The config in this file; without one, the config that is running.
fn config_of(_: &Context<'_>, file: Option<&Path>) -> Result<Config, Failure> {
    match file {
        Some(path) => Ok(config::read(path)?.config),
        None => Err(not_loaded()),
    }
}

fn not_loaded() -> Failure {
    Failure::new(Code::NotLoaded, "no config is running").hint("bring one into force: ssa-ctl apply FILE")
}

/// Changes the running config: what `key add`, `key retire` and `enforce` do.
fn change(context: &mut Context<'_>, edit: impl FnOnce(&Config) -> Result<Config, EditError>) -> Outcome {
    let config = config_of(context, None)?;
    let wanted =
        edit(&config).map_err(|EditError { message, help }| Failure::new(Code::Invalid, message).hint(help))?;
    into_force(context, &wanted)
}

/// Brings a config into force in the place of the running one.
fn into_force(_: &mut Context<'_>, _: &Config) -> Outcome {
    Err(not_loaded())
}

/// The same with its keys.
fn config_and_keys(context: &Context<'_>, file: Option<&Path>) -> Result<(Config, KeyRings), Failure> {
    if let Some(path) = file {
        let checked = config::read(path)?;
        let rings = checked.load_keys()?;
        return Ok((checked.config, rings));
    }
    let config = config_of(context, None)?;
    let rings = config::keys::load(&config).map_err(|mut problems| {
        let problem = problems.swap_remove(0);
        let hint = problem.help.clone();
        Failure::from(problem).hint(hint)
    })?;
    Ok((config, rings))
}
