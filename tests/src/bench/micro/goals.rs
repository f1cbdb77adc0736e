//! What the figures should be: nanoseconds above empty, and parts of other figures.

use crate::bench::figure::Goal;

/// Nanoseconds above the empty program, by the id, or by its beginning up to a slash.
const GOALS: [(&str, f64); 15] = [
    ("other/no-service", 4.0),
    ("bit/conforming", 7.0),
    ("bit/not-conforming", 7.0),
    ("quiet/", 7.0),
    ("hash/", 17.0),
    ("mac/", 26.0),
    ("mac-period/", 31.0),
    ("pow/", 450.0),
    ("worst/table", 230.0),
    ("steer/l2", 16.0),
    ("steer/l2-out", 16.0),
    ("steer/ip6ip6", 28.0),
    ("steer/ip6ip6-out", 28.0),
    ("flood-slices/1048576", 67.0),
    ("flood-slices-counted/1048576", 67.0),
];

/// Parts of another figure: the row, the other, the goal if there is one.
const RATIOS: [(&str, &str, Option<f64>); 40] = [
    ("bit/conforming", "xdp-filter/ipv6/not-listed", Some(0.25)),
    ("bit/not-conforming", "xdp-filter/ipv6/listed", Some(0.25)),
    ("mac/conforming", "xdp-filter/ipv6/not-listed", Some(0.85)),
    ("mac/not-conforming", "xdp-filter/ipv6/listed", Some(0.85)),
    ("mac-period/conforming", "xdp-filter/ipv6/not-listed", Some(1.0)),
    ("mac-period/not-conforming", "xdp-filter/ipv6/listed", Some(1.0)),
    ("services/16", "services/1", Some(1.2)),
    ("services/256", "services/1", Some(1.2)),
    ("services/4095", "services/1", Some(1.2)),
    ("flood/1/conforming", "services/1", Some(1.1)),
    ("flood/1/not-conforming", "bit/not-conforming", Some(1.1)),
    ("flood/4095/conforming", "services/1", None),
    ("flood/4095/not-conforming", "bit/not-conforming", None),
    ("blocks/none", "services/1", Some(1.1)),
    ("blocks/not-listed", "blocks/none", None),
    ("blocks/listed", "blocks/none", None),
    ("off/conforming", "bit/conforming", Some(1.1)),
    ("off/not-conforming", "bit/not-conforming", Some(1.1)),
    ("low/conforming", "bit/conforming", Some(1.1)),
    ("low/dscp", "bit/not-conforming", None),
    ("low/cpu", "bit/not-conforming", None),
    ("low/mark", "bit/not-conforming", None),
    ("low/all", "bit/not-conforming", None),
    ("known/socket/conforming", "bit/conforming", Some(1.1)),
    ("known/socket/not-conforming", "bit/not-conforming", None),
    ("known/flows/conforming", "bit/conforming", None),
    ("known/flows/not-conforming", "bit/not-conforming", None),
    ("fair/conforming", "bit/conforming", None),
    ("slice/own", "bit/conforming", None),
    ("slice/handover-past", "slice/own", None),
    ("steer/l2", "xdp-filter/ipv6/not-listed", None),
    ("steer/ip6ip6", "xdp-filter/ipv6/not-listed", None),
    ("slices/256", "slices/16", Some(1.2)),
    ("slices/16384", "slices/16", Some(1.2)),
    ("slices/1048576", "slices/16", Some(1.2)),
    ("slices-counted/1048576", "slices-counted/16384", Some(1.2)),
    ("flood-slices/16384", "slices/16384", Some(1.1)),
    ("flood-slices-counted/16384", "slices-counted/16384", Some(1.1)),
    ("flood-slices/1048576", "slices/1048576", None),
    ("flood-slices-counted/1048576", "slices-counted/1048576", None),
];

/// The goal of a row.
pub(super) fn goal(id: &str) -> Option<Goal> {
    let of = |row: &str| id == row || row.ends_with('/') && id.starts_with(row);
    let mut goals = GOALS.iter().filter(|(row, _)| of(row));
    goals.next().map(|(_, most)| Goal::AtMost(*most))
}

/// What a row is compared with, and the goals of that.
pub(super) fn ratios(id: &str) -> impl Iterator<Item = (&'static str, Option<Goal>)> {
    RATIOS.iter().filter(move |(row, ..)| *row == id).map(|(_, other, most)| (*other, most.map(Goal::AtMost)))
}

/// Whether a row should cost the same as the other, so that a nanosecond of noise is no miss.
pub(super) fn is_flat(id: &str) -> bool {
    [
        "services/",
        "blocks/none",
        "off/",
        "low/conforming",
        "known/socket/conforming",
        "slices/",
        "slices-counted/",
        "flood/1/",
        "flood-slices/16384",
        "flood-slices-counted/16384",
    ]
    .iter()
    .any(|row| id.starts_with(row))
}
