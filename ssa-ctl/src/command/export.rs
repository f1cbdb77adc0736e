//! `export`: the running state out, as a config that `apply` accepts.

use serde_json::json;

use crate::{
    change,
    context::Context,
    failure::{Exit, Outcome},
    kernel::{instance::Instance, pins::Pins},
};

/// Print the running config, as a file that `apply` accepts
///
/// It names key files and holds no secret. With --json: {"config": …, "toml": "…"}.
#[derive(clap::Args)]
pub struct Args {}

/// Prints the running config.
pub fn run(context: &mut Context<'_>, _: &Args) -> Outcome {
    let running = Instance::open(&Pins::new(&context.pin_root), true)?.running()?;
    if context.json {
        let config = change::parse_document(&running.document)?;
        context.object(&json!({ "config": config, "toml": running.document }))?;
    } else {
        write!(context.out, "{}", running.document)?;
    }
    Ok(Exit::Done)
}
