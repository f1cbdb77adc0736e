//! `client list`: the cgroups whose calls are sent to computed addresses, and which calls those are.

use std::net::Ipv6Addr;

use serde_json::{Value, json};
use ssa_common::bits::Words;

use crate::{
    context::Context,
    failure::{Code, Exit, Failure, Outcome},
    kernel::{
        cgroup::Cgroup,
        client::{self as programs, Anchor, Attached},
        permission,
        pins::Pins,
    },
};

/// Show which calls of which cgroups are sent to computed addresses
///
/// Exit codes: 0 shown; 4 nothing is attached.
#[derive(clap::Args)]
pub struct Args {}

/// What the columns of anchors are.
pub(super) const HEADER: [&str; 4] = ["SERVICE", "ANCHOR", "PREFIX", "FROM"];

/// Shows what is attached.
pub fn run(context: &mut Context<'_>, _: &Args) -> Outcome {
    permission::check_maps()?;
    let pins = Pins::new(&context.pin_root);
    let all = programs::all(&pins)?;
    if all.is_empty() {
        return Err(Failure::new(Code::NotLoaded, format!("nothing is attached at {}", pins.clients().display()))
            .hint("attach to a cgroup: ssa-ctl client attach SERVICE --cgroup PATH"));
    }
    if context.json {
        let cgroups = all.iter().map(|attached| {
            json!({
                "path": attached.path,
                "state": state(attached),
                "build": if attached.current { "current" } else { "another build" },
                "written": attached.written,
                "anchors": attached.anchors.iter().map(object).collect::<Vec<_>>(),
            })
        });
        let cgroups: Vec<_> = cgroups.collect();
        context.object(&json!({ "cgroups": cgroups }))?;
        return Ok(Exit::Done);
    }
    for attached in &all {
        let build = if attached.current { "" } else { ", by another build" };
        writeln!(context.out, "{}  {}{build}", attached.path.display(), state(attached))?;
        context.table(HEADER, attached.anchors.iter().map(line))?;
    }
    Ok(Exit::Done)
}

/// Whether the cgroup that this was attached to is no more. Another at the same path has another number.
pub(super) fn is_gone(attached: &Attached) -> bool {
    !attached.attached && Cgroup::open(&attached.path).map_or(true, |cgroup| cgroup.id != attached.cgroup)
}

fn state(attached: &Attached) -> &'static str {
    match () {
        () if attached.attached => "attached",
        () if is_gone(attached) => "gone",
        () => "not attached",
    }
}

/// An anchor as JSON has it.
pub(super) fn object(anchor: &Anchor) -> Value {
    json!({
        "service": anchor.name,
        "anchor": address(anchor.row.anchor),
        "prefix": prefix(anchor),
        "source": source(anchor),
    })
}

/// An anchor as a line of a table.
pub(super) fn line(anchor: &Anchor) -> [String; 4] {
    let source = source(anchor).map_or_else(|| "any address".to_owned(), |source| source.to_string());
    [anchor.name.clone(), address(anchor.row.anchor).to_string(), prefix(anchor), source]
}

fn address(words: Words) -> Ipv6Addr {
    Ipv6Addr::from_bits(words.to_u128())
}

fn prefix(anchor: &Anchor) -> String {
    let bits = Words::from_u128(ssa_common::bits::mask(0, anchor.length));
    format!("{}/{}", address(anchor.row.template.and(bits)), anchor.length)
}

/// The address that sockets without one are bound to; none where the rule does not ask for it.
fn source(anchor: &Anchor) -> Option<Ipv6Addr> {
    let source = anchor.row.source;
    (!source.is_zero()).then(|| address(source))
}
