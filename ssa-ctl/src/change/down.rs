//! A pin root in; everything of ours below it and in this network namespace removed, and what that was, out.

use std::{net::Ipv6Addr, path::PathBuf};

use anyhow::Context as _;
use ipnet::Ipv6Net;

use crate::{
    context::Context,
    failure::{Code, Failure},
    host,
    kernel::{client, create, lock, lookup, neighbours, permission, pins::Pins},
};

/// What was taken down.
#[derive(Default)]
pub struct Down {
    /// Whether anything was below the pin root.
    pub was_there: bool,
    /// The interfaces that were attached to.
    pub interfaces: Vec<String>,
    /// The prefixes whose local routes were ours.
    pub routes: Vec<Ipv6Net>,
    /// The addresses whose neighbour entries were ours.
    pub neighbours: Vec<Ipv6Addr>,
    /// The other instances of this network namespace, to which routes and neighbour entries of ours were left.
    pub left_to: Vec<PathBuf>,
}

/// Takes everything down below the pin root, the endpoint host's routes and our neighbour entries; says what was there.
///
/// Routes and entries say that they are ours, and not whose of us: they go with the last instance of the network namespace,
/// and where nothing is loaded any more, too.
///
/// # Errors
/// Where the folder is not one of ours, or another network namespace's filter still runs and `force` is not given.
pub fn down(context: &mut Context<'_>, force: bool) -> Result<Down, Failure> {
    let pins = Pins::new(&context.pin_root);
    permission::check()?;
    if !context.pin_root.exists() {
        return unshared(&pins);
    }
    pins.check()?;
    let _lock = lock::take(&pins, context.err)?;
    create::check_ours(&pins)?;
    if !force && let Some(interface) = create::foreign_link(&pins)? {
        let message =
            format!("{} belongs to another network namespace, and filters {interface} there", pins.root().display());
        return Err(Failure::new(Code::Failed, message).hint("enter that namespace, or say --force"));
    }
    let interfaces = pins.linked()?;
    // The routes and neighbours of another network namespace cannot be had from here.
    let shared = if create::is_foreign(&pins)? { Down::default() } else { unshared(&pins)? };
    lookup::remove(&pins)?;
    let cgroups = client::cgroups(&pins)?;
    cgroups.iter().try_for_each(|cgroup| client::remove(&pins, *cgroup))?;
    create::clear(&pins)?;
    std::fs::remove_dir(pins.root())
        .with_context(|| format!("cannot remove {}: something of others is in it", pins.root().display()))?;
    Ok(Down { was_there: true, interfaces, ..shared })
}

/// Removes our routes and neighbour entries, as long as no other instance here may need them.
fn unshared(pins: &Pins) -> Result<Down, Failure> {
    let others = create::beside(pins)?;
    if others.is_empty() {
        return Ok(Down { routes: host::routes_off()?, neighbours: neighbours::forget_all()?, ..Down::default() });
    }
    let is_left = !host::routes_of_ours()?.is_empty() || !neighbours::ours()?.is_empty();
    Ok(Down { left_to: if is_left { others } else { Vec::new() }, ..Down::default() })
}
