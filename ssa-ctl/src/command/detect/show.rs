//! What a round comes to in; a line, or an object of JSON, for each prefix out.

use std::io;

use serde_json::{Value, json};

use crate::{
    config::Seconds,
    context::{Context, unix},
    detect::{Action, Decision, Found},
    kernel::clock,
};

/// How it is told.
pub(super) struct Told {
    /// Nothing is changed.
    pub(super) dry_run: bool,
    /// It is all that there is to tell.
    pub(super) is_whole: bool,
    /// For how long prefixes are blocked.
    pub(super) seconds: u32,
    /// How many there may be.
    pub(super) most: u32,
    /// The block list has no room for more.
    pub(super) is_full: bool,
}

/// Tells a round.
pub(super) fn tell(context: &mut Context<'_>, decision: &Decision, told: &Told) -> io::Result<()> {
    if context.json && told.is_whole {
        let found: Vec<Value> = decision.found.iter().map(|found| object(found, told)).collect();
        context.object(&json!({ "found": found, "left_out": decision.left_out, "dry_run": told.dry_run }))?;
    } else if context.json {
        let time = unix(clock::now(context.now));
        for found in &decision.found {
            let mut object = object(found, told);
            object["time"] = time.into();
            object["dry_run"] = told.dry_run.into();
            writeln!(context.out, "{object}")?;
        }
    } else {
        for found in &decision.found {
            writeln!(context.out, "{}", line(found, told))?;
        }
    }
    if decision.left_out > 0 && !(context.json && told.is_whole) {
        let (count, most) = (decision.left_out, told.most);
        let prefixes = if count == 1 { "1 more prefix is".into() } else { format!("{count} more prefixes are") };
        let why = if told.is_full {
            "the block list is full: see ssa-ctl block list".to_owned()
        } else {
            format!("{most} are blocked already: see --most")
        };
        writeln!(context.err, "{prefixes} above, and {why}")?;
    }
    context.out.flush()
}

fn line(found: &Found, told: &Told) -> String {
    let Found { prefix, rate, error, samples, reason, spared, .. } = found;
    let time = Seconds(told.seconds);
    let done = match (found.action, told.dry_run) {
        (Action::Spare, _) => {
            let why = spared.as_deref().unwrap_or_default();
            return format!("spared {prefix} for {why}: {rate:.0} ± {error:.0} frames/s, {samples} seen, {reason}");
        }
        (Action::Block, false) => "blocked",
        (Action::Block, true) => "would block",
        (Action::Extend, false) => "extended",
        (Action::Extend, true) => "would extend",
    };
    format!("{done} {prefix} for {time}: {rate:.0} ± {error:.0} frames/s, {samples} seen, {reason}")
}

fn object(found: &Found, told: &Told) -> Value {
    let action = match found.action {
        Action::Block => "block",
        Action::Extend => "extend",
        Action::Spare => "spare",
    };
    json!({
        "action": action,
        "prefix": found.prefix,
        "rate": found.rate,
        "error": found.error,
        "samples": found.samples,
        "reason": found.reason,
        "seconds": (found.action != Action::Spare).then_some(told.seconds),
        "spared": found.spared,
    })
}
