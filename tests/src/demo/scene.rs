//! A site and a rule in; each sender's part played, compared with what the law says, and a row of the report out.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    thread,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result};
use ssa_common::verdict::Reason;

use super::{
    RuleOfDemo, client,
    control::{Counted, SERVICE},
    flood::{self, Flood},
    law::Law,
    live::Live,
    report::{Report, Row},
    site::{CLIENT, PREFIX, STRANGER, Site, UPLINK},
    tell::Tell,
};
use crate::{
    net::{FrameSocket, Namespace, wait_until},
    stop::Stop,
};

/// Conversations of the client, tries of the stranger, frames of the flood.
const CONVERSATIONS: usize = 20;
const TRIES: usize = 20;
const FRAMES: usize = 4096;
/// Frames that may be on their way at once: a veth's ring with an XDP program takes 256.
const BATCH: usize = 128;
/// Between two batches, where people look on: a flood that is over at once shows nothing.
const PAUSE: Duration = Duration::from_millis(60);
/// A packet is there within this, on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(10);

/// The play.
pub(super) struct Scene<'a> {
    site: &'a Site,
    tell: Tell,
    stop: &'a Stop,
    router: [u8; 6],
    flooder: FrameSocket,
    config: PathBuf,
    key: PathBuf,
}

impl<'a> Scene<'a> {
    pub(super) fn new(site: &'a Site, tell: Tell, stop: &'a Stop) -> Result<Self> {
        let key = site.folder.path().join("k1.key");
        site.control.new_key(&key)?;
        Ok(Self {
            site,
            tell,
            stop,
            router: site.router_mac()?,
            flooder: FrameSocket::open(&site.flooder, UPLINK)?,
            config: site.folder.path().join("web.toml"),
            key,
        })
    }

    /// One rule: brought into force, then each sender in turn.
    pub(super) fn play(&mut self, rule: &RuleOfDemo, report: &mut Report) -> Result<()> {
        self.stop.check()?;
        fs::write(&self.config, config(rule, &self.key)).context("the config cannot be written")?;
        self.site.control.apply(&self.config)?;
        self.tell.print("\n");
        self.tell.outcome(true, "ssa-ctl apply: the rule is in force on the running host");
        let law = Law::read(&self.config)?;
        for row in [self.client(rule)?, self.stranger(rule, &law)?, self.flood(rule, &law)?] {
            report.rows.push(row);
        }
        Ok(())
    }

    /// The filter goes, and with it all that it left in the kernel.
    pub(super) fn end(&self, report: &mut Report) -> Result<()> {
        let gone = self.site.control.down()?;
        self.tell.outcome(gone, "ssa-ctl down: the filter is gone, and no pin is left");
        if !gone {
            report.wrong.push("ssa-ctl down left pins".into());
        }
        Ok(())
    }

    /// The client that follows the rule.
    fn client(&self, rule: &RuleOfDemo) -> Result<Row> {
        let (control, namespace) = (&self.site.control, &self.site.client);
        let addresses = control.addresses(namespace, CLIENT, &self.config, CONVERSATIONS)?;
        let before = (client::segments_sent(namespace)?, control.counted()?);
        let (mut answered, mut fault) = (0, None);
        let progress = self.tell.progress("the client converses", CONVERSATIONS as u64);
        for address in &addresses {
            self.stop.check()?;
            if let Err(error) = client::converse(namespace, *address) {
                // The others would fail as slowly.
                fault = Some(format!("no answer from {address}: {error:#}"));
                break;
            }
            answered += 1;
            progress.set_position(answered);
        }
        progress.finish_and_clear();
        let (sent, counted) = self.settle(namespace, &before)?;
        let expected = BTreeMap::from([(Reason::Conform.name(), sent)]);
        let mut row = Row::compare(rule.text, "client", sent, &counted, &expected);
        row.wrong.extend(fault);
        let text = format!(
            "The client asks `ssa-ctl address {SERVICE} --from {CLIENT}` and is told such as {}. It asks {} times \
             and gets {answered} answers; {} of its {sent} packets pass.",
            addresses[0],
            addresses.len(),
            row.passed,
        );
        self.tell.outcome(row.wrong.is_empty(), &text);
        Ok(row)
    }

    /// The client that does not: addresses at random, none of which is right by chance.
    fn stranger(&self, rule: &RuleOfDemo, law: &Law) -> Result<Row> {
        self.stop.check()?;
        let namespace = &self.site.stranger;
        let time = unix()?;
        let mut addresses = Vec::new();
        while addresses.len() < TRIES {
            let address = flood::in_the_prefix();
            if law.reason(&flood::syn(STRANGER, address, self.router)?, time) != Reason::Conform {
                addresses.push(address);
            }
        }
        let before = (client::segments_sent(namespace)?, self.site.control.counted()?);
        let connected = client::try_all(namespace, &addresses)?;
        let (sent, counted) = self.settle(namespace, &before)?;
        let refusal = if rule.keyed { Reason::MacMismatch } else { Reason::FieldMismatch };
        let mut row = Row::compare(rule.text, "stranger", sent, &counted, &BTreeMap::from([(refusal.name(), sent)]));
        if connected > 0 {
            row.wrong.push(format!("{connected} of {TRIES} wrong addresses answered"));
        }
        let text = format!(
            "The stranger ignores the rule and tries {TRIES} addresses such as {}. It connects to {connected}; {} of its \
             {sent} packets are dropped before the host's stack sees them.",
            addresses[0], row.dropped,
        );
        self.tell.outcome(row.wrong.is_empty(), &text);
        Ok(row)
    }

    /// The flooder: sources and destinations at random, for some of which the rule may hold by chance.
    fn flood(&self, rule: &RuleOfDemo, law: &Law) -> Result<Row> {
        let flood = Flood::new(FRAMES, self.router, law, unix()?)?;
        let before = self.site.control.counted()?;
        let mut live = Live::begin(&self.site.control, self.tell)?;
        let mut sent = 0;
        for batch in flood.frames.chunks(BATCH) {
            self.stop.check()?;
            if !self.tell.is_silent() {
                // sleep: the flood is to last as long as people need to read a line.
                thread::sleep(PAUSE);
            }
            for frame in batch {
                self.flooder.send(frame).context("the flooder cannot send")?;
                sent += 1;
            }
            if !self.arrived(before.received + sent)? {
                break;
            }
            live.look()?;
        }
        drop(live);
        let counted = self.site.control.counted()?.since(&before);
        let row = Row::compare(rule.text, "flooder", sent, &counted, &flood.expected);
        let chance = flood.expected.get(Reason::Conform.name()).copied().unwrap_or(0);
        let text = format!(
            "The flooder sends {sent} SYNs from made-up sources to made-up addresses. By the rule {chance} of them are \
             right by chance; {} pass, {} are dropped.",
            row.passed, row.dropped,
        );
        self.tell.outcome(row.wrong.is_empty(), &text);
        if let Some((source, destination)) = flood.dropped {
            let said = self.site.control.explain(source, destination)?;
            self.tell.outcome(true, &format!("Why was one dropped? ssa-ctl explain {source} {destination}"));
            self.tell.quote(&said);
        }
        Ok(row)
    }

    /// What a sender of TCP sent, and what was counted of it, once no more is on its way.
    fn settle(&self, namespace: &Namespace, before: &(u64, Counted)) -> Result<(u64, Counted)> {
        wait_until("connections to end", PATIENCE, || client::is_quiet(namespace).unwrap_or(false))?;
        let sent = client::segments_sent(namespace)? - before.0;
        self.arrived(before.1.received + sent)?;
        Ok((sent, self.site.control.counted()?.since(&before.1)))
    }

    /// Waits until so many packets were counted; false if they never are, of which the row will tell.
    fn arrived(&self, packets: u64) -> Result<bool> {
        let mut answer = self.site.control.counted();
        let arrived = wait_until("packets to arrive", PATIENCE, || {
            answer = self.site.control.counted();
            answer.as_ref().map_or(true, |counted| counted.received >= packets)
        });
        answer.map(|_| arrived.is_ok())
    }
}

fn config(rule: &RuleOfDemo, key: &Path) -> String {
    let service = format!(
        "version = 1\n\n[host]\ninterfaces = [\"{UPLINK}\"]\nmode = \"native\"\n\n[[service]]\nname = \"{SERVICE}\"\n\
         prefixes = [\"{PREFIX}/64\"]\nrule = \"{}\"\n",
        rule.text
    );
    // Long enough that no edge of an epoch comes between computing an address and using it.
    let keys = format!("skew = 300\n\n[[service.keys]]\nname = \"k1\"\nnumber = 1\nfile = \"{}\"\n", key.display());
    if rule.keyed { service + &keys } else { service }
}

fn unix() -> Result<u64> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).context("the clock is before 1970")?.as_secs())
}
