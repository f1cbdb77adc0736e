//! A number of slices in; the filter over a service that has so many, all of this host, with frames and a flood for them, out.

use std::net::Ipv6Addr;

use anyhow::{Result, ensure};

use super::{filter::Filter, services, subject::Subject};
use crate::{frames::Case, run::Config};

/// Bits of a slice's number to compare. A service has at most the last.
pub(super) const BITS: [u8; 4] = [4, 8, 14, 20];
/// Those over which floods go, too.
pub(super) const FLOODED: [u8; 2] = [14, 20];
/// Frames for each slice to see where a flood goes.
const DRAWS: u32 = 4;

/// The filter over one service, whose slices are counted or not.
pub(super) fn filter(bits: u8, counted: bool, time: u64) -> Result<Filter> {
    let service = services::FIRST;
    let config = Config::default().endpoint("here", "2001:db8:e::a", None).service(&format!(
        "name = \"{}\"\nprefixes = [\"{}/{}\"]\nrule = \"{}\"\nslice_bits = {bits}\nslice_counters = {counted}\n",
        service.name,
        Ipv6Addr::from_bits(service.prefix),
        service.length,
        service.rule,
    ));
    Filter::new(&config, time)
}

/// The frame, which is the same whatever the number of slices.
pub(super) fn frame(bits: u8, counted: bool, time: u64) -> Case {
    Case { name: name(bits, counted), ..services::frame(1, time) }
}

/// How many slices, for people.
pub(super) fn name(bits: u8, counted: bool) -> String {
    let (thousands, rest) = ((1_u32 << bits) / 1000, (1_u32 << bits) % 1000);
    let slices = match thousands {
        0 => rest.to_string(),
        1..1000 => format!("{thousands},{rest:03}"),
        _ => format!("{},{:03},{rest:03}", thousands / 1000, thousands % 1000),
    };
    format!("{slices} slices{}", if counted { ", counted" } else { "" })
}

/// A flood over all slices, of frames that conform, and what it counts. Where slices are counted, it is seen to reach them.
pub(super) fn flood(filter: &mut Filter, bits: u8, counted: bool) -> Result<(Subject, u32)> {
    let (mut subject, cell) = services::flood(filter, 1, true)?;
    if counted {
        let slices = 1_u32 << bits;
        subject.run(slices * DRAWS)?;
        let reached = filter.slice_frames(services::FIRST.name)?.into_iter().filter(|frames| *frames > 0).count();
        ensure!(reached * 10 >= slices as usize * 9, "the flood reached {reached} of {slices} slices");
    }
    Ok((subject, cell))
}
