//! `down`: everything of an instance detached and removed.

use serde_json::json;

use crate::{
    change::{self, Down},
    context::Context,
    failure::{Exit, Outcome},
};

/// Detach from all interfaces and remove everything
///
/// Nothing is left: no program, no map, no link, no pin, no route of `endpoint host`, no
/// neighbour entry. Where nothing is loaded there is
/// nothing to do.
#[derive(clap::Args)]
pub struct Args {
    /// Take it down although it filters an interface of another network namespace
    #[arg(long)]
    force: bool,
}

/// Takes the instance down.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let was_there = context.pin_root.exists();
    let Down { interfaces, routes, neighbours } = change::down(context, args.force)?;
    if context.json {
        context.object(&json!({ "changed": was_there, "detached": interfaces, "routes": routes,
                                "neighbours": neighbours }))?;
        return Ok(Exit::Done);
    }
    if !routes.is_empty() {
        let prefixes = routes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        writeln!(context.out, "removed the local routes of {prefixes}")?;
    }
    if !neighbours.is_empty() {
        let addresses = neighbours.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        writeln!(context.out, "removed the neighbour entries of {addresses}")?;
    }
    if !was_there {
        writeln!(context.out, "nothing is loaded at {}", context.pin_root.display())?;
    } else if interfaces.is_empty() {
        writeln!(context.out, "removed {}", context.pin_root.display())?;
    } else {
        let names = interfaces.join(", ");
        writeln!(context.out, "detached from {names}; removed {}", context.pin_root.display())?;
    }
    Ok(Exit::Done)
}
