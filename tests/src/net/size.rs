//! Two sizes of a test in; the one that this run takes, out, and how far it is.

use std::{
    env, process,
    sync::Once,
    thread,
    time::{Duration, Instant},
};

/// The variable that asks for whole sizes, as `cargo xtask soak` sets it.
const WHOLE: &str = "SSA_SOAK";
/// The longest that a run of whole sizes may take.
const LONGEST: Duration = Duration::from_mins(30);
/// How often it says how far it is.
const SAY_EVERY: Duration = Duration::from_secs(5);

/// The short size, which takes seconds, or the whole one where `SSA_SOAK` is 1.
pub fn size<T>(short: T, whole: T) -> T {
    if is_whole() { whole } else { short }
}

/// The numbers of so many rounds. A run of whole sizes says now and then on standard error how many of them are done.
pub fn rounds(what: &str, count: u32) -> impl Iterator<Item = u32> {
    let (begin, mut said) = (Instant::now(), Instant::now());
    (0..count).inspect(move |done| {
        if is_whole() && said.elapsed() >= SAY_EVERY {
            said = Instant::now();
            eprintln!("{what}: {done} of {count} after {:.0?}", begin.elapsed());
        }
    })
}

fn is_whole() -> bool {
    static BOUND: Once = Once::new();
    let whole = env::var_os(WHOLE).is_some_and(|value| value == "1");
    if whole {
        BOUND.call_once(|| drop(thread::spawn(end_at_last)));
    }
    whole
}

/// Ends the process where it hangs. What it leaves behind, the next one removes.
fn end_at_last() {
    // sleep: it is over when the process is.
    thread::sleep(LONGEST);
    eprintln!("the tests of whole size have not ended after {LONGEST:?}");
    process::exit(1);
}
