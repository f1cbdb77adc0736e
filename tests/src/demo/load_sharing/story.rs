//! A site in; its chapters out, each told and compared with what must come of it.

use std::fs;

use anyhow::{Context as _, Result};

use super::{
    ADDRESSES, JOINS, LEAVES, PATIENCE, STAGE, Story,
    clients::{Clients, TALKERS, Talk},
    report::Report,
    site::{CLIENTS, Endpoint, NAMES, Site, endpoint_address},
};
use crate::{
    demo::{
        Ending, Tell,
        account::Account as _,
        client,
        owners::{Owners, SLICE_BITS},
    },
    net::wait_until,
    stop::Stop,
};

impl<'a> Story<'a> {
    /// Brings filter and endpoints up, and lets the clients come.
    pub(super) fn begin(site: &'a Site, tell: Tell, stop: &'a Stop) -> Result<Self> {
        let config = site.config()?;
        for endpoint in &site.endpoints[..JOINS] {
            stop.check()?;
            endpoint.control.apply(&config)?;
            endpoint.control.say(&["endpoint", "host", "on"])?;
        }
        site.filter.apply(&config)?;
        let words = "ssa-ctl apply, with the same config on every host, and ssa-ctl endpoint host on at the endpoints. \
                     The filter says:";
        tell.outcome(true, words);
        tell.quote(&site.filter.say(&["endpoint", "list"])?);
        let owners = Owners::read(&site.filter)?;
        let addresses = site.filter.addresses(&site.clients, CLIENTS, &config, ADDRESSES)?;
        let report = Report { long_connections: TALKERS, ..Report::default() };
        let clients = Clients::start(&site.clients, addresses)?;
        Ok(Self { site, tell, stop, clients, owners, report })
    }

    /// The first stage: the clients are there.
    pub(super) fn share(&mut self) -> Result<()> {
        let answered = || self.clients.talks().iter().all(|talk| talk.endpoint.is_some());
        let all = wait_until("all clients to be answered", PATIENCE, answered).is_ok();
        let text = format!(
            "{TALKERS} clients have called and talk on, each from an address of its own. Others come, ask and go all \
             the time."
        );
        let right = self.report.expect(all, || "some of the clients that were to talk got no answer".into());
        self.tell.outcome(right, &text);
        let talks = self.clients.talks();
        let owners = &self.owners;
        let astray = talks.iter().filter(|talk| talk.endpoint != owners.of(talk.called)).count();
        self.report
            .expect(astray == 0, || format!("{astray} clients were answered by others than their slices' owners"));
        self.stage(STAGE)
    }

    /// An endpoint more.
    pub(super) fn join(&mut self) -> Result<()> {
        let (name, address) = (NAMES[JOINS], endpoint_address(JOINS).to_string());
        let new = &self.site.endpoints[JOINS].control;
        let running = self.site.folder.path().join("running.toml");
        fs::write(&running, self.site.filter.say(&["export"])?).context("the config cannot be written")?;
        new.apply(&running)?;
        new.say(&["endpoint", "host", "on"])?;
        self.tell.outcome(true, &format!("{name} gets the running config: ssa-ctl export, ssa-ctl apply"));
        let before = self.owners.clone();
        // Who gains slices first, the filter last: so each frame meets somebody who knows of it.
        let hosts = [JOINS, 0, 1, 2].map(|place| &self.site.endpoints[place].control);
        let words = ["endpoint", "add", name, &address];
        self.change(&words, &hosts, "It is added, first at itself, then at the others, last at the filter:")?;
        let moved = self.owners.moved(&before);
        self.report.slices_moved[0] = moved;
        let only = self.owners.count(name) == moved;
        let text = format!("{moved} of {} slices move, and all of them to {name}", 1 << SLICE_BITS);
        let right = self.report.expect(only && moved > 0, || format!("not only slices that go to {name} have moved"));
        self.tell.outcome(right, &text);
        self.stage(STAGE)
    }

    /// An endpoint that is to leave.
    pub(super) fn drain(&mut self) -> Result<()> {
        let name = NAMES[LEAVES];
        let (before, handed_before) = (self.owners.clone(), self.handed_over()?);
        let hosts = [0, 2, 3, LEAVES].map(|place| &self.site.endpoints[place].control);
        self.change(&["endpoint", "drain", name], &hosts, "At the others first, then at itself, last at the filter:")?;
        let moved = self.owners.moved(&before);
        self.report.slices_moved[1] = moved;
        let right = moved == before.count(name) && self.owners.count(name) == 0;
        let right =
            self.report.expect(right, || format!("{moved} slices moved, and {name} had {}", before.count(name)));
        self.tell.outcome(right, &format!("{moved} slices move: all that {name} had, and no others"));
        self.stage(STAGE)?;

        let Some(stage) = self.report.stages.last() else { return Ok(()) };
        let (connections, new) = (stage.connections, stage.answered[name]);
        self.report.new_at_the_drained = new;
        let right = self.report.expect(new == 0, || format!("{new} new connections reached {name}, which is drained"));
        let owners = &self.owners;
        let talks = self.clients.talks();
        let is_moved = |talk: &&Talk| talk.endpoint != owners.of(talk.called);
        let long = talks.iter().filter(|talk| talk.endpoint == Some(name)).count();
        self.report.long_connections_moved = talks.iter().filter(is_moved).count();
        let handed_over = self.handed_over()? - handed_before;
        let text = format!("{new} of {connections} new connections reach {name}");
        self.tell.outcome(right, &text);
        let right = self.report.expect(long > 0 && handed_over > 0, || "nothing was handed over".into());
        let text = format!(
            "{long} of those that talk have begun at {name} and go on there. Their frames come to the new owner of \
             their slice, which has no such connection and hands them over. In all, {} of {TALKERS} are of slices that \
             have moved by now; since {name} is drained, {handed_over} frames were handed over.",
            self.report.long_connections_moved,
        );
        self.tell.outcome(right, &text);
        Ok(())
    }

    /// It leaves, once its clients have gone of their own accord.
    pub(super) fn leave(&mut self) -> Result<()> {
        let Endpoint { name, control, server } = &self.site.endpoints[LEAVES];
        let had = server.open();
        self.clients.hang_up();
        let empty = wait_until("the last connection to end", PATIENCE, || server.open() == 0).is_ok();
        let has = server.open();
        let right = self.report.expect(empty, || format!("{name} still has {has} connections"));
        let text = format!("Those that talk hang up. {name}, which had {had} connections, has {has} now, and may go.");
        self.tell.outcome(right, &text);
        let before = self.owners.clone();
        let hosts = [0, 2, 3].map(|place| &self.site.endpoints[place].control);
        self.change(&["endpoint", "remove", name], &hosts, "Removed from the others and from the filter:")?;
        let moved = self.owners.moved(&before);
        self.report.expect(moved == 0, || format!("{moved} slices moved when {name} left"));
        self.count_frames(control, false)?;
        let right = self.take_down(control)?;
        self.tell.outcome(right, &format!("ssa-ctl endpoint host off and ssa-ctl down: {name} is as it was before"));
        self.stage(STAGE / 2)
    }

    /// What everybody counted is compared, and all goes.
    pub(super) fn end(mut self) -> Result<Ending> {
        self.clients.close();
        let quiet = || client::is_quiet(&self.site.clients).unwrap_or(false);
        wait_until("connections to end", PATIENCE, quiet)?;
        let staying = [0, 2, 3].map(|place| &self.site.endpoints[place].control);
        for host in staying {
            self.count_frames(host, false)?;
        }
        self.count_frames(&self.site.filter, true)?;
        self.judge();
        let mut right = true;
        for host in staying.into_iter().chain([&self.site.filter]) {
            self.stop.check()?;
            right &= self.take_down(host)?;
        }
        self.tell.outcome(right, "ssa-ctl endpoint host off and ssa-ctl down everywhere: no pin and no route is left");
        Ok(self.report.ending())
    }
}
