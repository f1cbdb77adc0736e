//! `block`: source prefixes put on the block list, taken off it, shown, or read from a file.

mod import;
mod list;
mod listed;
mod source;
mod when;

use clap::Subcommand;
use ipnet::Ipv6Net;
use serde_json::json;

use self::when::USUAL;
use crate::{
    change::{Manner, edit_blocks},
    config::Refusal,
    context::Context,
    failure::{Exit, Failure, Outcome},
    plan::blocks::{Changes, Edit, Entry, Origin, Place, Remove, Time},
};

/// Block source prefixes, for a time or for ever, and show which are
///
/// What comes from a blocked source to any service is dropped with the reason `blocked`, but for neighbour discovery and
/// ICMPv6 errors. All of a command comes into force at once, and it needs no key file. The list outlives every command and
/// `apply`; it is not part of the config.
#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Add(Add),
    Del(Del),
    List(list::Args),
    Import(import::Args),
}

/// Block source prefixes
///
/// A prefix that the same origin has blocked already gets the new time and reason. Exit code 3 if --dry-run finds something
/// to do.
#[derive(clap::Args)]
struct Add {
    /// The prefixes, /16 to /128; an address is a /128
    #[arg(required = true, value_name = "PREFIX")]
    prefixes: Vec<String>,
    #[command(flatten)]
    how: How,
    /// Who says so
    #[arg(long, value_enum, default_value = "operator")]
    origin: Origin,
    #[command(flatten)]
    manner: Dry,
    /// Block even addresses of this host and of endpoints
    #[arg(long)]
    force: bool,
}

/// For how long, and why.
#[derive(clap::Args)]
struct How {
    /// For how long: 90s, 30m, 24h or ever; 1h, if nothing is said
    #[arg(long = "for", value_name = "TIME", value_parser = when::time, conflicts_with = "until", allow_hyphen_values = true)]
    time: Option<Time>,
    /// Until when: Unix seconds, or a time such as 2030-01-31T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = when::until, allow_hyphen_values = true)]
    until: Option<Time>,
    /// Why, in up to 128 octets
    #[arg(long, value_name = "TEXT", value_parser = source::reason)]
    reason: Option<String>,
}

/// Whether anything is done.
#[derive(clap::Args)]
struct Dry {
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Unblock source prefixes
///
/// Each prefix as it was blocked. Where one is not there, nothing is changed, unless its time was over.
#[derive(clap::Args)]
struct Del {
    /// The prefixes
    #[arg(value_name = "PREFIX", required_unless_present_any = ["origin", "all"])]
    prefixes: Vec<String>,
    /// Only what this origin has blocked; without prefixes, all of that
    #[arg(long, value_enum)]
    origin: Option<Origin>,
    /// All that is blocked
    #[arg(long, conflicts_with_all = ["prefixes", "origin"])]
    all: bool,
    /// Prefixes that are not blocked are no error
    #[arg(long, requires = "prefixes", conflicts_with = "all")]
    missing_ok: bool,
    #[command(flatten)]
    manner: Dry,
}

/// Runs one of the commands on the block list.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    match &args.command {
        Command::Add(args) => add(context, args),
        Command::Del(args) => del(context, args),
        Command::List(args) => list::run(context, args),
        Command::Import(args) => import::run(context, args),
    }
}

impl How {
    /// For how long, if that was said.
    fn said(&self, now: u64) -> Result<Option<Time>, Failure> {
        let said = self.time.or(self.until).map(|time| when::to_come(time, now));
        said.transpose().map_err(Failure::refused)
    }
}

fn add(context: &mut Context<'_>, args: &Add) -> Outcome {
    let Add { prefixes, how, origin, manner: Dry { dry_run }, force } = args;
    let said = how.said(context.unix())?;
    let time = said.unwrap_or(USUAL);
    let reason = how.reason.clone().unwrap_or_default();
    let entry =
        |prefix| Entry { prefix, time, origin: *origin, reason: reason.clone(), added: None, place: Place::Alone };
    let add = parse(prefixes)?.into_iter().map(entry).collect();
    let edit = Edit { remove: Remove::Nothing, add };
    let changes = edit_blocks(context, &edit, Manner { dry_run: *dry_run, force: *force })?;
    Done { changes, dry_run: *dry_run, is_usual: said.is_none(), left_out: None }.report(context)
}

fn del(context: &mut Context<'_>, args: &Del) -> Outcome {
    let Del { prefixes, origin, missing_ok, manner: Dry { dry_run }, .. } = args;
    let remove = match (parse(prefixes)?, origin) {
        (prefixes, origin) if !prefixes.is_empty() => Remove::These { prefixes, origin: *origin, all: !missing_ok },
        (_, Some(origin)) => Remove::Of(*origin),
        (_, None) => Remove::All,
    };
    let edit = Edit { remove, add: Vec::new() };
    let changes = edit_blocks(context, &edit, Manner { dry_run: *dry_run, force: false })?;
    Done { changes, dry_run: *dry_run, is_usual: false, left_out: None }.report(context)
}

fn parse(prefixes: &[String]) -> Result<Vec<Ipv6Net>, Failure> {
    let parsed = prefixes.iter().map(|text| source::parse(text));
    parsed.collect::<Result<_, Refusal>>().map_err(Failure::refused)
}

/// What a command has done, or would.
struct Done {
    changes: Changes,
    dry_run: bool,
    /// Nobody has said for how long.
    is_usual: bool,
    /// IPv4 lines of a file, where they were left out.
    left_out: Option<usize>,
}

impl Done {
    fn report(self, context: &mut Context<'_>) -> Outcome {
        let Self { changes, dry_run, is_usual, left_out } = self;
        let Changes { added, changed, removed, expired, blocked } = changes;
        if context.json {
            let mut object = json!(changes);
            object["dry_run"] = json!(dry_run);
            if let Some(left_out) = left_out {
                object["skipped_ipv4"] = json!(left_out);
            }
            context.object(&object)?;
        } else {
            let out = &mut *context.out;
            if dry_run {
                write!(out, "to add {added}, to change {changed}, to remove {removed}; ")?;
                writeln!(out, "{blocked} would be blocked then, and nothing was changed")?;
            } else {
                let prefixes = if blocked == 1 { "prefix is" } else { "prefixes are" };
                write!(out, "added {added}, changed {changed}, removed {removed}, expired {expired}; ")?;
                writeln!(out, "{blocked} {prefixes} blocked")?;
            }
            if let Some(left_out) = left_out {
                let were = if left_out == 1 { "line with IPv4 was" } else { "lines with IPv4 were" };
                writeln!(context.out, "{left_out} {were} left out")?;
            }
            if is_usual && added + changed > 0 {
                writeln!(context.out, "for 1h, as nothing else was said: see --for and --until")?;
            }
        }
        Ok(if dry_run && changes.is_some() { Exit::Differs } else { Exit::Done })
    }
}
