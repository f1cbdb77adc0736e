//! `client attach`: a cgroup and a service in; the cgroup's calls to the service's anchors sent to computed addresses.

mod called;
mod follow;

use std::{net::Ipv6Addr, path::PathBuf, time::SystemTime};

use anyhow::Context as _;
use serde_json::json;
use ssa_client::source::source_for;

use self::called::Called;
use super::list;
use crate::{
    client::{self, Purpose},
    command::{current::Current, end::End, target::Target, wished::Chosen},
    context::Context,
    failure::{Exit, Failure, Outcome},
    kernel::{
        cgroup::Cgroup,
        client::{self as programs, Anchor, Attached},
        clock, create, lock, permission,
        pins::Pins,
    },
};

/// Send a cgroup's calls to a service to addresses that follow its rule
///
/// TCP connections, and datagrams of connected sockets and others. An address is computed for each connection and each
/// datagram socket, in the kernel, by the rule and for the address that the call comes from. Where a socket has none, it is
/// bound to the one that the kernel's routes choose now, in this network namespace: when that changes, or DNS does, the
/// command is to be run again. The same service again takes the place of what it was; other services of the cgroup stay.
///
/// With --follow it stays and does that by itself: it looks once a second at the addresses of this host and the wall clock, and
/// at DNS when the records' time is over. SIGINT, SIGTERM and SIGHUP end it, and what is attached stays.
///
/// A rule with a `pow` is refused: it takes a search for each connection, which `proxy` and `connect` make.
///
/// Exit codes: 0 done; 1 the service cannot be found, or an address by which programs can call it; 2 the cgroup is none, an
/// anchor cannot be one, or the rule cannot be followed so; 5 a capability is missing; 6 another program has the cgroup for
/// itself.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    /// The cgroup, of version 2: those below it belong to it
    #[arg(long, value_name = "PATH")]
    cgroup: PathBuf,
    /// An address that programs call; may be given again. Without it those that DNS has for the service's name and that lie in
    /// its prefixes, or with --config the first address of the first prefix, with 1 as its last bit
    #[arg(long = "anchor", value_name = "ADDRESS")]
    anchors: Vec<Ipv6Addr>,
    #[command(flatten)]
    chosen: Chosen,
    /// Stay, and attach anew when DNS, the addresses of this host or the wall clock change
    #[arg(long)]
    follow: bool,
}

/// Attaches the programs.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    permission::check()?;
    let cgroup = Cgroup::open(&args.cgroup)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before anybody is waited for: whoever follows is ended in order at any time.
        let mut end = args.follow.then(End::new).transpose()?;
        let found = async {
            let current = Current::find(&args.target, None).await?;
            let called = Called::find(args, &current).await?;
            Ok::<_, Failure>((current, called))
        };
        let found = match &mut end {
            Some(end) => end.or(found).await,
            None => Some(found.await),
        };
        let Some(found) = found else { return Ok(Exit::Done) };
        let (current, called) = found?;
        called.warn(context, &[]);
        let new = anchors(args, &current, &called.addresses)?;
        let all = put(context, &cgroup, &current, new.clone(), clock::now(context.now))?;
        if context.json {
            let shown: Vec<_> = all.iter().map(list::object).collect();
            context.object(&json!({ "changed": true, "cgroup": cgroup.path, "anchors": shown }))?;
        } else {
            context.table(list::HEADER, all.iter().map(list::line))?;
            writeln!(context.out, "attached to {}", cgroup.path.display())?;
        }
        context.out.flush().context("cannot say what is attached")?;
        match end {
            Some(end) => follow::follow(context, args, &cgroup, current, (called, new), end).await,
            None => Ok(Exit::Done),
        }
    })
}

/// The anchors of the service, as the kernel's routes are now.
fn anchors(args: &Args, current: &Current<'_>, addresses: &[Ipv6Addr]) -> Result<Vec<Anchor>, Failure> {
    let purpose = Purpose { object: args.chosen.object, replica: args.chosen.replica.unwrap_or(0) };
    client::anchors(current.service(), current.selector(), addresses, purpose, source_for)
}

/// Puts the service's anchors in the place of those it had; all of the cgroup.
fn put(
    context: &mut Context<'_>,
    cgroup: &Cgroup,
    current: &Current<'_>,
    new: Vec<Anchor>,
    now: SystemTime,
) -> Result<Vec<Anchor>, Failure> {
    let pins = Pins::new(&context.pin_root);
    pins.make_root()?;
    let _lock = lock::take(&pins, context.err)?;
    create::check_ours(&pins)?;
    forget_gone(&pins)?;
    // What cannot be read is made anew.
    let have = programs::open(&pins, cgroup.id).map_or_else(|_| Vec::new(), |Attached { anchors, .. }| anchors);
    let anchors = client::with(have, &current.service().name, new)?;
    programs::put(&pins, cgroup, &anchors, now).inspect_err(|_| {
        // Where nothing was before, nothing is left; else the folder is not empty.
        let _ = std::fs::remove_dir(pins.root());
    })?;
    Ok(anchors)
}

/// Removes what was attached to cgroups that are gone.
fn forget_gone(pins: &Pins) -> Result<(), Failure> {
    for cgroup in programs::cgroups(pins)? {
        if programs::open(pins, cgroup).is_ok_and(|attached| list::is_gone(&attached)) {
            programs::remove(pins, cgroup)?;
        }
    }
    Ok(())
}
