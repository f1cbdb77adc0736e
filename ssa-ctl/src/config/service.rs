//! A `[[service]]` table in; a service, where its parts stand, and faults out.

use std::{collections::BTreeSet, ops::Range};

use ipnet::Ipv6Net;
use toml::{Spanned, de::DeValue};

use super::{
    ServiceSpans,
    fair::{self, Fair},
    low_priority::{self, LowDraft},
    model::{DEFAULT_SKEW, Established, KeyRef, OnMismatch, Previous, Service, StaleClock},
    moment::unix_seconds,
    prefixes, rings,
    rules::{self, RuleText},
    slices::{self, SlicesDraft},
    source::Source,
    table::{At, Sink, Table, shown},
    words::{Allow, Enforce, Seconds, WordError, is_name, sixteen_octets},
};

/// Seconds of skew, at most.
const MAX_SKEW: u64 = 3600;

/// A service as far as it could be read.
pub(super) struct Draft<'t> {
    pub(super) name: Option<At<&'t str>>,
    pub(super) prefixes: Vec<At<Ipv6Net>>,
    pub(super) slices: SlicesDraft<'t>,
    pub(super) rule: Option<RuleText>,
    pub(super) previous: Option<RuleText>,
    until: u64,
    pub(super) keys: Vec<KeyDraft>,
    pub(super) skew: u32,
    pub(super) allow_weak: bool,
    enforce: Enforce,
    on_mismatch: OnMismatch,
    established: Option<Established>,
    fair: Option<Fair>,
    pub(super) low: LowDraft,
    low_place: Range<usize>,
    allow: Option<Vec<Allow>>,
    salt: Option<[u8; 16]>,
    deny_source_in_service: bool,
    max_age: Option<u32>,
    stale_clock: StaleClock,
}

/// A key of a ring and where it stands.
pub(super) struct KeyDraft {
    pub(super) key: KeyRef,
    pub(super) name: Range<usize>,
    pub(super) number: Range<usize>,
    pub(super) file: Range<usize>,
}

/// Reads a service.
pub(super) fn read<'t>(source: &Source, value: &'t Spanned<DeValue<'t>>, sink: &mut Sink) -> Option<Draft<'t>> {
    let mut table = Table::of("[[service]]", value, sink)?;
    let stale = [("last", StaleClock::Last), ("open", StaleClock::Open), ("closed", StaleClock::Closed)];
    let mismatch = [("drop", OnMismatch::Drop), ("lowprio", OnMismatch::LowPriority)];
    let known = [("socket", Established::Socket), ("flows", Established::Flows)];
    let (previous, until) = previous(source, &mut table).map_or((None, 0), |(rule, until)| (rule, until.unwrap_or(0)));
    let on_mismatch = table.choice("on_mismatch", &mismatch).unwrap_or_default();
    let fair = fair::read(&mut table);
    let draft = Draft {
        name: name(&mut table),
        prefixes: prefixes(&mut table),
        rule: rule(source, &mut table, "\"hash(48):12 any:*\""),
        slices: slices::read(&mut table),
        enforce: table.word("enforce", "\"on\"").unwrap_or_default(),
        on_mismatch,
        established: table.choice("established", &known),
        low: low_priority::read(&mut table, on_mismatch == OnMismatch::LowPriority || fair.is_some()),
        low_place: table.place("low_priority").unwrap_or_else(|| table.span()),
        fair,
        allow: allow(&mut table),
        salt: salt(&mut table),
        skew: table.integer("skew", 0..=MAX_SKEW).map_or(DEFAULT_SKEW, |skew| u32::try_from(skew.value).unwrap_or(0)),
        allow_weak: table.boolean("allow_weak").unwrap_or_default(),
        deny_source_in_service: table.boolean("deny_source_in_service").unwrap_or_default(),
        max_age: table.word("max_age", "\"24h\"").map(|Seconds(seconds)| seconds),
        stale_clock: table.choice("stale_clock", &stale).unwrap_or_default(),
        previous,
        until,
        keys: rings::read(source, &mut table),
    };
    if draft.stale_clock != StaleClock::Last && draft.max_age.is_none() {
        let help = "say when a clock is stale, as in max_age = \"24h\"";
        table.sink.warning(table.span(), "stale_clock has no effect: without max_age no clock is stale", help);
    }
    rings::together(&draft, table.sink);
    rules::together(&draft, table.sink);
    table.end();
    Some(draft)
}

impl Draft<'_> {
    /// The current rule and the previous one, where they could be read.
    pub(super) fn rules(&self) -> impl Iterator<Item = &RuleText> {
        self.rule.iter().chain(&self.previous)
    }

    /// The lengths of its prefixes.
    pub(super) fn lengths(&self) -> BTreeSet<u8> {
        self.prefixes.iter().map(|prefix| prefix.value.prefix_len()).collect()
    }

    /// Its name for a message.
    pub(super) fn shown(&self) -> String {
        self.name.as_ref().map_or_else(|| "the service".into(), |name| format!("the service {}", name.value))
    }

    /// The service, if what it cannot do without is there.
    pub(super) fn finish(self) -> Option<(Service, ServiceSpans)> {
        let spans = ServiceSpans {
            prefixes: self.prefixes.iter().map(|prefix| prefix.span.clone()).collect(),
            key_files: self.keys.iter().map(|key| key.file.clone()).collect(),
            low_priority: self.low_place,
        };
        let (until, slices) = (self.until, self.slices);
        let service = Service {
            name: self.name?.value.to_owned(),
            prefixes: self.prefixes.into_iter().map(|prefix| prefix.value).collect(),
            rule: self.rule?.rule,
            slice_bits: slices.bits.value,
            endpoints: slices.endpoints.map(|list| list.value.into_iter().map(|name| name.value.to_owned()).collect()),
            steer: slices.steer,
            pinned: slices.pinned.into_iter().map(|run| run.value).collect(),
            owners: slices.owners.into_iter().map(|run| run.value).collect(),
            handover: slices.handover,
            slice_counters: slices.counters,
            enforce: self.enforce,
            on_mismatch: self.on_mismatch,
            established: self.established,
            fair: self.fair,
            low_priority: self.low.ways,
            low_priority_rate: self.low.rate,
            allow: self.allow,
            salt: self.salt,
            skew: self.skew,
            allow_weak: self.allow_weak,
            deny_source_in_service: self.deny_source_in_service,
            max_age: self.max_age,
            stale_clock: self.stale_clock,
            previous: self.previous.map(|text| Previous { rule: text.rule, until }),
            keys: self.keys.into_iter().map(|key| key.key).collect(),
        };
        Some((service, spans))
    }
}

fn name<'t>(table: &mut Table<'t, '_>) -> Option<At<&'t str>> {
    let name = table.required("name", "\"web\"")?;
    if is_name(name.value, "._-") {
        return Some(name);
    }
    let help = "a name has 1 to 63 letters, digits, dots, underscores and hyphens, and begins with a letter or a digit";
    table.sink.error(name.span, format!("{} cannot be a service's name", shown(name.value)), help);
    None
}

fn prefixes(table: &mut Table<'_, '_>) -> Vec<At<Ipv6Net>> {
    let example = "[\"2001:db8:ac10:fe01::/64\"]";
    table.require("prefixes", example);
    let Some(list) = table.strings("prefixes", example) else { return Vec::new() };
    if list.value.is_empty() {
        table.sink.missing(list.span, "the service has no prefix", format!("write prefixes = {example}"));
    }
    let read = |At { value, span }: At<&str>| match prefixes::parse(value) {
        Ok(prefix) => Some(At { value: prefix, span }),
        Err((message, help)) => {
            table.sink.error(span, message, help);
            None
        }
    };
    list.value.into_iter().filter_map(read).collect()
}

fn rule(source: &Source, table: &mut Table<'_, '_>, example: &str) -> Option<RuleText> {
    let text = table.required("rule", example)?;
    RuleText::read(source, &text, table.sink)
}

fn allow(table: &mut Table<'_, '_>) -> Option<Vec<Allow>> {
    let example = "[\"tcp/443\", \"icmpv6\"]";
    let list = table.strings("allow", example)?;
    let most = ssa_common::layout::ALLOWED;
    if list.value.is_empty() {
        let help = "leave `allow` away to take every protocol, or list what the service takes";
        table.sink.missing(list.span.clone(), "an empty `allow` takes no protocol at all", help);
    }
    if let Some(extra) = list.value.get(most) {
        let help = format!("a list has at most {most} entries; tcp without a port takes all ports");
        table.sink.error(extra.span.clone(), format!("`allow` has {} entries", list.value.len()), help);
    }
    let mut allowed = Vec::new();
    for At { value, span } in list.value {
        match value.parse() {
            Ok(entry) if allowed.contains(&entry) => {
                table.sink.error(span, format!("`allow` lists {entry} twice"), "list it once");
            }
            Ok(entry) => allowed.push(entry),
            Err(WordError(help)) => table.sink.error(span, format!("`allow` cannot have {}", shown(value)), help),
        }
    }
    Some(allowed)
}

fn salt(table: &mut Table<'_, '_>) -> Option<[u8; 16]> {
    let At { value, span } = table.string("salt", "\"00112233445566778899aabbccddeeff\"")?;
    let salt = sixteen_octets(value);
    if salt.is_none() {
        let message = format!("a salt is 32 hexadecimal digits, and this is {}", shown(value));
        table.sink.error(span, message, "write 16 octets, as in \"00112233445566778899aabbccddeeff\"");
    }
    salt
}

fn previous(source: &Source, table: &mut Table<'_, '_>) -> Option<(Option<RuleText>, Option<u64>)> {
    let value = table.get("previous")?;
    let mut table = Table::of("[service.previous]", value, table.sink)?;
    let rule = rule(source, &mut table, "\"src(0):64\"");
    let example = "2026-01-31T12:00:00Z";
    table.require("until", example);
    let until = table.get("until").and_then(|value| {
        let until = match value.get_ref() {
            DeValue::Datetime(time) => unix_seconds(time),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok(),
            _ => None,
        };
        let until = until.and_then(|seconds| u64::try_from(seconds).ok());
        if until.is_none() {
            let help = format!("write a date and time with its offset, as in {example}, or Unix seconds");
            table.sink.error(value.span(), "`until` is no moment that can be told", help);
        }
        until
    });
    table.end();
    Some((rule, until))
}
