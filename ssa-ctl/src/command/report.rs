//! The steps of a plan in; what people or programs read of them, out.

use serde_json::json;

use crate::{
    change::Done,
    context::Context,
    failure::{Exit, Outcome},
};

/// Says what was done, or with `dry_run` what would be.
pub(super) fn steps(context: &mut Context<'_>, done: &Done, said: &[String], dry_run: bool) -> Outcome {
    let Done { steps, generation, .. } = done;
    let warnings: Vec<_> = said.iter().chain(&done.warnings).collect();
    let exit = if dry_run && !steps.is_empty() { Exit::Differs } else { Exit::Done };
    if context.json {
        context.object(&json!({
            "changed": !dry_run && !steps.is_empty(),
            "dry_run": dry_run,
            "steps": steps,
            "generation": generation,
            "warnings": warnings,
        }))?;
    } else {
        for warning in warnings {
            writeln!(context.err, "warning: {warning}")?;
        }
        text(context, done, dry_run)?;
    }
    Ok(exit)
}

fn text(context: &mut Context<'_>, Done { steps, generation, .. }: &Done, dry_run: bool) -> std::io::Result<()> {
    if steps.is_empty() {
        return writeln!(context.out, "no change");
    }
    let rows = steps.iter().map(|step| [step.action.name().to_owned(), step.object.clone(), step.detail.clone()]);
    context.table(["STEP", "OBJECT", "DETAIL"], rows)?;
    let count = steps.len();
    let plural = if count == 1 { "" } else { "s" };
    if dry_run {
        writeln!(context.out, "{count} step{plural} to do; nothing was changed")
    } else {
        writeln!(context.out, "{count} step{plural} done; generation {generation} is in force")
    }
}
