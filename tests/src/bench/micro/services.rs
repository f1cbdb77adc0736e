//! A number of services in; the filter over so many /64s, with one frame for it that is always the same, out.

use std::net::Ipv6Addr;

use anyhow::{Result, ensure};
use aya::programs::ProgramFd;
use ssa_common::verdict::{Reason, Treatment};

use super::{
    cases::{BIT, case, datagram},
    filter::{Filter, cell},
    flood::Flood,
    subject::Subject,
};
use crate::{
    frames::{CLIENT, Case, Service, packet::Packet},
    run::{self, Config},
};

/// Numbers of services to compare. A config has at most the last.
pub(super) const COUNTS: [u16; 4] = [1, 16, 256, 4095];
/// Runs to see where a flood goes.
const DRAWS: u32 = 20_000;

/// The service that the frame is for; the others have its rule, and the prefixes behind its own.
pub(super) const FIRST: Service = Service { name: "s0", prefix: 0x2001_0db8_0000_0000 << 64, ..BIT };

/// The filter over `count` services. Where that is one less than a power of two, the first has a second prefix, so that
/// a flood that draws bits always meets a service.
pub(super) fn filter(count: u16, time: u64) -> Result<Filter> {
    let prefix = |number: u16| format!("\"{}/64\"", Ipv6Addr::from_bits(FIRST.prefix + (u128::from(number) << 64)));
    let config = (0..count).fold(Config::default(), |config, number| {
        let mut prefixes = vec![prefix(number)];
        if number == 0 {
            prefixes.extend((count..count.next_power_of_two()).map(prefix));
        }
        let prefixes = prefixes.join(", ");
        config.service(&format!("name = \"s{number}\"\nprefixes = [{prefixes}]\nrule = \"{}\"\n", FIRST.rule))
    });
    Filter::new(&config, time)
}

/// The frame, for the first service.
pub(super) fn frame(count: u16, time: u64) -> Case {
    let packet = Packet::new(CLIENT, FIRST.address(CLIENT, time)).carrying(datagram());
    let plural = if count == 1 { "" } else { "s" };
    case(&FIRST, &format!("{count} service{plural}"), Reason::Conform, Treatment::Pass, packet.frame())
}

/// A flood to all services of a filter, and what it counts: reason and treatment.
pub(super) fn flood(filter: &mut Filter, count: u16, conforming: bool) -> Result<(Subject, u32)> {
    let (reason, treatment) =
        if conforming { (Reason::Conform, Treatment::Pass) } else { (FIRST.mismatch, Treatment::Drop) };
    let (program, slot) = Flood { services: count.next_power_of_two() - 1, conforming }.before(filter.program())?;
    let mut subject = Subject::new(program, frame(count, 0).frame, None, run::action(treatment)).holding(slot);
    filter.begin()?;
    subject.run(DRAWS)?;
    let counted = filter.counted()?;
    let cell = cell(reason, treatment, false);
    let (all, reached) = counted.get(&cell).copied().unwrap_or_default();
    ensure!(counted.len() == 1 && all == u64::from(DRAWS), "the flood is counted as {counted:?}");
    ensure!(reached * 10 >= usize::from(count) * 9, "the flood reached {reached} of {count} services");
    Ok((subject, cell))
}

/// The same flood to a program that does nothing.
pub(super) fn flood_base(empty: &ProgramFd, count: u16, conforming: bool) -> Result<Subject> {
    let (program, slot) = Flood { services: count.next_power_of_two() - 1, conforming }.before(empty)?;
    Ok(Subject::new(program, frame(count, 0).frame, None, run::PASS).holding(slot))
}
