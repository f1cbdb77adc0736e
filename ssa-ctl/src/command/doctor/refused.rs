//! What is in force in; what the kernel has refused to its program, out.

use super::{Finding, Level};
use crate::{
    change::InForce,
    observe::refused::{Diagnostics, words},
};

/// Nothing where nothing was refused.
pub(super) fn findings(in_force: &InForce) -> Vec<Finding> {
    let finding = |(what, count)| {
        let (object, hint) = words(what);
        Finding::new("kernel refused", Level::Warning, format!("{object}: {count}"), hint)
    };
    match Diagnostics::read(&in_force.instance) {
        Ok(diagnostics) => diagnostics.seen().map(finding).collect(),
        Err(error) => vec![Finding::new("kernel refused", Level::Warning, format!("{error:#}"), "run as root")],
    }
}
