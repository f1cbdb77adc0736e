//! `enforce`: a service and a share in; that share of its sources enforced, at once, out.

use crate::{
    change,
    config::{Enforce, edit, new_warnings},
    context::Context,
    failure::{Failure, Outcome},
};

use super::report;

/// Switch the enforcement of a service on, off, or on for a share of its sources
///
/// Takes no key file and touches nothing else, so that it works when all else is broken. It changes the running config
/// alone: the next `apply` brings back what its file says.
#[derive(clap::Args)]
pub struct Args {
    /// The service
    service: String,
    /// on, off, or a share such as 25%: a stable part of the source prefixes (/48)
    share: Enforce,
}

/// Switches a service's enforcement.
pub fn run(context: &mut Context<'_>, args: &Args) -> Outcome {
    let mut said = Vec::new();
    let done = change::edit_in_force(context, |config, tables, numbers| {
        let wanted = edit::set_enforce(config, &args.service, args.share).map_err(Failure::refused)?;
        said = new_warnings(config, &wanted);
        if let Some(number) = numbers.get(&args.service) {
            tables.set_enforce(number, args.share);
        }
        Ok(wanted)
    })?;
    report::steps(context, &done, &said, false)
}
