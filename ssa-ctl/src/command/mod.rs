//! One file a command: its arguments in, its outcome out. A command reads or changes, never both.

pub mod address;
pub mod check;
pub mod key;
pub mod schema;

use std::path::Path;

use crate::{
    config::{self, Config, keys::KeyRings},
    context::Context,
    failure::{Code, Failure},
};

/// The config in this file; without one, the config that is running.
fn config_of(_: &Context<'_>, file: Option<&Path>) -> Result<Config, Failure> {
    match file {
        Some(path) => Ok(config::read(path)?.config),
        None => Err(Failure::new(Code::NotLoaded, "no config is running").hint("name one with --config FILE")),
    }
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
