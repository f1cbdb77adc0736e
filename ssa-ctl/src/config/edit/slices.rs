//! A config, and how many slices a service is to have or which of them stay where, in; the config with that done out.

use std::ops::RangeInclusive;

use super::{Refusal, edit, refuse};
use crate::config::{model::Config, run::Run, slices::MAX_SLICE_BITS};

/// Cuts the prefixes of a service into other slices. Addresses stay pinned where they are; the owner of slices that
/// become one is that of the first.
///
/// # Errors
/// Where there is no such service, its prefixes have not that many bits, or slices that become one are pinned apart.
pub fn set_slice_bits(config: &Config, service: &str, bits: u8) -> Result<Config, Refusal> {
    edit(config, service, |service| {
        let from = service.slice_bits;
        // More bits than there can be are refused with the rest.
        if bits <= MAX_SLICE_BITS && bits != from {
            service.pinned = recut(&service.pinned, from, bits, |first, parts| {
                let owner = parts[0];
                if parts.iter().all(|other| *other == owner) {
                    return Ok(owner);
                }
                let last = first + parts.len() - 1;
                let message =
                    format!("slices {first} to {last} become one, and not all of them are pinned to one endpoint");
                refuse(message, format!("take the pins of slices {first} to {last} away first"))
            })?;
            service.owners = recut(&service.owners, from, bits, |_, parts| Ok(parts.iter().find_map(|owner| *owner)))?;
        }
        service.slice_bits = bits;
        Ok(())
    })
}

/// Makes slices stay with endpoints. What these slices were pinned to before is forgotten.
///
/// # Errors
/// Where there is no such service, slice or endpoint, or a slice is in two of the runs.
pub fn pin(config: &Config, service: &str, runs: &[Run]) -> Result<Config, Refusal> {
    edit(config, service, |service| {
        for run in runs {
            service.pinned = without(&service.pinned, run.first, run.last);
        }
        service.pinned.extend_from_slice(runs);
        service.pinned = joined(std::mem::take(&mut service.pinned));
        Ok(())
    })
}

/// Lets slices go where the balance takes them.
///
/// # Errors
/// Where there is no such service.
pub fn unpin(config: &Config, service: &str, slices: RangeInclusive<u32>) -> Result<Config, Refusal> {
    edit(config, service, |service| {
        service.pinned = without(&service.pinned, *slices.start(), *slices.end());
        Ok(())
    })
}

/// The runs with the slices from `first` to `last` left out.
fn without(runs: &[Run], first: u32, last: u32) -> Vec<Run> {
    let rest = |run: &Run| {
        if run.last < first || last < run.first {
            return [Some(run.clone()), None];
        }
        let before = (run.first < first).then(|| Run { last: first - 1, ..run.clone() });
        let after = (last < run.last).then(|| Run { first: last + 1, ..run.clone() });
        [before, after]
    };
    runs.iter().flat_map(rest).flatten().collect()
}

/// The runs in order; those of one endpoint that touch are one.
fn joined(mut runs: Vec<Run>) -> Vec<Run> {
    runs.sort_by_key(|run| run.first);
    let mut joined: Vec<Run> = Vec::new();
    for run in runs {
        match joined.last_mut() {
            Some(before) if before.endpoint == run.endpoint && before.last.checked_add(1) == Some(run.first) => {
                before.last = run.last;
            }
            _ => joined.push(run),
        }
    }
    joined
}

/// Runs of 2^`from` slices as runs of 2^`to`; `one` says whose a slice is of which there were several, the first of
/// which it is told.
fn recut<'a>(
    runs: &'a [Run],
    from: u8,
    to: u8,
    one: impl Fn(usize, &[Option<&'a str>]) -> Result<Option<&'a str>, Refusal>,
) -> Result<Vec<Run>, Refusal> {
    if let Some(more) = to.checked_sub(from) {
        let cut = |run: &Run| Run {
            first: run.first << more,
            last: (run.last << more) + (1 << more) - 1,
            endpoint: run.endpoint.clone(),
        };
        return Ok(runs.iter().map(cut).collect());
    }
    let mut owners: Vec<Option<&str>> = vec![None; 1 << from];
    for run in runs {
        if let Some(slices) = owners.get_mut(run.first as usize..=run.last as usize) {
            slices.fill(Some(&run.endpoint));
        }
    }
    let width = 1 << (from - to);
    let mut merged = Vec::new();
    for (slice, parts) in (0..).zip(owners.chunks(width)) {
        if let Some(endpoint) = one(slice as usize * width, parts)? {
            merged.push(Run { first: slice, last: slice, endpoint: endpoint.to_owned() });
        }
    }
    Ok(joined(merged))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::edit::tests::{config, texts};

    fn runs(texts: &[&str]) -> Vec<Run> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn pinned(config: &Config) -> Vec<String> {
        texts(&config.services[1].pinned)
    }

    #[test]
    fn addresses_stay_pinned_when_slices_split() {
        let split = set_slice_bits(&config(), "shop", 6).unwrap();
        assert_eq!(pinned(&split), ["0-15 a", "24-27 b"]);
        assert_eq!(texts(&split.services[1].owners), ["0-31 a", "32-63 b"]);
        assert_eq!(set_slice_bits(&split, "shop", 4).unwrap(), config(), "and when they merge again");
        assert_eq!(set_slice_bits(&config(), "shop", 4).unwrap(), config());
        assert_eq!(set_slice_bits(&config(), "shop", 20).unwrap().services[1].owners[1].last, (1 << 20) - 1);
    }

    #[test]
    fn slices_that_are_pinned_apart_do_not_merge() {
        let error = set_slice_bits(&config(), "shop", 3).unwrap_err();
        assert!(error.message.contains("slices 6 to 7 become one"), "{error}");
        let free = unpin(&config(), "shop", 6..=6).unwrap();
        let merged = set_slice_bits(&free, "shop", 2).unwrap();
        assert_eq!(pinned(&merged), ["0 a"]);
        assert_eq!(texts(&merged.services[1].owners), ["0-1 a", "2-3 b"]);
    }

    #[test]
    fn slices_are_as_many_as_there_can_be() {
        let message = |service, bits| set_slice_bits(&config(), service, bits).unwrap_err().message;
        assert!(message("web", 21).contains("cannot be 21"));
        assert!(message("web", 255).contains("cannot be 255"));
        assert!(message("www", 4).contains("no service named www"));
        assert!(message("shop", 0).contains("pinned"));
        assert_eq!(set_slice_bits(&config(), "plain", 8).unwrap().services[2].slice_bits, 8);
    }

    #[test]
    fn pins_replace_pins_of_the_same_slices() {
        let pin = |texts: &[&str]| pin(&config(), "shop", &runs(texts));
        assert_eq!(pinned(&pin(&["2 b"]).unwrap()), ["0-1 a", "2 b", "3 a", "6 b"]);
        assert_eq!(pinned(&pin(&["4-5 a"]).unwrap()), ["0-5 a", "6 b"]);
        assert_eq!(pinned(&pin(&["0-15 b"]).unwrap()), ["0-15 b"]);
        assert_eq!(pinned(&pin(&["7 b", "1-2 a"]).unwrap()), ["0-3 a", "6-7 b"]);
        assert_eq!(pinned(&unpin(&config(), "shop", 1..=6).unwrap()), ["0 a"]);
        assert_eq!(pinned(&unpin(&config(), "shop", 0..=u32::MAX).unwrap()), Vec::<String>::new());
    }

    #[test]
    fn pins_that_cannot_be_are_refused() {
        let message = |texts: &[&str]| pin(&config(), "shop", &runs(texts)).unwrap_err().message;
        assert!(message(&["16 a"]).contains("slice 16"));
        assert!(message(&["7 c"]).contains("no endpoint named"));
        assert!(message(&["8-9 a", "9 b"]).contains("slice 9 is in two runs"));
        assert!(pin(&config(), "plain", &runs(&["0 a"])).unwrap_err().message.contains("without slices"));
    }
}
