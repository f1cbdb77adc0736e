//! A verdict in; whether an operator may want to see the frame out (DESIGN §4 step 11).

use super::treat::PASSING;
use crate::verdict::{Reason, Treatment};

/// Whether events are made of frames with this verdict: of all that are not plainly good.
#[inline(always)]
pub const fn is_event(reason: Reason, treatment: Treatment) -> bool {
    GOOD >> reason as u32 & 1 == 0 || matches!(treatment, Treatment::LowPriority | Treatment::Drop)
}

/// The reasons of plainly good frames: of those that go on, all but the one for which there is nowhere to go.
const GOOD: u32 = PASSING & !(1 << Reason::NoEndpoint as u32);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_plainly_good_is_no_event() {
        for reason in Reason::ALL {
            for treatment in Treatment::ALL {
                let is_good = matches!(reason.name(), "conform" | "established" | "control" | "icmp-error" | "other");
                let goes_on = matches!(treatment.name(), "pass" | "forward");
                assert_eq!(is_event(reason, treatment), !(is_good && goes_on), "{reason:?} {treatment:?}");
            }
        }
    }
}
