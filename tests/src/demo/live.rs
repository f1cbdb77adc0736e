//! A flood that runs in; what the filter makes of it in this moment, one line that goes with the flood, out.
//!
//! On a terminal the line is written over, as `top` would; elsewhere a few lines stay.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use indicatif::ProgressBar;
use ssa_common::verdict::{Reason, Treatment};
use ssa_ctl::{
    kernel::{instance::Instance, pins::Pins},
    observe::{
        counters::{Counts, ServiceCounts},
        rate::rate,
    },
};

use super::{
    control::{Control, SERVICE},
    tell::Tell,
};

/// Between two looks.
const INTERVAL: Duration = Duration::from_millis(500);

/// Looks at the counters of the demo's service, now and then.
pub(super) struct Live {
    tell: Tell,
    line: ProgressBar,
    instance: Instance,
    looked: Instant,
    seen: ServiceCounts,
}

impl Live {
    /// Begins now.
    pub(super) fn begin(control: &Control, tell: Tell) -> Result<Self> {
        let pins = Pins::new(control.pins());
        let opened = control.host().enter(|| Instance::open(&pins, true))?;
        let instance = opened.map_err(|failure| failure.error).context("the counters cannot be opened")?;
        let seen = counted(&instance)?;
        Ok(Self { tell, line: tell.progress("the flood begins", 0), instance, looked: Instant::now(), seen })
    }

    /// Says what is new, if it is time.
    pub(super) fn look(&mut self) -> Result<()> {
        let passed = self.looked.elapsed();
        if passed < INTERVAL {
            return Ok(());
        }
        let now = counted(&self.instance)?;
        let line = line(&self.seen, &now, passed);
        if self.line.is_hidden() {
            self.tell.quote(&line);
        }
        self.line.set_message(line);
        (self.looked, self.seen) = (Instant::now(), now);
        Ok(())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.line.finish_and_clear();
    }
}

fn counted(instance: &Instance) -> Result<ServiceCounts> {
    let counts = Counts::read(instance)?;
    let of_service = counts.services.into_iter().find(|(name, _)| name == SERVICE);
    Ok(of_service.context("the filter does not know the service")?.1)
}

/// What was counted between two looks, in frames a second; and most of what was refused, why.
fn line(before: &ServiceCounts, now: &ServiceCounts, passed: Duration) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let each_second = |packets: u64| rate(Some(packets as f64 / passed.as_secs_f64()));
    let reason = |reason| now.reason(reason).since(before.reason(reason)).packets;
    let treatment = |treatment| each_second(now.treatment(treatment).since(before.treatment(treatment)).packets);
    let refused = Reason::OF_SERVICE.iter().filter(|reason| **reason != Reason::Conform);
    let most = refused.max_by_key(|why| reason(**why)).filter(|why| reason(**why) > 0);
    format!(
        "{}/s received: {} pass, {} lowprio, {} drop (blocked {}; most for {})",
        each_second(now.received.since(before.received).packets),
        treatment(Treatment::Pass),
        treatment(Treatment::LowPriority),
        treatment(Treatment::Drop),
        each_second(reason(Reason::Blocked)),
        most.map_or("nothing", |why| why.name()),
    )
}

#[cfg(test)]
mod tests {
    use ssa_ctl::observe::counters::Count;

    use super::*;

    /// Packets by reason; what conforms passes.
    fn counts(packets: &[(Reason, u64)]) -> ServiceCounts {
        let mut counts = ServiceCounts::default();
        for &(reason, packets) in packets {
            let treatment = if reason == Reason::Conform { Treatment::Pass } else { Treatment::Drop };
            let count = Count { packets, bytes: packets };
            counts.reasons[reason as usize] = count;
            for sum in [&mut counts.received, &mut counts.treatments[treatment as usize]] {
                sum.packets += packets;
            }
        }
        counts
    }

    #[test]
    fn a_line_says_what_is_new() {
        let before = counts(&[(Reason::Conform, 10), (Reason::MacMismatch, 1000)]);
        let now = counts(&[(Reason::Conform, 12), (Reason::MacMismatch, 1001), (Reason::Blocked, 60)]);
        let half = Duration::from_millis(500);
        assert_eq!(
            line(&before, &now, half),
            "126/s received: 4.0 pass, 0 lowprio, 122 drop (blocked 120; most for blocked)"
        );
        assert_eq!(line(&now, &now, half), "0/s received: 0 pass, 0 lowprio, 0 drop (blocked 0; most for nothing)");
    }
}
