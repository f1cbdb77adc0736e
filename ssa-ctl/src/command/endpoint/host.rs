//! `endpoint host`: which prefixes this host takes, and to which sockets calls go; switched on and off.

use clap::Subcommand;
use serde_json::json;
use ssa_common::rows::LookupRow;

use crate::{
    change,
    context::Context,
    failure::{Exit, Outcome},
    host::{self, Brought, Wanted, hand::Hand, shown::Shown},
    kernel::{
        lookup::{self, LOOKUP},
        pins::Pins,
        routes::{self, Local, OURS},
    },
};

/// Take all addresses of services on this host, and hand ports to sockets
///
/// Without `on` or `off`: shows which prefixes this host takes, and which calls go to which socket. Exit code 4 where
/// nothing is loaded.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    On(On),
    Off(Off),
}

/// Take all addresses of the services in force
///
/// Adds the route `local PREFIX dev lo`, of protocol 250, for each prefix (AnyIP): this host then takes every address of
/// it. A local route that somebody else made is left alone. Without names, all services are taken, and routes of protocol
/// 250 that are in no service any more are removed. The same again changes nothing.
///
/// Exit codes: 0 done or nothing to do; 1 no such socket; 3 with --dry-run, there is something to do; 4 nothing is loaded;
/// 5 a capability is missing.
#[derive(clap::Args)]
struct On {
    /// The services; without any, all of the running config
    services: Vec<String>,
    /// Hand the calls of a service and port to the socket that is bound there: `web=tcp/443@[::1]:8443`, or
    /// `web:0-15=tcp/443@[::1]:8443` for some slices. Together they replace those of before; without any, those stay,
    /// and their sockets are looked for again
    #[arg(long = "hand", value_name = "SERVICE[:SLICES]=PROTOCOL/PORT@[ADDRESS]:PORT")]
    hands: Vec<Hand>,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Remove the routes of protocol 250, and hand no calls to sockets
///
/// Removes what `on` has made and nothing else. Needs no config, and no filter.
#[derive(clap::Args)]
struct Off {
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Shows the endpoint host, or switches it.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    match &args.command {
        None => show(context),
        Some(Command::On(On { services, hands, dry_run })) => {
            let brought = host::on(context, &Wanted { services, hands }, *dry_run)?;
            report(context, &brought, *dry_run)
        }
        Some(Command::Off(Off { dry_run })) => {
            let brought = host::off(context, *dry_run)?;
            report(context, &brought, *dry_run)
        }
    }
}

fn report(context: &mut Context<'_>, Brought { steps, warnings }: &Brought, dry_run: bool) -> Outcome {
    if context.json {
        context.object(&json!({
            "changed": !dry_run && !steps.is_empty(),
            "dry_run": dry_run,
            "steps": steps,
            "warnings": warnings,
        }))?;
    } else {
        for warning in warnings {
            writeln!(context.err, "warning: {warning}")?;
        }
        if steps.is_empty() {
            writeln!(context.out, "no change")?;
        } else {
            let rows = steps.iter().map(|step| [step.action.name().into(), step.object.clone(), step.detail.clone()]);
            context.table(["STEP", "OBJECT", "DETAIL"], rows)?;
            let (count, plural) = (steps.len(), if steps.len() == 1 { "" } else { "s" });
            let end = if dry_run { "to do; nothing was changed" } else { "done" };
            writeln!(context.out, "{count} step{plural} {end}")?;
        }
    }
    Ok(if dry_run && !steps.is_empty() { Exit::Differs } else { Exit::Done })
}

fn show(context: &mut Context<'_>) -> Outcome {
    let config = change::running_config(context)?;
    let have = routes::local()?;
    let lookup = lookup::open(&Pins::new(&context.pin_root))?;

    let of_services =
        config.services.iter().flat_map(|service| service.prefixes.iter().map(move |prefix| (service, prefix)));
    let mut taken: Vec<_> = of_services
        .map(|(service, prefix)| {
            let there: Vec<_> = have.iter().filter(|route| route.prefix == *prefix).collect();
            let route = there.iter().find(|route| route.protocol == OURS).or(there.first());
            (Some(service.name.as_str()), *prefix, route.map(|route| route.protocol))
        })
        .collect();
    let is_known = |route: &Local| taken.iter().any(|(_, prefix, _)| *prefix == route.prefix);
    let others: Vec<_> = have.iter().filter(|route| route.protocol == OURS && !is_known(route)).collect();
    for route in others {
        let service =
            config.services.iter().find(|service| service.prefixes.iter().any(|prefix| prefix.contains(&route.prefix)));
        taken.push((service.map(|service| service.name.as_str()), route.prefix, Some(OURS)));
    }
    let rows = lookup.as_ref().map_or(&[][..], |lookup| &lookup.rows);
    let has_socket = |row: &LookupRow| {
        lookup.as_ref().is_some_and(|lookup| lookup.sockets.get(row.socket as usize).is_some_and(Option::is_some))
    };
    let build = |current| if current { "current" } else { "another build" };
    if context.json {
        let routes = taken.iter().map(|(service, prefix, protocol)| {
            json!({ "service": service, "prefix": prefix, "route": state(*protocol), "protocol": protocol })
        });
        let hands = rows.iter().map(|row| {
            let shown = Shown::of(&config.services, row);
            let slices = shown.slices.map(|(first, last)| [first, last]);
            json!({ "service": shown.service, "addresses": shown.addresses, "slices": slices,
                    "call": shown.call, "to": shown.to, "socket": has_socket(row) })
        });
        let program = lookup.as_ref().map(|lookup| {
            json!({ "name": LOOKUP, "program_id": lookup.program, "link_id": lookup.link,
                    "attached": lookup.attached, "build": build(lookup.current) })
        });
        let (routes, hands): (Vec<_>, Vec<_>) = (routes.collect(), hands.collect());
        context.object(&json!({ "routes": routes, "lookup": program, "hands": hands }))?;
        return Ok(Exit::Done);
    }
    let routes = taken.iter().map(|(service, prefix, protocol)| {
        let state = match protocol {
            Some(OURS) if service.is_none() => "ours, of no service: run `endpoint host on`".into(),
            Some(OURS) | None => state(*protocol).into(),
            Some(other) => format!("somebody else's (protocol {other})"),
        };
        [service.unwrap_or("-").into(), prefix.to_string(), state]
    });
    let routes: Vec<_> = routes.collect();
    context.table(["SERVICE", "PREFIX", "LOCAL ROUTE"], routes)?;
    let Some(lookup) = &lookup else { return Ok(Exit::Done) };
    let attached = if lookup.attached { "attached" } else { "NOT ATTACHED: run `endpoint host on`" };
    writeln!(context.out, "lookup  {LOOKUP} {} ({}), {attached}", lookup.program, build(lookup.current))?;
    let hands = rows.iter().map(|row| {
        let shown = Shown::of(&config.services, row);
        let socket = if has_socket(row) { "there" } else { "GONE: run `endpoint host on`" };
        let service = shown.service.unwrap_or("-").to_owned();
        [service, shown.call.to_string(), shown.addresses.clone(), shown.slices(), shown.to.to_string(), socket.into()]
    });
    let hands: Vec<_> = hands.collect();
    context.table(["SERVICE", "CALL", "ADDRESSES", "SLICES", "TO", "SOCKET"], hands)?;
    Ok(Exit::Done)
}

const fn state(protocol: Option<u8>) -> &'static str {
    match protocol {
        Some(OURS) => "ours",
        Some(_) => "others",
        None => "none",
    }
}
