//! A config in; the frames that are measured, each with what should become of it, out.

use std::net::Ipv6Addr;

use serde::Serialize;
use ssa_common::{
    judge,
    parse::protocol,
    rule::{Compiled, Kind, Request, epoch::Fixed},
    verdict::{Reason, Verdict},
};

use super::{frames, wrong::wrong};
use crate::{
    command::{address::Search, explain::Question, keyed},
    config::{Allow, Config, Service, keys::KeyRings},
    failure::{Code, Failure},
    plan::tables::Tables,
};

/// A proof of work with more zero bits is not searched for: it would take longer than what it is for.
const ZEROS: u32 = 24;

/// Addresses that nobody has (RFC 9637, RFC 3849).
const STRANGERS: [Ipv6Addr; 4] = [
    Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0x3fff, 0xfff, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1),
    Ipv6Addr::new(0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 1),
];

/// A frame, measured by itself.
pub(super) struct Stage {
    /// What it is called.
    pub(super) name: &'static str,
    /// The service that it is for.
    pub(super) service: Option<String>,
    /// Its octets.
    pub(super) frame: Vec<u8>,
    /// What the law says of it.
    pub(super) verdict: Verdict,
}

/// A frame that there is not.
#[derive(Serialize)]
pub(super) struct Skipped {
    pub(super) stage: &'static str,
    pub(super) service: String,
    pub(super) why: &'static str,
}

/// The law on this host, and the time that it is there.
pub(super) struct Law {
    /// The rows, for a clock of one tick a second.
    pub(super) tables: Tables,
    /// Unix seconds.
    pub(super) time: u64,
}

impl Law {
    fn judge(&self, frame: &[u8]) -> Verdict {
        judge::judge(&frame, &self.tables, &Fixed(self.time)).verdict()
    }
}

/// What the stages are made of, and those that are made.
pub(super) struct Stages<'a> {
    config: &'a Config,
    rings: &'a KeyRings,
    law: &'a Law,
    source: Ipv6Addr,
    pub(super) made: Vec<Stage>,
    pub(super) skipped: Vec<Skipped>,
}

impl<'a> Stages<'a> {
    /// Frames to no service.
    pub(super) fn new(config: &'a Config, rings: &'a KeyRings, law: &'a Law) -> Result<Self, Failure> {
        let mut strangers = STRANGERS.into_iter().filter(|address| !is_in_service(config, *address));
        let (Some(source), Some(nowhere)) = (strangers.next(), strangers.next()) else {
            return Err(Failure::new(Code::Failed, "the services leave no address for a stranger"));
        };
        let mut stages = Self { config, rings, law, source, made: Vec::new(), skipped: Vec::new() };
        stages.add("not-ipv6", None, frames::not_ipv6());
        let question = stages.question(nowhere, None);
        stages.add("no-service", None, question.frame());
        Ok(stages)
    }

    /// Frames to a service whose addresses follow its rule and do not, and with `all` other traffic to it. The search for an
    /// address shows itself if `terminal`.
    pub(super) fn service(&mut self, service: &Service, all: bool, terminal: bool) -> Result<(), Failure> {
        // One prefix is as good as another.
        let selector = keyed::selector(self.config, self.rings, &service.name)?;
        let rule = &selector.rules()[0];
        let ask = |stages: &Self, address| stages.question(address, Some(service));
        let right = if zeros(rule) > ZEROS {
            self.skip("conforming", service, "the search for its proof of work would take too long");
            Ipv6Addr::from_bits(rule.placed().prefix())
        } else {
            let right = self.right(rule, terminal)?;
            self.add("conforming", Some(service), ask(self, right).frame());
            right
        };
        let follows = |address| self.law.judge(&ask(self, address).frame()).reason == Reason::Conform;
        match wrong(rule, right, follows) {
            Some(address) => self.add("not-conforming", Some(service), ask(self, address).frame()),
            None => self.skip("not-conforming", service, "every address follows the rule"),
        }
        if all {
            let question = ask(self, right);
            self.add("vlan-tag", Some(service), frames::tagged(&question.frame()));
            self.add("neighbour-discovery", Some(service), frames::discovery(self.source, right));
            self.add("echo", Some(service), frames::echo(self.source, right));
            self.add("icmp-error", Some(service), frames::error(&question));
        }
        Ok(())
    }

    fn add(&mut self, name: &'static str, service: Option<&Service>, frame: Vec<u8>) {
        let verdict = self.law.judge(&frame);
        self.made.push(Stage { name, service: service.map(|service| service.name.clone()), frame, verdict });
    }

    fn skip(&mut self, stage: &'static str, service: &Service, why: &'static str) {
        self.skipped.push(Skipped { stage, service: service.name.clone(), why });
    }

    /// What a client asks a service for first.
    fn question(&self, destination: Ipv6Addr, service: Option<&Service>) -> Question {
        let first = service.and_then(|service| service.allow.as_ref()?.first().copied());
        let proto = first.unwrap_or(Allow { protocol: protocol::TCP, port: None });
        Question { source: self.source, destination, proto, time: self.law.time }
    }

    /// The address that a client computes, for some object.
    fn right(&self, rule: &Compiled, terminal: bool) -> Result<Ipv6Addr, Failure> {
        let object = Some(rand::random());
        let request = Request { source: self.source.to_bits(), object, replica: 0, time: self.law.time };
        Ok(Search::new(terminal, rule).destination(&request)?)
    }
}

fn is_in_service(config: &Config, address: Ipv6Addr) -> bool {
    config.services.iter().flat_map(|service| &service.prefixes).any(|prefix| prefix.contains(&address))
}

/// The zero bits that a proof of work begins with.
fn zeros(rule: &Compiled) -> u32 {
    let of = |kind: &Kind| if let Kind::Pow { zeros, .. } = kind { u32::from(*zeros) } else { 0 };
    rule.placed().fields().iter().map(|field| of(&field.kind)).sum()
}
