//! A rule and a request in; the destination out, its proof of work searched for on all cores.

use std::{
    num::NonZero,
    ops::ControlFlow,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
};

use ssa_common::rule::{AddressError, Compiled, Kind, Request};

/// Attempts between two looks at whether the search goes on: those of [`Compiled::prove`].
const STEP: u64 = 4096;
/// The zero bits below which a search is over before another thread has begun.
const ALONE: u32 = 14;

/// The destination for `request`. Without a proof of work it is there at once.
///
/// `progress` is told now and then, in the caller's thread, how many attempts all cores have made, and may end the search.
///
/// # Errors
/// Where the request or the ring lacks what the rule needs, or `progress` gave up.
pub fn destination(
    rule: &Compiled,
    request: &Request,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<u128, AddressError> {
    let drawn = rule.draw(request, &mut rand::random::<u64>)?;
    prove(rule, request, drawn, progress)
}

/// What [`Compiled::prove`] makes of a destination that was drawn, on all cores.
///
/// # Errors
/// Where the ring has no key for a `mac`, or `progress` gave up.
pub fn prove(
    rule: &Compiled,
    request: &Request,
    drawn: u128,
    progress: &mut dyn FnMut(u64) -> ControlFlow<()>,
) -> Result<u128, AddressError> {
    let search = Search { rule, request, drawn, over: AtomicBool::new(false), attempts: AtomicU64::new(0) };
    let others = if zeros(rule) < ALONE { 0 } else { thread::available_parallelism().map_or(1, NonZero::get) - 1 };
    thread::scope(|scope| {
        let search = &search;
        let spawn = |_| thread::Builder::new().spawn_scoped(scope, || search.run(&mut |_| ControlFlow::Continue(())));
        // A thread that cannot be had is one searcher less.
        let others: Vec<_> = (0..others).filter_map(|number| spawn(number).ok()).collect();
        let own = search.run(progress);
        let theirs = others.into_iter().filter_map(|other| other.join().ok());
        // Whoever ends last may have given up because another has found something.
        theirs.fold(own, Result::or)
    })
}

/// The zero bits that the rule's proofs of work want, summed: 2 to the power of it are the attempts to expect.
pub fn zeros(rule: &Compiled) -> u32 {
    let zeros = |kind: &Kind| if let Kind::Pow { zeros, .. } = kind { Some(u32::from(*zeros)) } else { None };
    rule.placed().fields().iter().filter_map(|field| zeros(&field.kind)).sum()
}

/// A search that several threads work on.
struct Search<'a> {
    rule: &'a Compiled,
    request: &'a Request,
    drawn: u128,
    over: AtomicBool,
    attempts: AtomicU64,
}

impl Search<'_> {
    /// Searches until anybody has found a proof or given up.
    fn run(&self, progress: &mut dyn FnMut(u64) -> ControlFlow<()>) -> Result<u128, AddressError> {
        // The others end with this one, even where `progress` panics.
        let _end = End(&self.over);
        let mut go_on = |_| {
            if self.over.load(Ordering::Relaxed) {
                return ControlFlow::Break(());
            }
            progress(self.attempts.fetch_add(STEP, Ordering::Relaxed) + STEP)
        };
        self.rule.prove(self.request, self.drawn, &mut rand::random::<u64>, &mut go_on)
    }
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use ssa_common::{
        rule::{Rule, Secrets},
        verdict::Reason,
    };

    use super::*;

    fn rule(text: &str) -> Compiled {
        text.parse::<Rule>().unwrap().place(0x2001 << 112, 64).unwrap().compile(&Secrets::default(), 5)
    }

    #[test]
    fn what_all_cores_find_conforms() {
        let request = Request { source: 0x2001 << 112 | 7, time: 1_700_000_000, ..Request::default() };
        for text in ["any:64", "pow(64,zeros=8):64", "hash(48):14 pow(64,zeros=15,period=10m):50"] {
            let rule = rule(text);
            let mut last = 0;
            let found = destination(&rule, &request, &mut |attempts| {
                assert!(attempts > last && attempts.is_multiple_of(STEP), "{attempts} after {last}");
                last = attempts;
                ControlFlow::Continue(())
            });
            assert_eq!(rule.conforms(request.source, found.unwrap(), request.time), Reason::Conform, "{text}");
        }
    }

    #[test]
    fn a_search_that_is_given_up_ends_on_all_cores() {
        // A search of 2^40 attempts, of which the caller waits for one step.
        let mut steps = 0;
        let found = destination(&rule("pow(64,zeros=40):64"), &Request::default(), &mut |_| {
            steps += 1;
            ControlFlow::Break(())
        });
        assert_eq!((found, steps), (Err(AddressError::Cancelled), 1));
    }

    #[test]
    fn the_attempts_to_expect_are_those_of_all_proofs() {
        assert_eq!([zeros(&rule("any:64")), zeros(&rule("pow(1,zeros=9):20 pow(2,zeros=3):44"))], [0, 12]);
    }
}
