//! What a service says of its slices and of the endpoints they belong to in; that, and what is wrong with it, out.

use std::{
    collections::{HashMap, HashSet},
    str::FromStr,
};

use super::{
    endpoint::{EndpointDraft, Endpoints},
    members,
    model::{DEFAULT_HANDOVER, Steer},
    run::Run,
    service::Draft,
    table::{At, Sink, Table},
    words::{Seconds, WordError},
};

/// Slice bits, at most: the slices of a prefix are a table of one word each.
pub(super) const MAX_SLICE_BITS: u8 = 20;
/// Keys that say nothing of a service without slices.
const OF_SLICES: [&str; 6] = ["endpoints", "steer", "pinned", "owners", "handover", "slice_counters"];

/// The slices of a service as far as they could be read.
pub(super) struct SlicesDraft<'t> {
    pub(super) bits: At<u8>,
    /// False where there are slice bits that could not be read.
    pub(super) known: bool,
    pub(super) endpoints: Option<At<Vec<At<&'t str>>>>,
    pub(super) steer: Steer,
    pub(super) pinned: Vec<At<Run>>,
    pub(super) owners: Vec<At<Run>>,
    pub(super) handover: u32,
    pub(super) counters: bool,
}

/// Seconds of a handover, at most: four years. A slice's word has 38 bits for the tick at which it ends, and the kernel may
/// count a thousand ticks a second, from its start on.
const MAX_HANDOVER: u32 = 4 * 365 * 24 * 60 * 60;

/// How long a previous owner keeps its connections: other than elsewhere, not at all is a time too.
#[derive(Clone, Copy, Debug)]
pub struct Handover(
    /// Seconds.
    pub u32,
);

impl FromStr for Handover {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        if matches!(text, "0s" | "0m" | "0h") {
            return Ok(Self(0));
        }
        let form = WordError("a handover lasts \"0s\" to \"35040h\", written \"0s\", \"90s\", \"5m\" or \"1h\"");
        text.parse()
            .ok()
            .filter(|Seconds(seconds)| *seconds <= MAX_HANDOVER)
            .map(|Seconds(time)| Self(time))
            .ok_or(form)
    }
}

/// Reads the keys of a service that are about slices.
pub(super) fn read<'t>(table: &mut Table<'t, '_>) -> SlicesDraft<'t> {
    let bits = table.integer("slice_bits", 0..=MAX_SLICE_BITS.into());
    let steers = [("route", Steer::Route), ("l2", Steer::L2), ("ip6ip6", Steer::Ip6ip6)];
    let runs = "[\"7 a\", \"8-15 b\"]";
    let slices = SlicesDraft {
        known: bits.is_some() || table.place("slice_bits").is_none(),
        bits: bits.map_or(At { value: 0, span: 0..0 }, |bits| At {
            value: u8::try_from(bits.value).unwrap_or(0),
            span: bits.span,
        }),
        endpoints: endpoints(table),
        steer: table.choice("steer", &steers).unwrap_or_default(),
        pinned: table.words("pinned", runs),
        owners: table.words("owners", runs),
        handover: table.word("handover", "\"5m\"").map_or(DEFAULT_HANDOVER, |Handover(seconds)| seconds),
        counters: table.boolean("slice_counters").unwrap_or_default(),
    };
    if slices.known && slices.bits.value == 0 {
        for key in OF_SLICES {
            if let Some(span) = table.place(key) {
                let help = "cut the prefixes into slices, as in slice_bits = 12, or take the key away";
                table.sink.missing(span, format!("`{key}` says nothing of a service without slices"), help);
            }
        }
    }
    slices
}

fn endpoints<'t>(table: &mut Table<'t, '_>) -> Option<At<Vec<At<&'t str>>>> {
    let list = table.strings("endpoints", "[\"a\", \"b\"]")?;
    if list.value.is_empty() {
        let help = "leave `endpoints` away to use all of the config, or name those that the slices belong to";
        table.sink.missing(list.span.clone(), "an empty `endpoints` leaves the slices to nobody", help);
    }
    let mut seen = HashSet::new();
    for At { value, span } in &list.value {
        if !seen.insert(*value) {
            table.sink.error(span.clone(), format!("`endpoints` lists {value} twice"), "list it once");
        }
    }
    Some(list)
}

impl<'t> SlicesDraft<'t> {
    /// The names in `endpoints`.
    pub(super) fn names(&self) -> impl Iterator<Item = &At<&'t str>> {
        self.endpoints.iter().flat_map(|list| &list.value)
    }
}

/// The faults of slices on prefixes, and with endpoints, that are right each by itself.
pub(super) fn together(draft: &Draft<'_>, endpoints: &Endpoints<'_, '_>, sink: &mut Sink) {
    let slices = &draft.slices;
    fit(draft, sink);
    if slices.known && slices.bits.value == 0 {
        return;
    }
    let listed: HashMap<&str, &EndpointDraft<'_>> =
        slices.names().filter_map(|name| Some((name.value, endpoints.find(name, sink)?))).collect();
    for (key, runs) in [("pinned", &slices.pinned), ("owners", &slices.owners)] {
        for At { value: Run { endpoint, .. }, span } in runs {
            let there = endpoints.find(&At { value: endpoint, span: span.clone() }, sink).is_some();
            if there && slices.endpoints.is_some() && !listed.contains_key(endpoint.as_str()) {
                let message = format!("`{key}` has {endpoint}, which is no endpoint of {}", draft.shown());
                let help = match key {
                    "owners" => "take the run away: its slices are shared out among the endpoints that are left",
                    _ => "add it to `endpoints`, or name another one",
                };
                sink.missing(span.clone(), message, help);
            }
        }
        numbers(key, runs, slices, sink);
    }
    if slices.known {
        let members: Vec<&EndpointDraft<'_>> =
            if slices.endpoints.is_some() { listed.into_values().collect() } else { endpoints.all.iter().collect() };
        owned(draft, &members, sink);
        members::warn(draft, &members, sink);
    }
}

/// Slices are cut from the suffix of every prefix.
fn fit(draft: &Draft<'_>, sink: &mut Sink) {
    let At { value, span } = &draft.slices.bits;
    let Some(longest) = draft.lengths().pop_last() else { return };
    let suffix = 128 - longest;
    if *value > suffix {
        let message = format!("{value} slice bits do not fit behind a /{longest}, which leaves {suffix}");
        sink.error(span.clone(), message, format!("use at most {suffix}, or shorter prefixes"));
    }
}

/// Runs are of slices that are there, each of which is in one of them.
fn numbers(key: &str, runs: &[At<Run>], slices: &SlicesDraft<'_>, sink: &mut Sink) {
    let last = (1u32 << slices.bits.value) - 1;
    for At { value: run, span } in runs.iter().filter(|run| slices.known && run.value.last > last) {
        let message = format!("`{key}` has slice {}, which is not there", run.last);
        let help = format!("{} slice bits number the slices 0 to {last}", slices.bits.value);
        sink.error(span.clone(), message, help);
    }
    let mut sorted: Vec<&At<Run>> = runs.iter().collect();
    sorted.sort_by_key(|run| (run.value.first, run.span.start));
    let mut widest: Option<&At<Run>> = None;
    for run in sorted {
        if let Some(before) = widest.filter(|before| before.value.last >= run.value.first) {
            // Said at the second of the two.
            let (first, second) = if before.span.start < run.span.start { (before, run) } else { (run, before) };
            let message = format!(
                "slice {} is in two runs of `{key}`: {:?} has it too",
                run.value.first,
                first.value.to_string()
            );
            sink.error(second.span.clone(), message, "each slice stands in one run: take it out of one of the two");
        }
        if widest.is_none_or(|before| before.value.last < run.value.last) {
            widest = Some(run);
        }
    }
}

/// Somebody owns the slices, and frames can travel there.
fn owned(draft: &Draft<'_>, members: &[&EndpointDraft<'_>], sink: &mut Sink) {
    let slices = &draft.slices;
    let takers = members.iter().filter(|endpoint| !endpoint.drain).count();
    let span = slices.endpoints.as_ref().map_or(&slices.bits.span, |list| &list.span);
    if takers == 0 && !members.is_empty() {
        let message = format!("every endpoint of {} is draining, so that nobody owns its slices", draft.shown());
        sink.missing(span.clone(), message, "leave one of them in, or add another that takes the slices");
    }
    let steer = match slices.steer {
        Steer::Route => None,
        Steer::L2 => Some("l2"),
        Steer::Ip6ip6 => Some("ip6ip6"),
    };
    if let (Some(steer), true, None) = (steer, members.is_empty(), &slices.endpoints) {
        let message = format!("{} steers by {steer}, and has no endpoint to steer to", draft.shown());
        sink.missing(slices.bits.span.clone(), message, "add a table [[endpoint]] with name and address");
    }
    let count = 1usize << slices.bits.value;
    if takers > count {
        let bits = takers.next_power_of_two().trailing_zeros();
        let message = format!("{} has {takers} endpoints and {count} slices: some get none", draft.shown());
        let help = format!("use slice_bits = {bits} or more, or list fewer in `endpoints`");
        sink.warning(span.clone(), message, help);
    } else {
        left_out(draft, members, sink);
    }
}

/// Where all slices are listed, who is in no run gets nothing.
fn left_out(draft: &Draft<'_>, members: &[&EndpointDraft<'_>], sink: &mut Sink) {
    let slices = &draft.slices;
    let listed: u64 = slices.owners.iter().map(|run| u64::from(run.value.bounds().count())).sum();
    let Some(first) = slices.owners.first().filter(|_| listed >= 1 << slices.bits.value) else { return };
    let runs = slices.owners.iter().chain(&slices.pinned);
    let in_runs: HashSet<&str> = runs.map(|run| run.value.endpoint.as_str()).collect();
    let takers = members.iter().filter(|endpoint| !endpoint.drain).filter_map(|endpoint| endpoint.name.as_ref());
    let mut none: Vec<&str> = takers.map(|name| name.value).filter(|name| !in_runs.contains(name)).collect();
    none.sort_unstable();
    let whom = match none.as_slice() {
        [] => return,
        [one] => (*one).to_owned(),
        [one, others @ ..] => format!("{one} and {} more", others.len()),
    };
    let message = format!("`owners` lists all slices of {}, and has none for {whom}", draft.shown());
    let help = "take `owners` out to share the slices out among all endpoints";
    sink.warning(first.span.clone(), message, help);
}
