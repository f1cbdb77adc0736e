//! The text of a rule and the service around it in; faults and warnings at their places in the text, and what share of
//! random packets gets through, out.

use std::{collections::BTreeSet, ops::Range};

use serde::Serialize;
use ssa_common::rule::{Kind, Placed, Rule, RuleError, Warning, WarningContext, keyid::MAX_TRIED};

use super::{
    fault::Fault,
    model::Service,
    service::Draft,
    source::Source,
    table::{At, Sink},
};

/// A rule, and where its text stands.
pub(super) struct RuleText {
    pub(super) rule: Rule,
    span: Range<usize>,
    /// Where its first character stands, if the file has its text as it is.
    offset: Option<usize>,
}

impl RuleText {
    pub(super) fn read(source: &Source, text: &At<&str>, sink: &mut Sink) -> Option<Self> {
        let offset = offset(source, text);
        match Rule::parse(text.value) {
            Ok(rule) => Some(Self { rule, span: text.span.clone(), offset }),
            Err(errors) => {
                for RuleError { span, message, help } in errors {
                    sink.error(place(offset, &text.span, &span), message, help);
                }
                None
            }
        }
    }

    /// Where a stretch of the rule's text stands in the file.
    pub(super) fn place(&self, span: &Range<usize>) -> Range<usize> {
        place(self.offset, &self.span, span)
    }
}

fn place(offset: Option<usize>, whole: &Range<usize>, span: &Range<usize>) -> Range<usize> {
    offset.map_or(whole.clone(), |offset| offset + span.start..offset + span.end)
}

/// Where the first character of a string stands: behind one or three quotes, unless escapes made it another text.
fn offset(source: &Source, text: &At<&str>) -> Option<usize> {
    let raw = &source.text[text.span.clone()];
    let inside = |quotes: usize| raw.get(quotes..raw.len().checked_sub(quotes)?);
    [1, 3].into_iter().find(|quotes| inside(*quotes) == Some(text.value)).map(|quotes| text.span.start + quotes)
}

/// The faults of rules on their prefixes.
pub(super) fn together(draft: &Draft<'_>, sink: &mut Sink) {
    for text in draft.rules() {
        let mut faults: Vec<Fault> = Vec::new();
        let numbers: Vec<u32> = draft
            .keys
            .iter()
            .filter(|key| Some(key.key.name.as_str()) == text.rule.key())
            .map(|key| key.key.number)
            .collect();
        let context = WarningContext { slice_bits: draft.slices.bits.value, keys: numbers.len(), skew: draft.skew };
        for length in draft.lengths() {
            match text.rule.place(0, length) {
                Err(errors) => {
                    let fault = |error: RuleError| Fault::error(text.place(&error.span), error.message, error.help);
                    faults.extend(errors.into_iter().map(fault));
                }
                Ok(placed) => {
                    let warn = |warning: Warning| {
                        let make = if warning.refused && !draft.allow_weak { Fault::error } else { Fault::warning };
                        make(text.place(&warning.span), warning.message, warning.help)
                    };
                    faults.extend(placed.warnings(&context).into_iter().map(warn));
                    faults.extend(
                        untried(&placed, &numbers)
                            .map(|(message, help)| Fault::warning(text.place(&(0..text.span.len())), message, help)),
                    );
                }
            }
        }
        // A rule says the same of several prefix lengths.
        for fault in faults {
            if !sink.faults.contains(&fault) {
                sink.faults.push(fault);
            }
        }
    }
}

/// Keys that a filter would never try: it tries two of those that the `keyid` allows.
fn untried(placed: &Placed, numbers: &[u32]) -> Option<(String, String)> {
    let tried = MAX_TRIED as usize;
    let keyid = placed.fields().iter().find(|field| field.kind == Kind::KeyId);
    let Some(keyid) = keyid else {
        return (numbers.len() > tried).then(|| {
            let message = format!("without a keyid the two newest of {} keys are tried", numbers.len());
            (message, "add a keyid field, or retire the older keys".into())
        });
    };
    let mask = u64::MAX >> (64 - u32::from(keyid.width.clamp(1, 64)));
    let alike = |number: &u32| numbers.iter().filter(|other| (u64::from(**other ^ number)) & mask == 0).count();
    numbers.iter().any(|number| alike(number) > tried).then(|| {
        let message = format!("more than two keys of the ring look alike in a keyid of {} bits", keyid.width);
        (message, "of these only the two newest are tried: use a wider keyid, or other numbers".into())
    })
}

/// The share of random packets that a `mac` lets through: `accepted / 2^bits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Forgery {
    /// Tags that are accepted at one moment, at most.
    pub accepted: u64,
    /// Bits of a tag.
    pub bits: u8,
}

/// What random packets get through to a service whose rule has a `mac`: on its weakest prefix.
pub fn forgery(service: &Service) -> Option<Forgery> {
    let keys = service.rule.key().map_or(0, |ring| service.ring(ring).count());
    let context = WarningContext { slice_bits: service.slice_bits, keys, skew: service.skew };
    let on = |length| service.rule.place(0, length).ok()?.forgery(&context);
    let lengths: BTreeSet<u8> = service.prefixes.iter().map(ipnet::Ipv6Net::prefix_len).collect();
    let all = lengths.into_iter().filter_map(on).map(|(accepted, bits)| Forgery { accepted, bits });
    all.min_by_key(|forgery| forgery.bits)
}
