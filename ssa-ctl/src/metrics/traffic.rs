//! Counts in; packets and octets by service, reason and treatment out: of one look at the cells, so that sums agree.

use ssa_common::verdict::{Reason, Treatment};

use super::{
    catalog,
    family::{Description, Family, Sample, sample},
};
use crate::observe::{
    counters::{Count, Counts, HELD_BACK, ServiceCounts},
    reading::{Reading, Unserved},
};

/// The families of packets and those of octets, each the same samples of another part of a count.
const PARTS: [(Part, [&Description; 5]); 2] = [
    (
        |count| count.packets,
        [
            &catalog::RECEIVED_PACKETS,
            &catalog::PACKETS,
            &catalog::TREATED_PACKETS,
            &catalog::WOULD_DROP_PACKETS,
            &catalog::OUTSIDE_PACKETS,
        ],
    ),
    (
        |count| count.bytes,
        [
            &catalog::RECEIVED_BYTES,
            &catalog::BYTES,
            &catalog::TREATED_BYTES,
            &catalog::WOULD_DROP_BYTES,
            &catalog::OUTSIDE_BYTES,
        ],
    ),
];

type Part = fn(Count) -> u64;

pub(super) fn families(Reading { counts, unserved, .. }: &Reading) -> Vec<Family> {
    let [packets, bytes] = PARTS.map(|(part, descriptions)| of_part(counts, part, descriptions));
    let counted = packets.into_iter().zip(bytes).flat_map(|(packets, bytes)| [packets, bytes]);
    let held_back = counts.services.iter().flat_map(|(name, counts)| {
        let of = |(reason, treatment)| (reason, treatment, counts.cell(reason, treatment).packets);
        HELD_BACK.map(of).map(|(reason, treatment, count)| sample([name, reason.name(), treatment.name()], count))
    });
    let held_back = Family::of(&catalog::HELD_BACK_PACKETS, held_back);
    let without = |description, of: fn(&Unserved) -> u64| {
        Family::of(description, unserved.iter().map(|unserved| sample([&unserved.service], of(unserved))))
    };
    let unmarked = without(&catalog::UNMARKED_PACKETS, |unserved| unserved.unmarked);
    let unqueued = without(&catalog::UNQUEUED_PACKETS, |unserved| unserved.unqueued);
    counted.chain([held_back, unmarked, unqueued]).collect()
}

fn of_part(counts: &Counts, part: Part, descriptions: [&'static Description; 5]) -> [Family; 5] {
    let [received, reasons, treatments, would_drop, outside] = descriptions;
    let each = |description, of: &dyn Fn(&str, &ServiceCounts) -> Vec<Sample>| {
        Family::of(description, counts.services.iter().flat_map(|(name, counts)| of(name, counts)))
    };
    [
        each(received, &|name, counts| vec![sample([name], part(counts.received))]),
        // Every reason and treatment is there from the start: a series that begins late has no first increase.
        each(reasons, &|name, counts| {
            let samples = Reason::OF_SERVICE.iter();
            samples.map(|&reason| sample([name, reason.name()], part(counts.reason(reason)))).collect()
        }),
        each(treatments, &|name, counts| {
            let samples = Treatment::ALL.into_iter();
            samples.map(|treatment| sample([name, treatment.name()], part(counts.treatment(treatment)))).collect()
        }),
        each(would_drop, &|name, counts| vec![sample([name], part(counts.would_drop))]),
        Family::of(
            outside,
            [(Reason::Other, counts.other), (Reason::Malformed, counts.malformed)]
                .map(|(reason, count)| sample([reason.name()], part(count))),
        ),
    ]
}
