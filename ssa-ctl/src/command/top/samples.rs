//! Few words in; looks at counters and slices as tests want them, out.

use std::time::Duration;

use ssa_common::verdict::{Reason, Treatment};

use super::{
    sliced::{Cut, Endpoint, Owned, Slices},
    sourced::{Events, Origin},
};
use crate::observe::counters::{Count, Counts, ServiceCounts};

/// Packets of a hundred octets.
const fn packets(packets: u64) -> Count {
    Count { packets, bytes: packets * 100 }
}

/// Services that received so many frames, and dropped so many of them for a mismatch.
pub(super) fn counts(services: &[(&str, u64, u64)]) -> Counts {
    let of = |&(name, received, dropped): &(&str, u64, u64)| {
        let mut counts = ServiceCounts { received: packets(received), ..ServiceCounts::default() };
        counts.reasons[Reason::Conform as usize] = packets(received - dropped);
        counts.reasons[Reason::FieldMismatch as usize] = packets(dropped);
        counts.treatments[Treatment::Pass as usize] = packets(received - dropped);
        counts.treatments[Treatment::Drop as usize] = packets(dropped);
        (name.to_owned(), counts)
    };
    Counts { services: services.iter().map(of).collect(), ..Counts::default() }
}

/// The slices of the service web with these owners; and a service `bare` that has none.
pub(super) fn slices(owners: &[&str], frames: Option<&[u64]>) -> Slices {
    let run = |(slice, owner): (usize, &&str)| Owned {
        first: slice,
        last: slice,
        endpoint: Some((*owner).to_owned()),
        handed_over: false,
    };
    let web = Cut {
        service: "web".into(),
        count: owners.len(),
        runs: owners.iter().enumerate().map(run).collect(),
        frames: frames.map(<[u64]>::to_vec),
    };
    let mut names = owners.to_vec();
    names.sort_unstable();
    names.dedup();
    let endpoint = |name: &&str| Endpoint { name: (*name).to_owned(), weight: 1, ..Endpoint::default() };
    Slices {
        services: vec![web, Cut { service: "bare".into(), ..Cut::default() }],
        endpoints: names.iter().map(endpoint).collect(),
    }
}

/// Events of right now: site, service and how many.
pub(super) fn events(sites: &[(&str, &str, usize)], rate: u32) -> Events {
    let of = |&(site, service, count): &(&str, &str, usize)| {
        let (site, service) = (site.parse().ok(), Some(service.to_owned()));
        vec![(Duration::ZERO, Origin { site, service, reason: Reason::FieldMismatch }); count]
    };
    Events { seen: sites.iter().flat_map(of).collect(), overwritten: 0, rate }
}
