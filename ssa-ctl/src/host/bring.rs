//! What is wanted of the endpoint host in; the host brought to it, under the writers' lock, out.

use anyhow::Context as _;
use ipnet::Ipv6Net;
use ssa_common::parse::protocol;

use super::{
    hand::{self, Hand, Handing},
    plan::{self, Action, Routes, Step},
};
use crate::{
    change::InForce,
    context::Context,
    failure::{Code, Failure},
    kernel::{
        create, lock,
        lookup::{self, Lookup},
        permission,
        pins::Pins,
        routes,
        sockets::{self, Bound},
    },
};

/// What is wanted.
pub struct Wanted<'a> {
    /// The services whose prefixes this host takes; none named: all.
    pub services: &'a [String],
    /// What is handed to which socket; none: what was handed before.
    pub hands: &'a [Hand],
}

/// What was done, or would be.
#[derive(Default)]
pub struct Brought {
    /// The steps.
    pub steps: Vec<Step>,
    /// What the operator should know.
    pub warnings: Vec<String>,
}

/// Takes the prefixes of services, and hands calls to sockets.
///
/// # Errors
/// Where nothing is loaded, or there is no such service or socket: then nothing is changed.
pub fn on(context: &mut Context<'_>, wanted: &Wanted<'_>, dry_run: bool) -> Result<Brought, Failure> {
    permission::check()?;
    let pins = Pins::new(&context.pin_root);
    let _lock = lock::take(&pins, context.err)?;
    let services = InForce::read(context)?.config.services;

    let named = wanted.hands.iter().map(|hand| &hand.service).chain(wanted.services);
    named.into_iter().try_for_each(|name| hand::named(&services, name).map(drop))?;
    let mut named: Vec<&str> = wanted.services.iter().map(String::as_str).collect();
    if !named.is_empty() {
        named.extend(wanted.hands.iter().map(|hand| hand.service.as_str()));
    }
    let routes = Routes::on(&services, &named, &routes::local()?);
    let have = match lookup::open(&pins) {
        // What cannot be read is made anew, where it is said what it should be.
        Err(_) if !wanted.hands.is_empty() => None,
        have => have?,
    };
    let want = if wanted.hands.is_empty() {
        Handing::again(&services, have.as_ref().map_or(&[], |have| &have.rows))
    } else {
        Handing::of(&services, wanted.hands)?
    };
    let found = sockets::find(&want.sockets)?;
    let mut warnings: Vec<String> = routes.others.iter().map(somebody_elses).collect();
    for (bound, _) in want.sockets.iter().zip(&found).filter(|(_, socket)| socket.is_none()) {
        if !wanted.hands.is_empty() {
            return Err(nobody_there(bound));
        }
        warnings.push(format!("no socket is bound to {}: nothing is handed there", named_socket(bound)));
    }
    warnings.extend(want.rows.iter().filter(|row| row.protocol == protocol::UDP && row.port != row.to_port).map(|row| {
        let (port, to) = (row.port, row.to_port);
        format!("udp/{port} goes to a socket on port {to}: its answers come from port {to}, and who called {port} does not take them")
    }));
    warnings.dedup();

    let cookies =
        found.iter().map(|socket| socket.as_ref().map(sockets::cookie).transpose()).collect::<Result<Vec<_>, _>>();
    let cookies = cookies.context("cannot ask who a socket is")?;
    let mut steps = plan::lookup(&services, &want, &cookies, have.as_ref(), lookup::is_left(&pins));
    let change_lookup = !steps.is_empty() || have.is_none() && lookup::is_there(&pins);
    if want.rows.is_empty() && change_lookup {
        steps.push(plan::without_lookup());
    }
    steps.extend(routes.steps());
    if dry_run {
        return Ok(Brought { steps, warnings });
    }
    // The sockets first: a prefix that this host takes from now on goes where it should from its first packet on.
    let mut said = Vec::new();
    if change_lookup {
        if want.rows.is_empty() {
            lookup::remove(&pins)?;
        } else {
            lookup::put(&pins, &want.rows, &found)?;
        }
        said.push("the lookup program".to_owned());
    }
    perform(&routes, &mut said)?;
    Ok(Brought { steps, warnings })
}

/// Removes our routes, and what hands calls to sockets. Needs no instance.
///
/// # Errors
/// Where the instance is another network namespace's, or a route cannot be removed.
pub fn off(context: &mut Context<'_>, dry_run: bool) -> Result<Brought, Failure> {
    permission::check()?;
    let pins = Pins::new(&context.pin_root);
    let _lock = if pins.root().exists() {
        pins.check()?;
        Some(lock::take(&pins, context.err)?)
    } else {
        None
    };
    if create::is_foreign(&pins)? {
        return Err(Failure::new(
            Code::Failed,
            format!("{} belongs to another network namespace", pins.root().display()),
        )
        .hint("enter that namespace"));
    }
    let routes = Routes::off(&routes::local()?);
    let mut steps: Vec<Step> = routes.steps().collect();
    let is_there = lookup::is_there(&pins);
    if is_there {
        steps.extend(unhand(context, &pins));
        steps.push(plan::without_lookup());
    }
    if !dry_run {
        perform(&routes, &mut Vec::new())?;
        if is_there {
            lookup::remove(&pins)?;
        }
    }
    Ok(Brought { steps, warnings: Vec::new() })
}

/// The prefixes of our routes.
pub fn routes_of_ours() -> Result<Vec<Ipv6Net>, Failure> {
    Ok(Routes::off(&routes::local()?).remove)
}

/// Removes our routes; their prefixes.
pub fn routes_off() -> Result<Vec<Ipv6Net>, Failure> {
    let routes = Routes::off(&routes::local()?);
    perform(&routes, &mut Vec::new())?;
    Ok(routes.remove)
}

/// The rows that go, where they and the config can still be read.
fn unhand(context: &Context<'_>, pins: &Pins) -> Vec<Step> {
    let rows = lookup::open(pins).ok().flatten().map(|Lookup { rows, .. }| rows).unwrap_or_default();
    let services = InForce::read(context).map(|in_force| in_force.config.services);
    plan::unhand(&services.unwrap_or_default(), &rows)
}

fn perform(routes: &Routes, said: &mut Vec<String>) -> Result<(), Failure> {
    let steps = routes.add.iter().map(|prefix| (Action::Route, *prefix));
    for (action, prefix) in steps.chain(routes.remove.iter().map(|prefix| (Action::Unroute, *prefix))) {
        let result = if action == Action::Route { routes::add(prefix) } else { routes::remove(prefix) };
        if let Err(failure) = result {
            if said.is_empty() {
                return Err(failure);
            }
            let error = failure.error.context(format!("done: {}; then a step failed", said.join(", ")));
            return Err(Failure { error, ..failure });
        }
        said.push(format!("{} {prefix}", action.name()));
    }
    Ok(())
}

fn somebody_elses(route: &routes::Local) -> String {
    format!("{} has a local route of somebody else (protocol {}), which is left alone", route.prefix, route.protocol)
}

fn nobody_there(bound: &Bound) -> Failure {
    Failure::new(Code::Failed, format!("no socket is bound to {} in this network namespace", named_socket(bound)))
        .hint("start the server first; a TCP socket must listen, and a UDP socket must have no peer")
}

fn named_socket(bound: &Bound) -> String {
    let protocol = if bound.protocol == protocol::TCP { "tcp" } else { "udp" };
    format!("{protocol} {}", bound.address)
}
