//! A service in; the row that only some of its frames need out.

use bytemuck::Zeroable as _;
use ssa_common::{
    bits::{Words, mask},
    layout::{ALLOWED, NAME},
    rows::{AllowRow, FairRow, ServiceRow},
    siphash::{Sip13, tail},
};

use crate::config::{Fair, Service};

/// The row of the service with this number, where ticks come at this rate, and each CPU has so many rows to count shares by.
pub(super) fn row(service: &Service, number: u32, hertz: u32, shares: u32) -> ServiceRow {
    let fair = fair(service, hertz, shares);
    let mut row = ServiceRow { number, idle: idle(hertz), fair, ..ServiceRow::zeroed() };
    let name = &service.name.as_bytes()[..service.name.len().min(NAME)];
    row.name[..name.len()].copy_from_slice(name);
    row.tag = tag(row.name);
    let allow = allow(service);
    row.allow[..allow.len()].copy_from_slice(&allow);
    row.allowed = u32::try_from(allow.len()).unwrap_or(u32::MAX);
    row
}

/// A number that hangs on the service's name alone.
fn tag(name: [u8; 64]) -> u64 {
    let words: [u64; 8] = bytemuck::cast(name);
    words.into_iter().fold(Sip13::new(Words::default()), Sip13::word).finish(0, tail(64))
}

/// Ticks for which a flow is remembered that sends nothing: of TCP as long as RFC 5382 §5 has it for translators, of UDP as
/// long as RFC 4787 §4.3 recommends.
fn idle(hertz: u32) -> [u64; 2] {
    const TCP_SECONDS: u64 = 2 * 3600 + 4 * 60;
    const UDP_SECONDS: u64 = 5 * 60;
    [TCP_SECONDS, UDP_SECONDS].map(|seconds| seconds * u64::from(hertz))
}

/// The share that a source prefix may have, in windows of about a second, where each CPU has so many rows to count by.
fn fair(service: &Service, hertz: u32, rows: u32) -> FairRow {
    let Some(Fair { prefix, share, above }) = service.fair else { return FairRow::default() };
    let ticks = hertz.next_power_of_two();
    FairRow {
        mask: Words::from_u128(mask(0, prefix)).hi,
        share: (u32::from(share.percent()) << 16) / 100,
        above: u32::try_from(u64::from(above) * u64::from(ticks) / u64::from(hertz)).unwrap_or(u32::MAX),
        window: ticks.trailing_zeros(),
        rows,
    }
}

/// The protocols a service takes, as many as a row has room for; a checked config has no more.
pub(super) fn allow(service: &Service) -> Vec<AllowRow> {
    let entries = service.allow.iter().flatten().take(ALLOWED);
    let entry = |port: Option<u16>, protocol| AllowRow {
        port: port.unwrap_or(0),
        protocol,
        any_port: u8::from(port.is_none()),
    };
    entries.map(|allow| entry(allow.port, allow.protocol)).collect()
}
