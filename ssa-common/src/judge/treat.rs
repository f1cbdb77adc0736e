//! A reason and a service's settings in; the treatment out (DESIGN §4 step 8).

use crate::{
    bits::Words,
    rows::{FLAG_LOW_PRIORITY, PrefixRow},
    verdict::{Class, Reason, Treatment, Verdict},
};

/// What a verdict makes of a frame of this service and source.
#[inline(always)]
pub fn treat(row: &PrefixRow, source: Words, reason: Reason) -> Verdict {
    let verdict = |treatment, would_drop| Verdict { service: row.service, reason, treatment, would_drop };
    // Sets and not the match they are made from: a test of one bit where that is a row of comparisons.
    let is_in = |set: u32| set >> reason as u32 & 1 != 0;
    if is_in(PASSING) {
        return verdict(Treatment::Pass, false);
    }
    let suspect = row.flags & FLAG_LOW_PRIORITY != 0 && is_in(MISMATCHES);
    let in_force = enforced(row, source) || reason.in_every_mode();
    match (suspect, in_force) {
        (true, true) => verdict(Treatment::LowPriority, false),
        (true, false) => verdict(Treatment::Pass, false),
        (false, true) => verdict(Treatment::Drop, false),
        (false, false) => verdict(Treatment::Pass, true),
    }
}

/// What a verdict becomes where the frame conforms, and its source prefix is above its share: suspect.
#[inline(always)]
pub fn demoted(verdict: Verdict, row: &PrefixRow, source: Words, is_above: bool) -> Verdict {
    let treatment = if is_above && enforced(row, source) { Treatment::LowPriority } else { verdict.treatment };
    Verdict { treatment, ..verdict }
}

/// The reasons whose class is known or good.
pub(super) const PASSING: u32 = passing(Class::Reject);
/// The reasons whose class the service decides.
const MISMATCHES: u32 = passing(Class::Good) & !PASSING;

/// The reasons that pass where a rule failure has the class `mismatch`.
const fn passing(mismatch: Class) -> u32 {
    let mut set = 0;
    let mut index = 0;
    while index < Reason::ALL.len() {
        if matches!(Reason::ALL[index].class(mismatch), Class::Known | Class::Good) {
            set |= 1 << index;
        }
        index += 1;
    }
    set
}

/// Whether the service's `enforce` covers this source: stable for each /48.
#[inline(always)]
fn enforced(row: &PrefixRow, source: Words) -> bool {
    const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;
    row.enforce > u64::from(u32::MAX) || ((source.hi >> 16).wrapping_mul(SPREAD) >> 32) < row.enforce
}
