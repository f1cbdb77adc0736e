//! `dns zone`: services in; the records that publish them out, as the zone files of any server take them.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;

use crate::{
    command::config_of,
    context::Context,
    dns::{Format, Publishing, publish},
    failure::{Exit, Failure, Outcome},
};

/// Print the records that publish services, for the zone files of a server
///
/// An AAAA for clients that know nothing of rules, and below the service's name, at the label `_ssa`, its prefixes as APL
/// and its rule as SVCB and as TXT. Names are whole, so that the lines can be included anywhere in the zone. With --json,
/// each record has its data as text and its line in the generic form. No secret is in it.
///
/// Exit codes: 0 printed; 2 a service is not there or has no name in the zone; 4 nothing is loaded, and no --config.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    publishing: Publishing,
    /// For whom
    #[arg(long, value_enum, default_value_t = Format::Zone)]
    format: Format,
    /// Take this config file instead of the running config
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Prints records.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let Args { publishing, format, config } = args;
    let config = config_of(context, config.as_deref())?;
    let published = publish(&config, publishing).map_err(Failure::refused)?;
    let warnings: Vec<_> = published.iter().flat_map(|published| published.warnings(publishing.ttl)).collect();
    let too_long = "a record has more than 65,535 octets: a service has too many prefixes for one";
    if context.json {
        let mut services = Vec::new();
        for published in &published {
            let mut records = Vec::new();
            for entry in published.entries() {
                records.push(json!({
                    "name": entry.name.to_string(),
                    "ttl": entry.ttl,
                    "type": entry.data.kind(),
                    "data": entry.data.to_string(),
                    "generic": entry.generic().context(too_long)?,
                }));
            }
            services.push(json!({
                "service": published.service,
                "name": published.name.to_string(),
                "ttl": published.ttl,
                "longest_ttl": published.longest_ttl,
                "records": records,
            }));
        }
        context.object(&json!({ "zone": publishing.zone.to_string(), "services": services, "warnings": warnings }))?;
        return Ok(Exit::Done);
    }
    for warning in warnings {
        writeln!(context.err, "warning: {warning}")?;
    }
    for line in format.lines(&publishing.zone, &published).context(too_long)? {
        writeln!(context.out, "{line}")?;
    }
    Ok(Exit::Done)
}
