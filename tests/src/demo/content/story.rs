//! A site in; its chapters out, each told and compared with what must come of it.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use anyhow::{Context as _, Result};
use ssa_store::{copy, forget};

use super::{
    BLOCKS, DIES, PATIENCE, Story,
    clients::{Clients, low_bits},
    report::{Lost, Moved, Report},
    site::{NAMES, OBJECT_BITS, Site},
    steps::{replicas, sum},
};
use crate::{
    demo::{
        Ending, Tell,
        account::Account as _,
        control::SERVICE,
        owners::{Owners, SLICE_BITS},
        site::UPLINK,
    },
    net::{StopAtEnd, wait_until},
    stop::Stop,
};

impl<'a> Story<'a> {
    /// Brings filter and endpoints up.
    pub(super) fn begin(site: &'a Site, objects: u32, tell: Tell, stop: &'a Stop) -> Result<Self> {
        let config = site.config()?;
        for endpoint in &site.endpoints {
            stop.check()?;
            endpoint.control.apply(&config)?;
            endpoint.control.say(&["endpoint", "host", "on"])?;
        }
        site.filter.apply(&config)?;
        tell.outcome(
            true,
            "ssa-ctl apply on every host, ssa-ctl endpoint host on and ssa-store serve at the endpoints",
        );
        tell.quote(&site.filter.say(&["endpoint", "list"])?);
        let owners = Owners::read(&site.filter)?;
        let mut report = Report { objects, replicas: 2, ..Report::default() };
        report.expect(owners.is_even(), || "slices are not shared out evenly".into());
        let together = (0..1 << OBJECT_BITS).map(replicas);
        let together = together.filter(|[first, other]| owners.of_slice(*first) == owners.of_slice(*other)).count();
        report.expect(together == 0, || format!("{together} slices lie where their replicas do"));
        Ok(Self { site, tell, stop, clients: Clients::new()?, owners, report })
    }

    /// Writes all objects.
    pub(super) fn fill(&mut self) -> Result<()> {
        let objects = self.report.objects;
        let outcome = self.clients.write(&self.site.client, 0..objects, self.tell, self.stop)?;
        let right = self.note(&outcome, false);
        let text = format!("{} objects are written, each to two endpoints; {} failed", objects, outcome.failed);
        self.tell.outcome(right, &text);
        let (expected, held) = (self.expected(0)?, self.held()?);
        let right = self.report.expect(held == expected, || "objects are not where their ids say".into());
        let text =
            "Every slice of every endpoint holds as many objects as their ids say, and no endpoint anything else";
        self.tell.outcome(right, text);
        Ok(())
    }

    /// Reads all objects, and blocks by number.
    pub(super) fn look_up(&mut self) -> Result<()> {
        let objects: Vec<u32> = (0..self.report.objects).collect();
        let outcome = self.clients.read(&self.site.client, &objects, self.tell, self.stop)?;
        let mut right = self.note(&outcome, true);
        let (mut misdirected, mut read, mut missing) = (0, 0, 0);
        for endpoint in &self.site.endpoints {
            let here = outcome.found.iter().filter(|(_, from)| self.owners.of(*from) == Some(endpoint.name)).count();
            let row = self.report.endpoints.entry(endpoint.name).or_default();
            row.slices = self.owners.count(endpoint.name);
            row.read = here as u64;
            let counted = self.counted(endpoint, "read")?;
            right &= self.report.expect(counted == here as u64, || {
                format!("{} counts {counted} reads, and clients had {here} answers from it", endpoint.name)
            });
            read += counted;
            misdirected += self.counted(endpoint, "misdirected")?;
            missing += self.counted(endpoint, "missing")?;
        }
        right &= self.report.expect(misdirected + missing == 0, || {
            format!("{misdirected} requests came to a wrong endpoint, and {missing} found nothing")
        });
        let text = format!(
            "{read} reads, each answered at once by a holder of the object: {} failed, {misdirected} went astray, \
             {missing} found nothing",
            outcome.failed
        );
        self.tell.outcome(right, &text);
        self.clients.blocks(&self.site.client, BLOCKS)?;
        let text = format!("{BLOCKS} blocks of 4096 octets are written by number and read; what nobody wrote is zeros");
        self.tell.outcome(true, &text);
        Ok(())
    }

    /// Moves the slice of an object, while its objects are read.
    pub(super) fn hand_over(&mut self) -> Result<()> {
        let low = low_bits(0)?;
        let [slice, other] = replicas(low);
        let (from, apart) = (self.owner(slice)?, self.owner(other)?);
        let dies = NAMES[DIES];
        let to = NAMES.into_iter().find(|name| ![from, apart, dies].contains(name)).context("nobody is left")?;
        let objects: Vec<u32> =
            (0..self.report.objects).filter(|n| low_bits(*n).is_ok_and(|bits| bits == low)).collect();
        let (before, counted_before) = (self.held()?, self.counted(self.site.endpoint(to)?, "read")?);
        let [source, target] = [from, to].map(|name| self.site.endpoint(name));
        let (source, target) = (source?, target?);
        let number = u32::try_from(slice)?;
        let (rounds, end) = (AtomicUsize::new(0), AtomicBool::new(false));
        let reading = || self.clients.read_until(&self.site.client, &objects, self.stop, (&rounds, &end));
        let (outcome, copied, forgotten, said) = thread::scope(|scope| -> Result<_> {
            let reader = scope.spawn(reading);
            let ends = StopAtEnd(&end);
            let copied = self.ask(copy(number, source.own, target.own))?;
            let words = ["slice", "move", SERVICE, &slice.to_string(), to];
            // Who gains it first, the filter last: so each frame meets somebody who knows of it.
            let others = self.site.endpoints.iter().filter(|endpoint| endpoint.name != to);
            let mut said = target.control.say(&words)?;
            for host in others.map(|endpoint| &endpoint.control).chain([&self.site.filter]) {
                said = host.say(&words)?;
            }
            // Who called before the move may still be asking; the round after this one has begun after it.
            let begun = rounds.load(Ordering::SeqCst);
            let is_over = || rounds.load(Ordering::SeqCst) >= begun + 2;
            wait_until("what clients began before the move to end", PATIENCE, is_over)?;
            let forgotten = self.ask(forget(number, source.own))?;
            drop(ends);
            let outcome = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
            Ok((outcome, copied, forgotten, said))
        })?;
        self.tell.outcome(true, &format!("ssa-store copy {slice} from {from} to {to}: {copied} objects"));
        self.tell
            .outcome(true, &format!("ssa-ctl slice move {SERVICE} {slice} {to}, first at {to}, last at the filter:"));
        self.tell.quote(&said);
        self.tell.outcome(true, &format!("ssa-store forget {slice} at {from}: {forgotten} objects"));
        self.owners = Owners::read(&self.site.filter)?;
        let held = self.held()?;
        let mut expected = before.clone();
        let moved = expected.get_mut(from).and_then(|slices| slices.remove(&number)).unwrap_or(0);
        expected.get_mut(to).context("nobody to move to")?.insert(number, moved);
        let others: usize = NAMES
            .into_iter()
            .flat_map(|name| held[name].iter().map(move |slice| (name, slice)))
            .map(|(name, (slice, count))| count.abs_diff(expected[name].get(slice).copied().unwrap_or(0)))
            .sum();
        let only = held == expected && copied == moved && forgotten == moved && moved >= objects.len();
        let right = self.report.expect(only, || format!("slice {slice} had {moved} objects: {copied} copied"));
        self.tell
            .outcome(right, &format!("{moved} objects have moved, all those of slice {slice}, and {others} others"));
        let (reads, failed) = (outcome.found.len() + outcome.failed, outcome.failed);
        self.report.wrong.extend(outcome.faults.iter().cloned());
        let at_target = self.counted(self.site.endpoint(to)?, "read")? - counted_before;
        let right = self.report.expect(failed == 0 && at_target > 0, || {
            format!("of {reads} reads {failed} failed while a slice moved, and {at_target} were answered by {to}")
        });
        let text =
            format!("Clients read them all the time: {reads} reads, {failed} failed, {at_target} answered by {to}");
        self.tell.outcome(right, &text);
        let (from, to) = (from.to_owned(), to.to_owned());
        self.report.moved = Moved { slice, from, to, objects: moved, others, reads, failed };
        Ok(())
    }

    /// Cuts an endpoint off and reads what it has the first replica of.
    pub(super) fn lose(&mut self) -> Result<()> {
        let name = NAMES[DIES];
        self.count(BLOCKS)?;
        let at_it = |number: &u32| low_bits(*number).is_ok_and(|low| self.owners.of_slice(low) == Some(name));
        let objects: Vec<u32> = (0..self.report.objects).filter(at_it).collect();
        let host = self.site.endpoint(name)?.control.host();
        host.ip(&["link", "set", "dev", UPLINK, "down"])?;
        self.tell.outcome(true, &format!("{name} is cut off. It has the first replica of {} objects.", objects.len()));
        let outcome = self.clients.read(&self.site.client, &objects, self.tell, self.stop)?;
        let mut right = self.note(&outcome, true);
        let reached = outcome.found.iter().filter(|(_, from)| self.owners.of(*from) != Some(name)).count();
        right &= self.report.expect(!objects.is_empty() && reached == objects.len(), || {
            format!("of {} objects of {name} {reached} were read from their other replicas", objects.len())
        });
        let text = format!(
            "{reached} of them are read from their other replica: a client that hears nothing for a quarter of a second calls \
             that one too"
        );
        self.tell.outcome(right, &text);
        self.report.lost = Lost { endpoint: name.to_owned(), objects: objects.len(), reached };
        Ok(())
    }

    /// What every endpoint has and has counted, while all can be asked.
    fn count(&mut self, blocks: u32) -> Result<()> {
        let (expected, held) = (self.expected(blocks)?, self.held()?);
        self.report.expect(held == expected, || "objects are not where their ids say after a move".into());
        let mut misdirected = 0;
        for endpoint in &self.site.endpoints {
            let (astray, missing) = (self.counted(endpoint, "misdirected")?, self.counted(endpoint, "missing")?);
            misdirected += astray;
            let row = self.report.endpoints.entry(endpoint.name).or_default();
            row.slices = self.owners.count(endpoint.name);
            (row.expected, row.objects) = (sum(&expected, endpoint.name)?, sum(&held, endpoint.name)?);
            (row.misdirected, row.missing) = (astray, missing);
        }
        self.report.expect(misdirected == 0, || format!("{misdirected} requests came to a wrong endpoint"));
        Ok(())
    }

    fn owner(&self, slice: usize) -> Result<&'static str> {
        let owner = self.owners.of_slice(slice);
        NAMES.into_iter().find(|name| Some(*name) == owner).with_context(|| format!("nobody owns slice {slice}"))
    }

    /// What the filter counted is compared, and all goes.
    pub(super) fn end(mut self) -> Result<Ending> {
        let counted = self.site.filter.counted()?;
        let (received, sent_on) = (counted.received, counted.treatment("forward"));
        self.report.frames = [received, sent_on];
        let lost = received - sent_on;
        // Towards a host that is cut off there may be no way; nothing else is dropped.
        let unreachable = counted.reasons.get("no-endpoint").copied().unwrap_or(0);
        let right = self.report.expect(lost == unreachable && sent_on > 0, || {
            format!("the filter received {received} frames, sent {sent_on} on and had no way for {unreachable}")
        });
        let text = format!(
            "The filter received {received} frames and sent {sent_on} on, each to the endpoint of one of {} slices; for \
             {unreachable} there was no way, as {} was cut off.",
            1 << SLICE_BITS,
            NAMES[DIES],
        );
        self.tell.outcome(right, &text);
        let mut right = true;
        for name in NAMES.into_iter().chain(["filter"]) {
            self.stop.check()?;
            right &= self.take_down(name)?;
        }
        self.tell.outcome(right, "ssa-ctl endpoint host off and ssa-ctl down everywhere: no pin and no route is left");
        Ok(self.report.ending())
    }
}
