//! `dns query`: a name in; the service that a client sees there, and which records say so, out.

use serde_json::json;
use ssa_client::{
    Selector,
    resolve::{Origin, Resolver, Seen},
};
use ssa_common::rule::Key;

use crate::{
    command::{
        resolving::{Resolving, unresolved},
        target::refused,
    },
    context::Context,
    failure::{Exit, Outcome},
};

/// Ask the DNS what a client sees of a service
///
/// Its prefixes, what is excluded of them, its rule, how long all of it holds, and which records say so. A record that is
/// not understood is refused, as clients do.
///
/// Exit codes: 0 there is a service; 1 there is none, no client could compute an address of it, or its records are refused or,
/// with --require-secure, not signed; 2 the name is none.
#[derive(clap::Args)]
pub struct Args {
    /// The service's name
    name: String,
    #[command(flatten)]
    resolving: Resolving,
}

/// Prints the service.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let options = args.resolving.options()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let seen = runtime.block_on(async { Resolver::new(&options)?.look(&args.name).await }).map_err(unresolved)?;
    let Seen { service, rule, prefixes, unused } = &seen;
    // Clients have the key of a `mac` from elsewhere; whether it is this one, no fault depends on.
    Selector::new(service, &[Key { number: 0, secret: [0; 16] }]).map_err(|error| refused(&args.name, error))?;
    let record = &service.record;
    let dnssec = match service.authenticated {
        true => "secure",
        false if args.resolving.is_checked() => "insecure",
        false => "unchecked",
    };
    let salt = (record.salt != [0; 16]).then(|| format!("{:032x}", u128::from_be_bytes(record.salt)));
    if context.json {
        let at = |Origin { name, kind }: &Origin| json!({ "name": name, "type": kind });
        context.object(&json!({
            "name": service.name,
            "prefixes": service.prefixes,
            "excluded": service.excluded,
            "unused": unused.iter().map(|unused| unused.prefix).collect::<Vec<_>>(),
            "prefixes_at": at(prefixes),
            "rule": record.rule.to_string(),
            "salt": salt,
            "skew": record.skew,
            "objects": record.objects.name(),
            "rule_at": at(rule),
            "key": record.rule.key(),
            "port": service.port,
            "ttl": service.ttl.as_secs(),
            "dnssec": dnssec,
            "authenticated": service.authenticated,
        }))?;
        return Ok(Exit::Done);
    }
    let at = |Origin { name, kind }: &Origin| format!("{name} {kind}");
    let mut rows: Vec<[String; 3]> = Vec::new();
    let mut row = |what: &str, value: String, from: &str| rows.push([what.into(), value, from.into()]);
    service.prefixes.iter().for_each(|prefix| row("prefix", prefix.to_string(), &at(prefixes)));
    service.excluded.iter().for_each(|prefix| row("excluded", prefix.to_string(), &at(prefixes)));
    for unused in unused {
        row("unused", unused.to_string(), &at(prefixes));
    }
    row("rule", record.rule.to_string(), &at(rule));
    if let Some(key) = record.rule.key() {
        row("key", format!("{key}, which clients have from elsewhere"), &at(rule));
    }
    row("salt", salt.unwrap_or_else(|| "none".into()), &at(rule));
    row("skew", format!("{} s", record.skew), &at(rule));
    row("objects", record.objects.name().into(), &at(rule));
    row("port", service.port.map_or_else(|| "any".into(), |port| port.to_string()), &at(rule));
    row("ttl", format!("{} s", service.ttl.as_secs()), "all of them");
    row("dnssec", dnssec.into(), "all of them");
    context.table(["WHAT", "VALUE", "FROM"], rows)?;
    Ok(Exit::Done)
}
