//! `client detach`: a cgroup in; its calls to anchors go to the anchors again.

use std::path::PathBuf;

use serde_json::json;

use crate::{
    client,
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
    kernel::{
        cgroup::Cgroup,
        client::{self as programs, Attached},
        clock, lock, permission,
        pins::Pins,
    },
};

/// Leave the calls of a cgroup alone again
///
/// Connections that there are stay as they are; their programs are told the address and not the anchor from then on.
///
/// Exit codes: 0 done or nothing to do; 2 there is no such cgroup; 5 a capability is missing.
#[derive(clap::Args)]
pub struct Args {
    /// The service to leave alone; without one, all of the cgroup
    #[arg(requires = "cgroup", conflicts_with = "all")]
    service: Option<String>,
    /// The cgroup
    #[arg(long, value_name = "PATH", required_unless_present = "all")]
    cgroup: Option<PathBuf>,
    /// Leave all cgroups alone, those that are gone too
    #[arg(long, conflicts_with = "cgroup")]
    all: bool,
}

/// Detaches the programs.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    permission::check()?;
    let pins = Pins::new(&context.pin_root);
    let cgroup = args.cgroup.as_deref().map(Cgroup::open).transpose()?;
    let mut detached = Vec::new();
    if pins.clients().exists() {
        pins.check()?;
        let _lock = lock::take(&pins, context.err)?;
        let there = programs::cgroups(&pins)?;
        for id in there.into_iter().filter(|id| cgroup.as_ref().is_none_or(|cgroup| cgroup.id == *id)) {
            let have = programs::open(&pins, id);
            // What cannot be read is removed by its number.
            detached.push(have.as_ref().map_or_else(|_| id.to_string().into(), |have| have.path.clone()));
            match (&args.service, &cgroup) {
                (Some(service), Some(cgroup)) => leave(context, &pins, cgroup, have?, service)?,
                _ => programs::remove(&pins, id)?,
            }
        }
        // Without a filter beside it, the folder is the client's alone.
        let _ = std::fs::remove_dir(pins.root());
    }
    if context.json {
        context.object(&json!({ "changed": !detached.is_empty(), "cgroups": detached }))?;
    } else if detached.is_empty() {
        writeln!(context.out, "no change")?;
    }
    for path in detached.iter().filter(|_| !context.json) {
        writeln!(context.out, "detached from {}", path.display())?;
    }
    Ok(Exit::Done)
}

/// Takes one service away.
fn leave(context: &Context<'_>, pins: &Pins, cgroup: &Cgroup, have: Attached, service: &str) -> Result<(), Failure> {
    let before = have.anchors.len();
    let anchors = client::without(have.anchors, service);
    if anchors.len() == before {
        let message = format!("no anchor of {} is one of {service}", cgroup.path.display());
        return Err(Failure::new(Code::Invalid, message).hint("see what there is: ssa-ctl client list"));
    }
    if anchors.is_empty() {
        return Ok(programs::remove(pins, cgroup.id)?);
    }
    programs::put(pins, cgroup, &anchors, clock::now(context.now))
}
