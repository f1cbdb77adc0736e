//! Two sizes of a test in; the one that this run takes, out.

use std::env;

/// The variable that asks for whole sizes, as `cargo xtask soak` sets it.
const WHOLE: &str = "SSA_SOAK";

/// The short size, which takes seconds, or the whole one where `SSA_SOAK` is 1.
pub fn size<T>(short: T, whole: T) -> T {
    if env::var_os(WHOLE).is_some_and(|value| value == "1") { whole } else { short }
}
