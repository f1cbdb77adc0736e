//! One file a command: its arguments in, its outcome out. A command reads or changes, never both.

pub mod address;
pub mod apply;
mod asking;
pub mod bench;
pub mod block;
pub mod check;
pub mod client;
mod clients;
pub mod connect;
mod current;
pub mod detect;
pub mod dns;
pub mod doctor;
pub mod down;
mod end;
pub mod endpoint;
pub mod endpoints;
pub mod enforce;
pub mod events;
pub mod explain;
pub mod export;
mod followed;
mod http;
pub mod issue;
pub mod key;
mod key_files;
mod keyed;
mod listening;
pub mod metrics;
mod now;
mod pause;
mod pem;
mod progress;
pub mod proxy;
mod report;
mod resolving;
pub mod schema;
pub mod services;
mod settings;
pub mod simulate;
pub mod slice;
pub mod slices;
pub mod stats;
pub mod status;
mod target;
pub mod top;
mod wished;

use std::path::Path;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use ssa_common::verdict::Reason;

use crate::{
    change,
    config::{self, Config, Refusal, Service, keys::KeyRings},
    context::Context,
    failure::{Code, Failure, Outcome},
    kernel::netlink::Host,
};

/// Unix seconds up to the end of the year 9999.
fn unix_time() -> impl TypedValueParser<Value = u64> {
    clap::value_parser!(u64).range(0..=253_402_300_799)
}

/// One of these reasons, by its name.
fn reason(of: &'static [Reason]) -> impl TypedValueParser<Value = Reason> {
    PossibleValuesParser::new(of.iter().map(|reason| reason.name()))
        .try_map(|name| of.iter().copied().find(|reason| reason.name() == name).ok_or("no such reason"))
}

/// The config in this file; without one, the config that is running.
fn config_of(context: &Context<'_>, file: Option<&Path>) -> Result<Config, Failure> {
    match file {
        Some(path) => Ok(config::read(path)?.config),
        None => change::running_config(context),
    }
}

/// The running config, changed.
pub(crate) struct Edited {
    /// What it is to be.
    config: Config,
    /// The service whose slices are shared out anew, whatever else changes.
    rebalance: Option<String>,
    /// What the operator should know.
    warnings: Vec<String>,
}

impl From<Config> for Edited {
    fn from(config: Config) -> Self {
        Self { config, rebalance: None, warnings: Vec::new() }
    }
}

/// Changes the running config, or says what that would take: what `key add`, `slice split` and `endpoint drain` do.
pub(crate) fn change<E: Into<Edited>>(
    context: &mut Context<'_>,
    dry_run: bool,
    edit: impl FnOnce(&Config) -> Result<E, Refusal>,
) -> Outcome {
    let mut said = Vec::new();
    let done = change::change(context, dry_run, |config| {
        let had = config;
        let Edited { config, rebalance, warnings } = edit(&had).map_err(Failure::refused)?.into();
        said = warnings;
        said.extend(config::new_warnings(&had, &config));
        let rings = load_keys(&config)?;
        let host = Host::ask()?;
        let interfaces = change::find_interfaces(&config, &host).map_err(|(_, name)| {
            Failure::new(Code::Failed, format!("the interface {name} of the running config is gone"))
                .hint("apply a config without it")
        })?;
        Ok(change::Wanted { config, rings, interfaces, host, rebalance })
    })?;
    report::steps(context, &done, &said, dry_run)
}

/// The service of this name, and its place in the config.
fn service<'a>(config: &'a Config, name: &str) -> Result<(usize, &'a Service), Failure> {
    config.named(name).map_err(Failure::refused)
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
