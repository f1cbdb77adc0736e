//! `services`: the services in force out, with their prefixes, rules and settings.

use serde_json::json;

use super::settings;
use crate::{
    change,
    context::Context,
    failure::{Exit, Outcome},
};

/// List the services in force
#[derive(clap::Args)]
pub struct Args {}

/// Lists the services.
pub fn run(context: &mut Context<'_>, _: &Args) -> Outcome {
    let config = change::running_config(context)?;
    if context.json {
        context.object(&json!({ "services": config.services }))?;
        return Ok(Exit::Done);
    }
    let rows = config.services.iter().map(|service| {
        let list = |words: Vec<String>| words.join(", ");
        let allow = service.allow.as_ref();
        [
            service.name.clone(),
            list(service.prefixes.iter().map(ToString::to_string).collect()),
            service.rule.to_string(),
            service.enforce.to_string(),
            allow.map_or_else(|| "everything".into(), |allow| list(allow.iter().map(ToString::to_string).collect())),
            settings::words(service).unwrap_or_else(|| "-".into()),
        ]
    });
    context.table(["SERVICE", "PREFIXES", "RULE", "ENFORCE", "ALLOW", "BESIDES"], rows)?;
    Ok(Exit::Done)
}
