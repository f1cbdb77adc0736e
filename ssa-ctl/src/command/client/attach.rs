//! `client attach`: a cgroup and a service in; the cgroup's calls to the service's anchors sent to computed addresses.

use std::{net::Ipv6Addr, path::PathBuf};

use serde_json::json;
use ssa_client::source::source_for;
use ssa_common::rule::object_id;

use super::{super::target::Target, list};
use crate::{
    client::{self, Purpose},
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
    kernel::{
        cgroup::Cgroup,
        client::{self as programs, Attached},
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
/// A rule with a `pow` is refused: it takes a search for each connection, which `proxy` and `connect` make.
///
/// Exit codes: 0 done; 1 the service cannot be found; 2 the cgroup is none, or the rule cannot be followed so; 5 a capability
/// is missing; 6 another program has the cgroup for itself.
#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    target: Target,
    /// The cgroup, of version 2: those below it belong to it
    #[arg(long, value_name = "PATH")]
    cgroup: PathBuf,
    /// An address that programs call; may be given again. Without it those that DNS has for the service's name, or with
    /// --config the first address of the first prefix, with 1 as its last bit
    #[arg(long = "anchor", value_name = "ADDRESS")]
    anchors: Vec<Ipv6Addr>,
    /// The object that is wanted: 0x and 32 hexadecimal digits, the number of a block, or a name
    #[arg(long, value_name = "ID", value_parser = object_id)]
    object: Option<u128>,
    /// The replica that is wanted, counted from 0
    #[arg(long, value_name = "R", default_value_t = 0)]
    replica: u32,
}

/// Attaches the programs.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    permission::check()?;
    let cgroup = Cgroup::open(&args.cgroup)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (service, selector, addresses) = runtime.block_on(async {
        let (service, selector) = args.target.find(None).await?;
        if service.is_of_addresses() {
            return Err(
                Failure::new(Code::Invalid, format!("{} has no rule", service.name)).hint("programs reach it as it is")
            );
        }
        let addresses =
            if args.anchors.is_empty() { args.target.anchors(&service).await? } else { args.anchors.clone() };
        Ok((service, selector, addresses))
    })?;
    let Args { object, replica, .. } = *args;
    let new = client::anchors(&service, &selector, &addresses, Purpose { object, replica }, source_for)?;

    let pins = Pins::new(&context.pin_root);
    pins.make_root()?;
    let _lock = lock::take(&pins, context.err)?;
    create::check_ours(&pins)?;
    forget_gone(&pins)?;
    // What cannot be read is made anew.
    let have = programs::open(&pins, cgroup.id).map_or_else(|_| Vec::new(), |Attached { anchors, .. }| anchors);
    let anchors = client::with(have, &service.name, new)?;
    programs::put(&pins, &cgroup, &anchors, clock::now(context.now)).inspect_err(|_| {
        // Where nothing was before, nothing is left; else the folder is not empty.
        let _ = std::fs::remove_dir(pins.root());
    })?;
    if context.json {
        let shown: Vec<_> = anchors.iter().map(list::object).collect();
        context.object(&json!({ "changed": true, "cgroup": cgroup.path, "anchors": shown }))?;
    } else {
        context.table(list::HEADER, anchors.iter().map(list::line))?;
        writeln!(context.out, "attached to {}", cgroup.path.display())?;
    }
    Ok(Exit::Done)
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
