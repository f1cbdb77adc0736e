//! A verdict in; whether an operator may want to see the frame out (DESIGN §4 step 11).

use crate::verdict::{Reason, Treatment};

/// Whether events are made of frames with this verdict: of all that are not plainly good.
#[inline(always)]
pub const fn is_event(reason: Reason, treatment: Treatment) -> bool {
    GOOD >> reason as u32 & 1 == 0 || matches!(treatment, Treatment::LowPriority | Treatment::Drop)
}

/// The reasons of plainly good frames, as a set: a test of one bit where a match would be a row of comparisons.
const GOOD: u32 = {
    let (mut set, mut index) = (0, 0);
    while index < Reason::ALL.len() {
        if is_good(Reason::ALL[index]) {
            set |= 1 << index;
        }
        index += 1;
    }
    set
};

const fn is_good(reason: Reason) -> bool {
    match reason {
        Reason::Conform | Reason::Established | Reason::Control | Reason::IcmpError | Reason::Other => true,
        Reason::FieldMismatch
        | Reason::MacMismatch
        | Reason::PowMissing
        | Reason::ReplicaRange
        | Reason::UnknownKey
        | Reason::BadIcmpError
        | Reason::BadSource
        | Reason::Blocked
        | Reason::Protocol
        | Reason::Unparsable
        | Reason::NoEndpoint
        | Reason::Malformed => false,
    }
}

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
