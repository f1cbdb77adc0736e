//! A block list in; the filter over one service with that list, and frames of sources that are on it and that are not, out.

use anyhow::Result;
use ipnet::Ipv6Net;
use ssa_common::{
    layout::BLOCKS,
    verdict::{Reason, Treatment},
};
use ssa_ctl::plan::blocks::{Block, NEVER, Origin};

use super::{
    cases::{case, datagram},
    filter::Filter,
    services::FIRST,
};
use crate::{
    frames::{CLIENT, Case, packet::Packet},
    run::Config,
};

/// Prefix lengths of the list: each costs a source that is not on it another look.
const LENGTHS: [u8; 5] = [64, 48, 128, 56, 32];
/// A network beside the one that is blocked.
const NEIGHBOUR: u128 = CLIENT ^ 1 << 64;

/// The filter over one service and an empty list, or a full one.
pub(super) fn filter(is_full: bool, time: u64) -> Result<Filter> {
    let config = Config::frames(&[FIRST], 0);
    Filter::with_blocks(&config, time, &if is_full { full() } else { Vec::new() })
}

/// As many entries as there may be; no flood comes from the others than the client's network.
fn full() -> Vec<Block> {
    let block = |bits: u128, length| {
        let prefix = Ipv6Net::new_assert(bits.into(), length).trunc();
        Block { prefix, origin: Origin::Operator, deadline: NEVER, added: 0, reason: String::new() }
    };
    let mut drawn = 1_u128;
    let mut list: Vec<_> = (1..BLOCKS)
        .map(|number| {
            // Knuth's numbers for a generator of 64 bits; enough for prefixes that lie anywhere.
            drawn =
                drawn.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0x1405_7b7e_f767_814f) & u128::from(u64::MAX);
            block(0x3ffe << 112 | drawn << 48, LENGTHS[number % LENGTHS.len()])
        })
        .chain([block(CLIENT, 64)])
        .collect();
    list.sort();
    list
}

/// What the frames of a filter are called, and what they come to.
pub(super) fn frames(is_full: bool, time: u64) -> Vec<(String, Case)> {
    let frame = |id: &str, name: &str, source, reason, treatment| {
        let packet = Packet::new(source, FIRST.address(source, time)).carrying(datagram());
        (format!("blocks/{id}"), case(&FIRST, name, reason, treatment, packet.frame()))
    };
    if !is_full {
        return vec![frame("none", "empty block list", CLIENT, Reason::Conform, Treatment::Pass)];
    }
    vec![
        frame("not-listed", "100,000 sources blocked, not this", NEIGHBOUR, Reason::Conform, Treatment::Pass),
        frame("listed", "100,000 sources blocked, and this", CLIENT, Reason::Blocked, Treatment::Drop),
    ]
}
