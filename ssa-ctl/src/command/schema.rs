//! `schema`: nothing in; the JSON schema of a config out.

use crate::{
    config,
    context::Context,
    failure::{Exit, Outcome},
};

/// Print the JSON schema of a config
///
/// Editors that know TOML and JSON schemas complete keys and mark mistakes with it. `check` says more than a schema can.
#[derive(clap::Args)]
pub struct Args {}

/// Prints the schema: JSON with and without `--json`.
pub fn run(context: &mut Context<'_>, _: &Args) -> Outcome {
    context.object(&config::schema())?;
    Ok(Exit::Done)
}
