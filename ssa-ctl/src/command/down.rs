//! `down`: everything of an instance detached and removed.

use serde_json::json;

use crate::{
    change::{self, Down},
    context::Context,
    failure::{Exit, Outcome},
};

/// Detach from all interfaces and remove everything
///
/// Nothing is left: no program, no map, no link, no pin, no route of `endpoint host`, no neighbour entry. Routes and
/// entries go too where nothing is loaded, since somebody has removed the pins. While another instance of this network
/// namespace has its pins in the same folder, they are left to it.
#[derive(clap::Args)]
pub struct Args {
    /// Take it down although it filters an interface of another network namespace
    #[arg(long)]
    force: bool,
}

/// Takes the instance down.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let Down { was_there, interfaces, routes, neighbours, left_to } = change::down(context, args.force)?;
    let was_left = !routes.is_empty() || !neighbours.is_empty();
    if context.json {
        context.object(&json!({ "changed": was_there || was_left, "detached": interfaces, "routes": routes,
                                "neighbours": neighbours, "left_to": left_to }))?;
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
    if !left_to.is_empty() {
        let roots = left_to.iter().map(|root| root.display().to_string()).collect::<Vec<_>>().join(", ");
        writeln!(context.out, "left the local routes and neighbour entries to {roots}, in this network namespace too")?;
    }
    if !was_there {
        if !was_left {
            writeln!(context.out, "nothing is loaded at {}", context.pin_root.display())?;
        }
    } else if interfaces.is_empty() {
        writeln!(context.out, "removed {}", context.pin_root.display())?;
    } else {
        let names = interfaces.join(", ");
        writeln!(context.out, "detached from {names}; removed {}", context.pin_root.display())?;
    }
    Ok(Exit::Done)
}
