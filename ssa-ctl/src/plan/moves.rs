//! The slices in force and those wanted in; how many go from whom to whom, service by service, out.

use std::collections::BTreeMap;

use ssa_common::rows::SliceWord;

use super::{changes::Change, ranked::Ranked, slices::Slices};
use crate::config::Config;

/// Pairs of endpoints that are named, at most.
const NAMED: usize = 6;

/// What becomes of the slices of services that were there before.
pub fn moves(have: (&Config, &Slices), want: (&Config, &Slices)) -> Vec<Change> {
    let mut changes = Vec::new();
    // Without endpoints, slices are counted at most: they come from nobody, and go to nobody.
    if have.0.endpoints.is_empty() || want.0.endpoints.is_empty() {
        return changes;
    }
    for service in &want.0.services {
        let (Some(old), Some(new)) = (have.1.of(&service.name), want.1.of(&service.name)) else { continue };
        let count = old.len().max(new.len());
        let (of_old, of_new) = (names(have.0), names(want.0));
        let mut pairs: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        for slice in 0..count {
            let from = of_old(old[slice * old.len() / count]);
            let to = of_new(new[slice * new.len() / count]);
            if from != to {
                *pairs.entry((from, to)).or_default() += 1;
            }
        }
        let moved: usize = pairs.values().sum();
        if moved > 0 {
            let detail = format!("{moved} of {count} slices move: {}", listed(&pairs));
            changes.push(Change { object: service.name.clone(), detail });
        }
    }
    changes
}

/// The name of a slice's owner.
fn names<'a>(config: &'a Config) -> impl Fn(SliceWord) -> &'a str {
    let ranked = Ranked::of(config);
    move |word| ranked.name(word.owner()).unwrap_or("nobody")
}

fn listed(pairs: &BTreeMap<(&str, &str), usize>) -> String {
    let mut most: Vec<_> = pairs.iter().collect();
    most.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let mut words: Vec<_> =
        most.iter().take(NAMED).map(|((from, to), count)| format!("{count} from {from} to {to}")).collect();
    if let Some(more) = most.len().checked_sub(NAMED).filter(|more| *more > 0) {
        words.push(format!("and between {more} more pairs"));
    }
    words.join(", ")
}
