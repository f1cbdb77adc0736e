//! `block list`: what is blocked, for how long, by whom and why, out.

use std::net::Ipv6Addr;

use serde_json::json;

use crate::{
    change::InForce,
    context::{Context, since_1970},
    failure::{Exit, Outcome},
    kernel::clock,
    plan::blocks::{Block, Moment, Origin, covering},
};

/// Show the blocked source prefixes
#[derive(clap::Args)]
pub(super) struct Args {
    /// Only what this origin has blocked
    #[arg(long, value_enum)]
    origin: Option<Origin>,
    /// Only what blocks this address
    #[arg(long, value_name = "ADDRESS")]
    source: Option<Ipv6Addr>,
}

pub(super) fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let in_force = InForce::read(context)?;
    let (list, ticks, hertz) = (in_force.instance.blocks()?, in_force.now()?, in_force.instance.meta.hertz);
    let now = Moment { ticks, hertz, unix: since_1970(clock::now(context.now)) };
    let found = match args.source {
        Some(source) => covering(&list, source, ticks),
        None => list.iter().filter(|block| block.is_live(ticks)).collect(),
    };
    let found: Vec<&Block> =
        found.into_iter().filter(|block| args.origin.is_none_or(|origin| origin == block.origin)).collect();
    if context.json {
        let blocks = found.iter().map(|block| {
            json!({
                "prefix": block.prefix,
                "seconds": block.seconds(ticks, hertz),
                "until": block.until(now),
                "origin": block.origin,
                "reason": block.reason,
                "added": block.added,
            })
        });
        context.object(&json!({ "blocks": blocks.collect::<Vec<_>>() }))?;
    } else if found.is_empty() {
        writeln!(context.out, "nothing is blocked")?;
    } else {
        let rows = found.iter().map(|block| {
            let left = block.seconds(ticks, hertz).map_or_else(|| "ever".to_owned(), |seconds| format!("{seconds} s"));
            [block.prefix.to_string(), left, block.origin.name().to_owned(), block.reason.clone()]
        });
        context.table(["PREFIX", "LEFT", "ORIGIN", "REASON"], rows)?;
    }
    Ok(Exit::Done)
}
