//! Counters by CPU in; what the kernel has refused to the program, what that means and what to do, out.

use serde_json::{Map, Value, json};
use ssa_common::rows::Refused;

use crate::kernel::instance::Instance;

/// How often each was refused since the maps were made, in the order of [`Refused::ALL`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics([u64; Refused::ALL.len()]);

impl Diagnostics {
    /// Reads them.
    ///
    /// # Errors
    /// Where the map cannot be read.
    pub fn read(instance: &Instance) -> anyhow::Result<Self> {
        let mut counts = [0; Refused::ALL.len()];
        for row in instance.refused()? {
            for (sum, count) in counts.iter_mut().zip(row.counts) {
                *sum += count;
            }
        }
        Ok(Self(counts))
    }

    /// Says in the log what came since the last time, and notes that.
    pub fn tell(&mut self, now: Self) {
        for ((what, before), (_, after)) in self.each().zip(now.each()) {
            // Larger maps begin at zero.
            let count = after.checked_sub(before).unwrap_or(after);
            if count > 0 {
                let (object, hint) = words(what);
                tracing::warn!(hint, "the kernel refused {object}: {count}");
            }
        }
        *self = now;
    }

    /// How often each was.
    pub fn each(self) -> impl Iterator<Item = (Refused, u64)> {
        Refused::ALL.into_iter().zip(self.0)
    }

    /// What was refused at all.
    pub fn seen(self) -> impl Iterator<Item = (Refused, u64)> {
        self.each().filter(|(_, count)| *count > 0)
    }

    /// As JSON has it, zero or not.
    pub fn json(self) -> Value {
        self.each().map(|(what, count)| (what.name().to_owned(), json!(count))).collect::<Map<_, _>>().into()
    }
}

/// What the kernel refused, and what to do.
pub const fn words(what: Refused) -> (&'static str, &'static str) {
    match what {
        Refused::Way => ("a way to an endpoint", "mend its route: ssa-ctl endpoints says whose"),
        Refused::Wrapping => {
            ("room to wrap a frame for its endpoint", "the driver leaves none: filter in generic mode, or steer by l2")
        }
        Refused::Unwrapping => {
            ("to unwrap what an endpoint has wrapped", "the driver cannot: filter in generic mode, or steer by l2")
        }
        Refused::Answer => (
            "room for the error about a packet that is too long",
            "the driver leaves none: raise the MTU of the way to the endpoint",
        ),
        Refused::Event => ("a place for an event", "the maps do not fit the program: ssa-ctl down, and apply again"),
        Refused::Flow => ("a place for a flow", "raise flows in [host]"),
    }
}
