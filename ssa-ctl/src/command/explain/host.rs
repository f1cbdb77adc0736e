//! A config, its tables and a question in; what the host's own law says, field by field, out.

use std::net::Ipv6Addr;

use serde::Serialize;
use ssa_common::{
    judge::{self, Wrap},
    rule::{Compiled, FieldReport, Rule, Secrets, epoch::Fixed},
    verdict::{Class, Reason, Treatment},
};

use super::{blocks::Blocked, frame::Question};
use crate::{
    config::{Config, OnMismatch, Service, keys::KeyRings},
    plan::{ground::Neighbourhood, ranked::Ranked, tables::Tables, ways::Way},
};

/// What is said of an address pair.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// The service; none where the destination is outside all.
    pub service: Option<String>,
    /// Why.
    pub reason: &'static str,
    /// How the frame is judged.
    pub class: &'static str,
    /// What happens to it.
    pub treatment: &'static str,
    /// Not enforced: it passes, and would have been dropped.
    pub would_drop: bool,
    /// What blocks the source, where that is the reason.
    pub blocked: Option<Blocked>,
    /// The slice's number; none without slices.
    pub slice: Option<u32>,
    /// The slice's endpoint.
    pub endpoint: Option<String>,
    /// The slice's endpoint before, while it keeps its connections.
    pub previous: Option<String>,
    /// For so many seconds more.
    pub seconds: Option<u64>,
    /// The way to the endpoint that the frame goes to; none where it goes to none, or ways were not asked for.
    pub way: Option<Way>,
    /// Why there is no way there.
    pub no_way: Option<String>,
    /// Whose fields follow: `current`, or `previous` where that rule made the pair conform.
    pub rule: Option<&'static str>,
    /// The fields of the rule, most significant first.
    pub fields: Vec<Field>,
    /// The service also goes by known connections or fair shares, which were not looked up: what is said is of a first packet.
    pub first_packet: bool,
    /// What the loaded program says, if it was asked.
    pub kernel: Option<Kernel>,
    /// Whether it says the same.
    pub agree: Option<bool>,
}

/// A field of a rule, looked at.
#[derive(Clone, Debug, Serialize)]
pub struct Field {
    /// As the rule writes it.
    pub field: String,
    /// What it should hold.
    pub expected: String,
    /// What it holds.
    pub found: String,
    /// Whether that is right.
    pub ok: bool,
    /// The epoch in which it is valid, where it has epochs and one near is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<Epoch>,
}

/// An epoch, in Unix seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Epoch {
    /// Its number.
    pub number: u64,
    /// Its first second.
    pub from: u64,
    /// The first second after it.
    pub until: u64,
}

/// What the loaded program says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Kernel {
    /// Why.
    pub reason: &'static str,
    /// What happens.
    pub treatment: &'static str,
}

impl Explanation {
    /// The explanation with what the program said.
    #[must_use]
    pub fn with_kernel(mut self, reason: Reason, treatment: Treatment) -> Self {
        let kernel = Kernel { reason: reason.name(), treatment: treatment.name() };
        self.agree = Some((self.reason, self.treatment) == (kernel.reason, kernel.treatment));
        self.kernel = Some(kernel);
        self
    }

    /// Notes what blocks the source, where that is the reason.
    pub fn note_blocked(&mut self, by: Option<Blocked>) {
        self.blocked = by.filter(|_| self.reason == Reason::Blocked.name());
    }

    /// Notes who had the slice before, if these ticks, at so many a second, are in a handover.
    pub fn note_handover(&mut self, config: &Config, tables: &Tables, (ticks, hertz): (u64, u32)) {
        let of = self.service.as_ref().and_then(|service| tables.slices.of(service));
        let word = of.zip(self.slice).and_then(|(words, slice)| words.get(slice as usize));
        let Some(word) = word.filter(|word| word.previous() != 0 && word.deadline() > ticks) else { return };
        self.previous = Ranked::of(config).name(word.previous()).map(str::to_owned);
        self.seconds = Some((word.deadline() - ticks) / u64::from(hertz));
    }
}

/// Asks the law. `tables` are those of `config`, for a clock of one tick a second. What it says of a frame that is sent on
/// holds where there is a way: with `ways`, that is asked too.
pub fn explain(
    config: &Config,
    rings: &KeyRings,
    tables: &Tables,
    ways: Option<&Neighbourhood>,
    question: &Question,
) -> Explanation {
    let frame = question.frame();
    let judged = judge::judge(&frame.as_slice(), tables, &Fixed(question.time));
    let sent = ways.zip(judged.to.checked_sub(1));
    let way = sent.map(|(ways, place)| way(config, tables, ways, (place, judged.wrap)));
    let judged = if matches!(way, Some(Err(_))) { judged.nowhere() } else { judged };
    let verdict = judged.verdict();
    let (way, no_way) = match way {
        None => (None, None),
        Some(Ok(way)) => (Some(way), None),
        Some(Err(why)) => (None, Some(why)),
    };
    let place = Place::of(config, question.destination);
    let mismatch = place.as_ref().map_or(Class::Reject, |place| match place.service.on_mismatch {
        OnMismatch::Drop => Class::Reject,
        OnMismatch::LowPriority => Class::Suspect,
    });
    let looked_at = place.as_ref().and_then(|place| place.rule(rings, question, verdict.reason));
    let (rule, fields) = looked_at.map_or((None, Vec::new()), |(rule, fields)| (Some(rule), fields));
    Explanation {
        service: place.as_ref().map(|place| place.service.name.clone()),
        reason: verdict.reason.name(),
        class: verdict.reason.class(mismatch).name(),
        treatment: verdict.treatment.name(),
        would_drop: verdict.would_drop,
        blocked: None,
        slice: place.as_ref().and_then(|place| place.slice(question.destination)),
        endpoint: place.as_ref().and_then(|place| place.endpoint(config, tables, question.destination)),
        previous: None,
        seconds: None,
        way,
        no_way,
        rule,
        fields,
        first_packet: place
            .as_ref()
            .is_some_and(|place| place.service.established.is_some() || place.service.fair.is_some()),
        kernel: None,
        agree: None,
    }
}

/// The way to the endpoint at this place, or why there is none for a frame that is wrapped so.
fn way(config: &Config, tables: &Tables, ways: &Neighbourhood, (place, wrap): (u32, Wrap)) -> Result<Way, String> {
    let endpoint = tables.endpoints.get(place as usize);
    let way = endpoint.and_then(|endpoint| Way::of(&endpoint.hop, &ways.links));
    let has_source = !wrap.is_wrapped() || endpoint.is_some_and(|endpoint| !endpoint.source.is_zero());
    match way {
        Some(way) if has_source => Ok(way),
        Some(_) => Err("this host has no address towards it, to wrap frames with".into()),
        None => {
            let why = Ranked::of(config).name(place + 1).and_then(|name| ways.without.get(name).cloned());
            Err(why.unwrap_or_else(|| "it is not known".into()))
        }
    }
}

/// The service and the prefix that an address belongs to.
struct Place<'a> {
    index: usize,
    service: &'a Service,
    prefix: ipnet::Ipv6Net,
}

impl<'a> Place<'a> {
    fn of(config: &'a Config, address: Ipv6Addr) -> Option<Self> {
        config.services.iter().enumerate().find_map(|(index, service)| {
            let prefix = service.prefixes.iter().find(|prefix| prefix.contains(&address))?;
            Some(Self { index, service, prefix: *prefix })
        })
    }

    fn slice(&self, address: Ipv6Addr) -> Option<u32> {
        let bits = u32::from(self.service.slice_bits);
        let after = address.to_bits() << self.prefix.prefix_len();
        (bits > 0).then(|| u32::try_from(after >> (128 - bits)).unwrap_or(u32::MAX))
    }

    /// The endpoint of the address's slice.
    fn endpoint(&self, config: &Config, tables: &Tables, address: Ipv6Addr) -> Option<String> {
        let word = *tables.slices.of(&self.service.name)?.get(self.slice(address)? as usize)?;
        Ranked::of(config).name(word.owner()).map(str::to_owned)
    }

    /// The fields of the rule that decided.
    fn rule(&self, rings: &KeyRings, question: &Question, reason: Reason) -> Option<(&'static str, Vec<Field>)> {
        let current = self.fields(&self.service.rule, rings, question)?;
        let previous = self.service.previous.as_ref().filter(|_| reason == Reason::Conform);
        if let Some(previous) = previous
            && current.iter().any(|field| !field.ok)
        {
            return Some(("previous", self.fields(&previous.rule, rings, question)?));
        }
        Some(("current", current))
    }

    fn fields(&self, rule: &Rule, rings: &KeyRings, question: &Question) -> Option<Vec<Field>> {
        let compiled = self.compile(rule, rings)?;
        let (source, destination) = (question.source.to_bits(), question.destination.to_bits());
        let reports = compiled.explain(source, destination, question.time);
        let periods = compiled.placed().fields().iter().map(|field| field.kind.period());
        let field = |(report, period): (FieldReport, Option<ssa_common::rule::Period>)| {
            let epoch = report.epoch.zip(period).map(|(number, period)| {
                let from = number.saturating_mul(period.seconds());
                Epoch { number, from, until: from.saturating_add(period.seconds()) }
            });
            let FieldReport { field, expected, found, ok, .. } = report;
            Field { field, expected, found, ok, epoch }
        };
        Some(reports.into_iter().zip(periods).map(field).collect())
    }

    fn compile(&self, rule: &Rule, rings: &KeyRings) -> Option<Compiled> {
        let placed = rule.place(self.prefix.network().to_bits(), self.prefix.prefix_len()).ok()?;
        let ring = rule.key().map_or(&[][..], |ring| rings.ring(self.index, ring));
        let secrets = Secrets { salt: self.service.salt.unwrap_or_default(), ring };
        Some(placed.compile(&secrets, self.service.skew))
    }
}
