//! Changes and times in; what clients and hosts counted meanwhile, shown and compared, out.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;

use super::{PATIENCE, STAGES, Story, report::Stage, site::NAMES};
use crate::{
    demo::{account::Account as _, control::Control, owners::Owners, site::PREFIX},
    net::wait_until,
};

/// Whoever waits looks this often whether it is time to stop.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Complaints of clients that are shown, at most.
const SHOWN: usize = 10;
/// Characters of a bar that stands for all.
const BAR: usize = 100;

impl Story<'_> {
    /// Lets clients come and go, and says who answered them.
    ///
    /// All that talk must have gone on, and whoever came must have reached the owner of its slice.
    pub(super) fn stage(&mut self, time: Duration) -> Result<()> {
        let talks = self.clients.talks();
        let until = Instant::now() + time;
        let progress = self.tell.progress("clients come and go", 0);
        while Instant::now() < until {
            self.stop.check()?;
            // sleep: the clients work meanwhile.
            thread::sleep(LOOK_EVERY);
        }
        progress.finish_and_clear();
        if self.clients.are_talking() {
            let now = self.clients.talks();
            let silent = talks.iter().zip(&now).filter(|(before, now)| now.lines == before.lines).count();
            self.report.expect(silent == 0, || format!("{silent} of those that talk were not heard for {time:?}"));
        }
        self.close_stage(true);
        let Some(stage) = self.report.stages.last().cloned() else { return Ok(()) };
        let Stage { connections, failed, misplaced, .. } = stage;
        let right = self.report.expect(connections > 0 && failed + misplaced == 0, || {
            format!("{}: of {connections} new connections {failed} failed, {misplaced} were misplaced", stage.name)
        });
        let text = format!("{connections} new connections, each answered by the owner of its slice; {failed} failed:");
        self.tell.outcome(right, &text);
        let slices: usize = stage.slices.values().sum();
        for name in NAMES {
            let (here, owned) = (stage.answered[name], stage.slices[name]);
            let bar = "█".repeat(here * BAR / connections.max(1));
            let quarters = format!("{here} connections, {:.1} % of the slices", share(owned, slices));
            self.tell.print(&format!("      {name} {bar:<50} {quarters}\n"));
        }
        let even = self.owners.is_even();
        self.report.expect(even, || "slices are not shared out evenly".into());
        Ok(())
    }

    /// The same command on some hosts and at last on the filter, of which what it says is shown.
    pub(super) fn change(&mut self, words: &[&str], hosts: &[&Control], text: &str) -> Result<()> {
        let mut said = String::new();
        for host in hosts.iter().copied().chain([&self.site.filter]) {
            self.stop.check()?;
            said = host.say(words)?;
        }
        self.tell.outcome(true, &format!("{text} ssa-ctl {}", words.join(" ")));
        self.tell.quote(&said);
        self.owners = Owners::read(&self.site.filter)?;
        for host in hosts {
            let agrees = Owners::read(host)? == self.owners;
            self.report.expect(agrees, || format!("after `{}` hosts do not agree on the owners", words.join(" ")));
        }
        self.close_stage(false);
        Ok(())
    }

    /// The next stage begins; once all that came in this one have gone, they are counted.
    fn close_stage(&mut self, steady: bool) {
        let number = self.report.stages.len();
        self.clients.next_stage();
        let past = wait_until("new connections to end", PATIENCE, || self.clients.is_past(number + 1)).is_ok();
        self.report.expect(past, || "new connections do not end".into());
        let owners = steady.then_some(&self.owners);
        let stage = Stage::count(STAGES[number], number, &self.clients.visits(), owners);
        self.report.stages.push(stage);
    }

    /// Frames that endpoints handed over to previous owners.
    pub(super) fn handed_over(&self) -> Result<u64> {
        let hosts = self.site.endpoints.iter();
        hosts.map(|endpoint| Ok(endpoint.control.counted()?.treatment("forward"))).sum()
    }

    /// Adds what a host has counted, for the last time.
    pub(super) fn count_frames(&mut self, host: &Control, is_filter: bool) -> Result<()> {
        let counted = host.counted()?;
        let (forwarded, frames) = (counted.treatment("forward"), &mut self.report.frames);
        if is_filter {
            frames.at_the_filter += counted.received;
            frames.sent_on += forwarded;
        } else {
            frames.at_endpoints += counted.received;
            frames.handed_over += forwarded;
        }
        frames.dropped += counted.treatment("drop");
        Ok(())
    }

    /// Compares what clients and servers said and heard, and what filters counted.
    pub(super) fn judge(&mut self) {
        let (report, clients) = (&mut self.report, &self.clients);
        let mut faults = clients.faults();
        report.failed = faults.len();
        if let Some(more) = faults.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            faults.truncate(SHOWN);
            faults.push(format!("and {more} more connections"));
        }
        report.wrong.extend(faults);
        let heard: u64 = self.site.endpoints.iter().map(|endpoint| endpoint.server.octets()).sum();
        report.octets_sent = clients.sent();
        report.octets_lost = report.octets_sent.abs_diff(heard);
        report.slowest_answer_milliseconds = clients.slowest().as_millis();
        let (failed, sent, lost) = (report.failed, report.octets_sent, report.octets_lost);
        let right = report.expect(lost == 0, || format!("of {sent} octets {lost} did not arrive"));
        let new: usize = report.stages.iter().map(|stage| stage.connections).sum();
        let text = format!(
            "No client has noticed: of {} long and {new} new connections {failed} failed; of {sent} octets that \
             clients sent {lost} were lost; and all answers are right. The slowest came after {} ms.",
            report.long_connections, report.slowest_answer_milliseconds,
        );
        self.tell.outcome(right && failed == 0, &text);
        let frames = report.frames.clone();
        let all_sent_on = frames.sent_on == frames.at_the_filter && frames.dropped == 0;
        let all_there = frames.at_endpoints == frames.sent_on + frames.handed_over;
        let right = report.expect(all_sent_on && all_there, || format!("frames do not add up: {frames:?}"));
        let text = format!(
            "The filter received {} frames and sent {} on. The endpoints received {}: those, and {} that they handed \
             over to each other. {} were dropped.",
            frames.at_the_filter, frames.sent_on, frames.at_endpoints, frames.handed_over, frames.dropped,
        );
        self.tell.outcome(right, &text);
    }

    /// Takes the filter away from a host; false if it leaves anything.
    pub(super) fn take_down(&mut self, host: &Control) -> Result<bool> {
        host.say(&["endpoint", "host", "off"])?;
        let pins = !host.down()?;
        let routes = host.host().ip(&["-6", "route", "show", "table", "local", &format!("{PREFIX}/64")])?;
        let right = !pins && routes.trim().is_empty();
        Ok(self.report.expect(right, || format!("{} has pins or routes left", host.host().name())))
    }
}

/// A part in hundredths.
#[expect(clippy::cast_precision_loss, reason = "to be read by people")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 * 100.0 / whole.max(1) as f64
}
