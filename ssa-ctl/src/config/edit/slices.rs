//! A config, and how many slices a service is to have or which of them stay where, in; the config with that done out.

use super::{Refusal, edit, refuse};
use crate::config::{
    bounds::Bounds,
    model::{Config, Service},
    run::Run,
    slices::MAX_SLICE_BITS,
};

/// Cuts the prefixes of a service into more slices: of so many bits, or of one more than now.
///
/// # Errors
/// Where there is no such service, these are not more, or its prefixes have not that many.
pub fn split(config: &Config, service: &str, bits: Option<u8>) -> Result<Config, Refusal> {
    let (_, Service { slice_bits: from, prefixes, .. }) = config.named(service)?;
    let suffix = prefixes.iter().map(|prefix| 128 - prefix.prefix_len()).min().unwrap_or(0);
    let most = suffix.min(MAX_SLICE_BITS);
    if *from >= most {
        let message = format!("the slices of {service} have {from} bits, and there can be no more");
        return refuse(message, "20 are the most, or what the longest prefix leaves if that is less");
    }
    let bits = bits.unwrap_or(from + 1);
    if bits <= *from {
        let message = format!("the slices of {service} have {from} bits: to split them takes more, not {bits}");
        return refuse(message, format!("bits for `slice split` are {} to {most}", from + 1));
    }
    set_slice_bits(config, service, bits)
}

/// Cuts the prefixes of a service into fewer slices: of so many bits, or of one less than now.
///
/// # Errors
/// Where there is no such service, these are not fewer, or slices that become one are pinned apart.
pub fn merge(config: &Config, service: &str, bits: Option<u8>) -> Result<Config, Refusal> {
    let from = config.named(service)?.1.slice_bits;
    if from <= 1 {
        let message = format!(
            "the service {service} has {} and cannot have fewer",
            if from == 0 { "no slices" } else { "two slices" }
        );
        return refuse(message, format!("to cut it finer: ssa-ctl slice split {service}"));
    }
    let bits = bits.unwrap_or(from - 1);
    if bits >= from || bits == 0 {
        let message = format!("the slices of {service} have {from} bits: to merge them takes fewer, not {bits}");
        return refuse(message, format!("bits for `slice merge` are 1 to {}", from - 1));
    }
    set_slice_bits(config, service, bits)
}

/// Cuts the prefixes of a service into other slices. Addresses stay pinned where they are; the owner of slices that
/// become one is that of the first.
///
/// # Errors
/// Where there is no such service, its prefixes have not that many bits, or slices that become one are pinned apart.
fn set_slice_bits(config: &Config, service: &str, bits: u8) -> Result<Config, Refusal> {
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

/// Lets slices go where the balance takes them, when they are shared out anew.
///
/// # Errors
/// Where there is no such service or slice.
pub fn unpin(config: &Config, service: &str, slices: &[Bounds]) -> Result<Config, Refusal> {
    edit(config, service, |service| {
        for bounds in slices {
            bounds.within(service)?;
            service.pinned = without(&service.pinned, bounds.first, bounds.last);
        }
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

    fn bounds(texts: &[&str]) -> Vec<Bounds> {
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
        let free = unpin(&config(), "shop", &bounds(&["6"])).unwrap();
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
    fn slices_become_more_or_fewer_by_one_bit_if_nobody_says_how_many() {
        let bits = |config: Result<Config, Refusal>| config.unwrap().services[0].slice_bits;
        assert_eq!(bits(split(&config(), "web", None)), 5);
        assert_eq!(bits(split(&config(), "web", Some(20))), 20);
        assert_eq!(bits(merge(&config(), "web", None)), 3);
        assert_eq!(bits(merge(&config(), "web", Some(1))), 1);
        let said = |refusal: Result<Config, Refusal>| {
            let Refusal { message, help } = refusal.unwrap_err();
            format!("{message}; {help}")
        };
        let finest = set_slice_bits(&config(), "web", 20).unwrap();
        for bits in [None, Some(20), Some(21)] {
            assert!(said(split(&finest, "web", bits)).contains("have 20 bits, and there can be no more"));
        }
        assert!(said(split(&config(), "web", Some(4))).ends_with("are 5 to 20"));
        let coarsest = set_slice_bits(&config(), "web", 1).unwrap();
        assert!(said(merge(&coarsest, "web", None)).contains("two slices and cannot have fewer"));
        assert!(said(merge(&config(), "plain", None)).contains("no slices and cannot have fewer"));
        assert!(said(merge(&config(), "web", Some(0))).ends_with("are 1 to 3"));
        assert!(said(merge(&config(), "www", None)).contains("no service named www"));
    }

    #[test]
    fn pins_of_slices_that_are_not_there_are_not_taken_away() {
        let refusal = unpin(&config(), "shop", &bounds(&["0", "6-16"])).unwrap_err();
        assert_eq!(refusal.message, "the service shop has no slice 16");
        assert_eq!(refusal.help, "its slices are 0 to 15");
    }

    #[test]
    fn pins_are_taken_away_from_the_slices_that_are_named() {
        assert_eq!(pinned(&unpin(&config(), "shop", &bounds(&["1-3", "6"])).unwrap()), ["0 a"]);
        assert_eq!(pinned(&unpin(&config(), "shop", &bounds(&["1"])).unwrap()), ["0 a", "2-3 a", "6 b"]);
        assert_eq!(pinned(&unpin(&config(), "shop", &bounds(&["0-15"])).unwrap()), Vec::<String>::new());
        assert_eq!(unpin(&config(), "shop", &bounds(&["8"])).unwrap(), config());
        assert_eq!(unpin(&config(), "plain", &bounds(&["0"])).unwrap(), config());
    }
}
