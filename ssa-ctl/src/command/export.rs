//! `export`: the running state out, as a config that `apply` accepts.

use serde_json::json;

use crate::{
    change, config,
    context::Context,
    failure::{Exit, Outcome},
};

/// Print the running config, as a file that `apply` accepts
///
/// Owners and pins of slices are in it. It names key files and holds no secret. With --json: {"config": …, "toml": "…"}.
#[derive(clap::Args)]
pub struct Args {}

/// Prints the running config.
pub fn run(context: &mut Context<'_>, _: &Args) -> Outcome {
    // The slices say who owns what and what stays where: the text that is kept does not.
    let config = change::running_config(context)?;
    let toml = config::to_toml(&config);
    if context.json {
        context.object(&json!({ "config": config, "toml": toml }))?;
    } else {
        write!(context.out, "{toml}")?;
    }
    Ok(Exit::Done)
}
