//! A site in; its chapters out, each told and compared with what must come of it.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context as _, Result};
use ssa_client::Service;

use super::{
    botnet::Botnet,
    centre::{CENTRES, Centre, Host},
    prediction::Prediction,
    report::{Attack, Busiest, Gathered, Proxy, Report},
    site::{STRANGERS, Site, name},
    strangers::{Calls, call_all, look_up},
};
use crate::{
    demo::{Ending, Tell, account::Account as _, owners::Owners},
    net::{StopAtEnd, wait_until},
    stop::Stop,
};

/// Standard deviations that a count may be off what was foreseen.
const SIGMAS: f64 = 5.0;
/// What was sent arrives within this, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The play.
pub(super) struct Story<'a> {
    site: &'a Site,
    tell: Tell,
    stop: &'a Stop,
    service: Service,
    botnet: Botnet,
    /// Who has which slice, in each data centre.
    owners: Vec<Owners>,
    report: Report,
}

/// What was counted before, to be compared.
struct Before {
    filters: Vec<u64>,
    filtered: [u64; 3],
    arrived: Vec<u64>,
    by_slice: Vec<u64>,
}

impl Before {
    fn read(centre: &Centre) -> Result<Self> {
        let filters = centre.filters.iter().map(Host::received).collect::<Result<_>>()?;
        Ok(Self { filters, filtered: centre.filtered()?, arrived: centre.arrived()?, by_slice: centre.by_slice()? })
    }
}

impl<'a> Story<'a> {
    /// All hosts run; the botnet learns what everybody may know.
    pub(super) fn begin(site: &'a Site, bots: usize, tell: Tell, stop: &'a Stop) -> Result<Self> {
        tell.outcome(
            true,
            "ssa-ctl apply on every filter and proxy, and ssa-ctl dns serve at the router. A filter says:",
        );
        tell.quote(&site.centres[0].control().say(&["endpoints"])?);
        let owners = site.centres.iter().map(Centre::owners).collect::<Result<Vec<_>>>()?;
        let service = look_up(&site.botnet)?;
        let botnet = Botnet::new(site, &service, bots)?;
        let mut report = Report { rule: super::RULE, bots, ..Report::default() };
        let even = owners.iter().all(Owners::is_even);
        report.expect(even, || "slices are not shared out evenly".into());
        Ok(Self { site, tell, stop, service, botnet, owners, report })
    }

    /// Strangers resolve, compute and connect.
    pub(super) fn call_in_peace(&mut self) {
        let progress = self.tell.progress("strangers call", 0);
        let calls = call_all(self.site, &self.owners);
        progress.finish_and_clear();
        self.judge_calls(&calls);
        self.report.in_peace = calls;
    }

    fn judge_calls(&mut self, calls: &Calls) {
        let Calls { answered, misplaced, failed, .. } = calls;
        self.report.wrong.extend(failed.iter().cloned());
        let right = self.report.expect(failed.is_empty() && *misplaced == 0 && *answered == STRANGERS, || {
            format!("of {STRANGERS} strangers {answered} were answered, {misplaced} of them by the wrong proxy")
        });
        let text = format!(
            "{answered} of {STRANGERS} strangers have asked DNS for {}, computed their addresses under {} prefixes, and were \
             answered by TCP and by UDP by the owner of their slice.",
            name(),
            self.service.prefixes.len(),
        );
        self.tell.outcome(right, &text);
    }

    /// Each bot does what the rule lets it do, in each data centre.
    pub(super) fn attack(&mut self) -> Result<()> {
        let text = format!(
            "{} bots, each in a network of its own, know the rule as anybody does. Each sends a SYN to its own address, in \
             one data centre and then in the other. All of them are let in: nothing tells a bot from a client. But each \
             reaches one proxy alone, and not the one that it would like.",
            self.report.bots,
        );
        self.tell.sentence(&text);
        for number in 0..CENTRES {
            self.attack_on(number)?;
        }
        Ok(())
    }

    fn attack_on(&mut self, number: usize) -> Result<()> {
        let (centre, bots) = (&self.site.centres[number], self.report.bots);
        settle(centre)?;
        let before = Before::read(centre)?;
        let progress = self.tell.progress("the bots attack", 0);
        self.botnet.follow(centre, number, self.stop)?;
        settle(centre)?;
        progress.finish_and_clear();
        let now = Before::read(centre)?;

        let sent = bots as u64;
        let [received, forwarded, dropped] = [0, 1, 2].map(|place| now.filtered[place] - before.filtered[place]);
        let fair = (received, forwarded, dropped) == (sent, sent, 0);
        self.report.expect(fair, || {
            format!(
                "{sent} frames follow the rule; filters received {received}, sent on {forwarded}, dropped {dropped}"
            )
        });
        let prediction = Prediction::ask(centre.control(), &centre.config, bots)?;
        let mut proxies = Vec::new();
        for (place, host) in centre.proxies.iter().enumerate() {
            let frames = now.arrived[place] - before.arrived[place];
            let owners = &self.owners[number];
            let slices = owners.each().zip(now.by_slice.iter().zip(&before.by_slice));
            let sent_on: u64 =
                slices.filter(|(owner, _)| *owner == Some(host.name)).map(|(_, (now, was))| now - was).sum();
            let of = self.botnet.of(number, owners, host.name);
            let predicted = *prediction.proxies.get(host.name).context("simulate does not know a proxy")?;
            self.report.expect(frames == of && sent_on == of, || {
                format!("{}: {of} bots are its own, {sent_on} frames were sent on to it, {frames} arrived", host.name)
            });
            self.report.expect(predicted.off(frames) <= SIGMAS, || {
                format!("{}: {frames} frames arrived, and {predicted:?} was foreseen", host.name)
            });
            proxies.push(Proxy { name: host.name, frames, bots: of, predicted });
        }
        let most = proxies.iter().max_by_key(|proxy| proxy.frames).context("there is no proxy")?;
        let busiest = Busiest {
            name: most.name,
            frames: most.frames,
            predicted: prediction.busiest,
            sigmas: prediction.busiest.off(most.frames),
            unforced: prediction.naive.load,
        };
        let right = self.report.expect(busiest.sigmas <= SIGMAS, || {
            format!(
                "the busiest proxy, {}, has {} frames, and {:?} was foreseen",
                busiest.name, busiest.frames, busiest.predicted
            )
        });
        let Busiest { name, frames, predicted, sigmas, unforced } = &busiest;
        let text = format!(
            "{}/64: {sent} frames sent, {forwarded} let in. The busiest proxy, {name}, has {frames} of them. ssa-ctl simulate \
             foresees {:.0} for the busiest, with a standard deviation of {:.0}: it is {sigmas:.1} of these off. If \
             nothing forced the bots, it would have {unforced:.0}.",
            centre.prefix, predicted.load, predicted.sigma,
        );
        self.tell.outcome(right, &text);
        let filters = centre.filters.iter().zip(now.filters.iter().zip(&before.filters));
        let filters = filters.map(|(host, (now, before))| (host.name, now - before)).collect();
        let prefix = format!("{}/64", centre.prefix);
        self.report.attacks.push(Attack { prefix, sent, filters, proxies, busiest });
        let idle = self.report.attacks[number].filters.values().any(|frames| *frames == 0);
        self.report.expect(!idle, || "a filter has received nothing".into());
        Ok(())
    }

    /// All bots go to one address of one proxy.
    pub(super) fn gather(&mut self) -> Result<()> {
        let number = 0;
        let (centre, owners) = (&self.site.centres[number], &self.owners[number]);
        let proxy = self.report.attacks[number].busiest.name;
        let (target, of_the_slice) = self.botnet.target(number, owners, proxy).context("no bot can reach the proxy")?;
        let place = centre.proxies.iter().position(|host| host.name == proxy).context("there is no such proxy")?;
        settle(centre)?;
        let before = Before::read(centre)?;
        self.botnet.gather(centre, target, self.stop)?;
        settle(centre)?;
        let now = Before::read(centre)?;
        let gathered = Gathered {
            proxy,
            sent: self.report.bots as u64,
            arrived: now.arrived[place] - before.arrived[place],
            right_by_the_law: of_the_slice,
            dropped: now.filtered[2] - before.filtered[2],
        };
        let Gathered { sent, arrived, right_by_the_law, dropped, .. } = gathered;
        let all: u64 = now.arrived.iter().zip(&before.arrived).map(|(now, before)| now - before).sum();
        let right = arrived == right_by_the_law && all == arrived && dropped == sent - arrived;
        let right = self.report.expect(right, || format!("all at {target}: {gathered:?}, {all} at all proxies"));
        let text = format!(
            "All {sent} bots send a SYN to {target}, of {proxy}. The filters drop {dropped}, and let in {arrived}: as many as \
             there are bots whose own slice it is."
        );
        self.tell.outcome(right, &text);
        self.report.gathered.push(gathered);
        Ok(())
    }

    /// Strangers call while the bots go on, in one data centre after the other.
    pub(super) fn call_under_attack(&mut self) -> Result<()> {
        let over = AtomicBool::new(false);
        let (site, botnet, owners, stop) = (self.site, &self.botnet, &self.owners, self.stop);
        let progress = self.tell.progress("strangers call while the bots attack", 0);
        let (calls, rounds) = thread::scope(|scope| {
            let attack = scope.spawn(|| -> Result<u32> {
                let mut rounds = 0;
                while !over.load(Ordering::Relaxed) {
                    for (number, centre) in site.centres.iter().enumerate() {
                        botnet.follow(centre, number, stop)?;
                    }
                    rounds += 1;
                }
                Ok(rounds)
            });
            let end = StopAtEnd(&over);
            let calls = call_all(site, owners);
            drop(end);
            (calls, attack.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
        });
        progress.finish_and_clear();
        let rounds = rounds?;
        self.judge_calls(&calls);
        self.report.under_attack = calls;
        self.tell.outcome(true, &format!("Meanwhile each bot has sent {} frames.", rounds * 2));
        Ok(())
    }

    /// What all hosts have counted must fit together.
    pub(super) fn end(mut self) -> Result<Report> {
        for centre in &self.site.centres {
            settle(centre)?;
            let [received, forwarded, dropped] = centre.filtered()?;
            let arrived: u64 = centre.arrived()?.iter().sum();
            let right = self.report.expect(received == forwarded + dropped && forwarded == arrived, || {
                format!(
                    "{}: {received} received, {forwarded} sent on, {dropped} dropped, {arrived} arrived",
                    centre.prefix
                )
            });
            let text = format!(
                "{}/64: the filters received {received} frames, sent {forwarded} on and dropped {dropped}. The proxies \
                 received {arrived}.",
                centre.prefix
            );
            self.tell.outcome(right, &text);
        }
        Ok(self.report)
    }
}

/// Waits until what the filters have sent on has arrived.
fn settle(centre: &Centre) -> Result<()> {
    let is_still = || {
        let counts = || -> Result<bool> {
            let [_, forwarded, _] = centre.filtered()?;
            Ok(centre.arrived()?.iter().sum::<u64>() == forwarded)
        };
        counts().is_ok_and(|still| still)
    };
    wait_until("frames to reach the proxies", PATIENCE, is_still)
}

/// Takes all filters away.
pub(super) fn take_down(site: &mut Site, mut report: Report, tell: Tell) -> Result<Ending> {
    let mut left = Vec::new();
    for centre in &mut site.centres {
        left.extend(centre.take_down()?);
    }
    let right = report.expect(left.is_empty(), || format!("pins are left on {left:?}"));
    tell.outcome(right, "ssa-ctl down on every host: nothing is left");
    Ok(report.ending())
}
