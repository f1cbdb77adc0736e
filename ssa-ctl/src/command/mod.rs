//! One file a command: its arguments in, its outcome out. A command reads or changes, never both.

pub mod check;
pub mod key;
pub mod schema;

use std::path::Path;

use crate::{
    config::{self, Config},
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
