//! Samples of frames that fail the rule in; source prefixes that are to be blocked, out. Nothing here asks the kernel or writes.

mod decide;
mod spared;
mod tally;

pub use self::{
    decide::{Action, Decision, Found, LEAST, Settings, decide},
    spared::Spared,
    tally::Tally,
};
